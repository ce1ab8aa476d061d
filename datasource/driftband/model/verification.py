"""What a gate in CI asks after a change: whether all that belongs to it has stayed calm."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from driftband.model.finding import Finding
from driftband.model.moment import show_moment

VerificationStatus = Literal["running", "watching", "calm", "drift", "unknown"]
"""``running``: the change has not ended; ``watching``: its time is not over; ``unknown``: there is not enough evidence."""


@dataclass(frozen=True, kw_only=True)
class WatchedSeries:
    """A series that the watcher knows, without what tells one pod from another.

    first: since when it is watched. gone: since when it has no samples, None where it has.
    """

    signal: str
    identity: Mapping[str, str]
    first: datetime
    gone: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Correlated:
    """A finding of which the change is suspected. score: the suspect's, in [0, 1]. reasons: in words."""

    finding: Finding
    incident: str
    score: float
    reasons: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """Return its form in the API."""
        names = (
            "id",
            "layer",
            "kind",
            "signal",
            "address",
            "severity",
            "state",
            "opened_at",
            "closed_at",
            "identity",
            "reason",
        )
        told = self.finding.json()
        suspect = {"incident": self.incident, "score": round(self.score, 4), "reasons": list(self.reasons)}
        return {**{name: told[name] for name in names}, **suspect}


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How things stand. since, until: what is looked at; until is None while the change runs.

    signals: of those that belong to the change, the number of series that were watched before it began. others: findings
    of what belongs to it that began meanwhile and that it is not suspected of.
    """

    change: str
    status: VerificationStatus
    reason: str
    since: datetime
    until: datetime | None = None
    evaluated_until: datetime | None = None
    signals: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Correlated, ...] = ()
    others: int = 0

    def json(self) -> dict[str, Any]:
        """Return its form in the API."""
        return {
            "change": self.change,
            "status": self.status,
            "reason": self.reason,
            "since": show_moment(self.since),
            "until": show_moment(self.until) if self.until else None,
            "evaluated_until": show_moment(self.evaluated_until) if self.evaluated_until else None,
            "signals": dict(self.signals),
            "findings": [one.json() for one in self.findings],
            "others": self.others,
        }
