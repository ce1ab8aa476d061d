"""Incidents: findings that belong together, and the changes suspected of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from driftband.model.finding import Severity
from driftband.model.moment import show_moment

Verdict = Literal["explained", "unexplained"]
IncidentState = Literal["open", "acknowledged", "resolved"]
Deed = Literal["opened", "updated", "acknowledged", "resolved"]
"""What an incident's notification tells; a reopened incident is ``opened`` again."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A change proposed for an incident; never called a cause. score: calibrated, in [0, 1]. reasons: in words."""

    change: str
    score: float
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a score that is no probability, or one without a reason."""
        if not 0 <= self.score <= 1 or not self.reasons:
            raise ValueError(f"a suspect needs a score in [0, 1] and a reason, got {self.score} and {self.reasons}")

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {"change": self.change, "score": round(self.score, 4), "reasons": list(self.reasons)}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of an incident's story."""

    at: datetime
    what: str
    reason: str

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {"at": show_moment(self.at), "what": self.what, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class Incident:
    """An incident as it stands now. findings: ids, in the order in which they joined. root: the one that began it.

    merged_into: the incident that took its findings over, where one did. calm_since: when its last finding closed.
    context: what a person wants to know beside it (diffs, module versions, downstream services, similar incidents).
    """

    id: str
    title: str
    state: IncidentState = "open"
    severity: Severity
    verdict: Verdict
    opened_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    calm_since: datetime | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    findings: tuple[str, ...]
    root: str | None = None
    suspects: tuple[Suspect, ...] = ()
    merged_into: str | None = None
    timeline: tuple[Entry, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an incident about nothing, and one whose state contradicts its times."""
        if not self.findings:
            raise ValueError(f"incident {self.id} needs a finding")
        if (self.state == "resolved") != (self.resolved_at is not None):
            raise ValueError(f"incident {self.id} is {self.state} and resolved at {self.resolved_at}")

    @property
    def suspect(self) -> Suspect | None:
        """Return the change that explains it; None where none does: who is merely possible is not accused in a label."""
        return self.suspects[0] if self.verdict == "explained" and self.suspects else None

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {
            "id": self.id,
            "title": self.title,
            "state": self.state,
            "severity": self.severity,
            "verdict": self.verdict,
            "opened_at": show_moment(self.opened_at),
            "acknowledged_at": show_moment(self.acknowledged_at) if self.acknowledged_at else None,
            "acknowledged_by": self.acknowledged_by,
            "resolved_at": show_moment(self.resolved_at) if self.resolved_at else None,
            "identity": dict(self.identity),
            "owner": self.owner,
            "findings": list(self.findings),
            "root": self.root,
            "suspects": [suspect.json() for suspect in self.suspects],
            "merged_into": self.merged_into,
            "timeline": [entry.json() for entry in self.timeline],
            "context": dict(self.context),
        }
