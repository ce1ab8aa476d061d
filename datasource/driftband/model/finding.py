"""Findings: one divergence of one subject over an interval."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from driftband.model.attribute import AttributeDiff
from driftband.model.moment import show_moment

Layer = Literal["configuration", "runtime", "behavioral"]
Class = Literal["drift", "accepted_undeclared", "pending", "normalisation", "provisional", "ignored"]
State = Literal["open", "closed", "accepted"]
Severity = Literal["info", "warning", "error", "critical"]

ALARMING: frozenset[Class] = frozenset({"drift", "provisional", "accepted_undeclared"})
"""Classes that are drift to whoever is on call; the others are kept, and alarm nobody."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A finding as it stands now. opened_at, closed_at: the interval is ``[opened_at, closed_at)``.

    window_from: the last instant at which it was known not to be there, None where nothing is known. reopens: the id of
    the finding of the same subject and kind before. actor: who did it, where an audit event tells. ignored_by: the id
    of the ignore rule, or ``plan``. unless_ignored: the class that it has once that rule is over, None where no rule ignores it.
    """

    id: str
    layer: Layer
    kind: str
    class_: Class
    state: State = "open"
    workspace: str = ""
    address: str = ""
    resource_type: str = ""
    module: str = ""
    signal: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)
    severity: Severity
    score: float = 1.0
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None = None
    window_from: datetime | None = None
    reason: str
    attributes: tuple[AttributeDiff, ...] = ()
    actor: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    reopens: str | None = None
    ignored_by: str | None = None
    unless_ignored: Class | None = None

    def __post_init__(self) -> None:
        """Refuse an interval that ends before it begins, and a state that contradicts it."""
        if self.closed_at is not None and self.closed_at < self.opened_at:
            raise ValueError(f"finding {self.id} closes before it opens")
        if (self.state == "closed") != (self.closed_at is not None):
            raise ValueError(f"finding {self.id} is {self.state} and closed at {self.closed_at}")

    @property
    def alarming(self) -> bool:
        """Whether it is open and of a class that counts as drift."""
        return self.state == "open" and self.class_ in ALARMING

    @property
    def is_drift(self) -> bool:
        """Whether it is of a class that counts as drift, whoever has decided to live with it."""
        return (self.unless_ignored or self.class_) in ALARMING

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {
            "id": self.id,
            "layer": self.layer,
            "kind": self.kind,
            "class": self.class_,
            "state": self.state,
            "workspace": self.workspace,
            "address": self.address or None,
            "resource_type": self.resource_type or None,
            "module": self.module or None,
            "signal": self.signal or None,
            "identity": dict(self.identity),
            "severity": self.severity,
            "score": self.score,
            "opened_at": show_moment(self.opened_at),
            "last_seen_at": show_moment(self.last_seen_at),
            "closed_at": show_moment(self.closed_at) if self.closed_at else None,
            "window_from": show_moment(self.window_from) if self.window_from else None,
            "reason": self.reason,
            "attributes": [attribute.json() for attribute in self.attributes],
            "actor": self.actor,
            "evidence": {"query": None, "link": None, **self.evidence},
            "reopens": self.reopens,
            "ignored_by": self.ignored_by,
            "unless_ignored": self.unless_ignored,
        }


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A finding's step: it opened, closed, or changed class, at ``at``, for ``reason``. run: the run that showed it."""

    finding: str
    at: datetime
    state: State
    class_: Class
    reason: str
    run: str | None = None


def step(
    finding: Finding, at: datetime, reason: str, run: str | None = None, **changes: Any
) -> tuple[Finding, Transition]:
    """Return the finding with ``changes`` and ``reason``, and the transition that says so."""
    moved = replace(finding, reason=reason, **changes)
    return moved, Transition(finding=moved.id, at=at, state=moved.state, class_=moved.class_, reason=reason, run=run)
