"""Events: what a detector says of a subject, from which the ledger makes findings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

from driftband.model.finding import Severity
from driftband.model.intent import Declared
from driftband.model.series import Labels

What = Literal["opened", "worsened", "eased", "closed"]

MOST_SCORE = 1000.0
"""Scores end here: a band as narrow as rounding would give numbers that nobody can read."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One step of one finding. labels: its subject within the signal; none where it is the signal as a whole.

    at: epoch ms, the instant whose evidence decided. score: the size, 0 or more; 1 is where it begins to matter.
    since: when it began, before it was sure enough to open. opened: the instant of the ``opened`` of this finding; with
    kind and labels it names the finding. reopens: ``opened`` of the finding before, where that had closed so shortly
    before that this is the same story; story: ``opened`` of the story's first finding.
    identity: identity labels that do not stand in ``labels``. resource: of the inventory, where it is about one.
    evidence: JSON-able. times (epoch ms) and lists of the same length beside them, such as values, expected, lower and
    upper, None for what is not finite; and the numbers that decided.
    """

    kind: str
    labels: Labels
    at: int
    what: What
    score: float
    severity: Severity
    reason: str
    since: int
    opened: int
    story: int
    reopens: int | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    resource: Declared | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse times out of order, a score that is no size, and an event without a reason."""
        if not self.since <= self.opened <= self.at or self.story > self.opened:
            raise ValueError(f"{self.kind}: since {self.since}, opened {self.opened}, at {self.at} are out of order")
        if not isfinite(self.score) or self.score < 0:
            raise ValueError(f"{self.kind}: a score must be 0 or more, got {self.score}")
        if not self.reason:
            raise ValueError(f"{self.kind}: an event needs a reason")


def in_order(events: list[Event]) -> list[Event]:
    """Return events by time, then by subject: however the series came and the time was cut, the order is the same."""
    return sorted(events, key=lambda event: (event.at, event.labels, event.kind))
