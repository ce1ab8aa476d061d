"""The presence of one subject: since when it is there, which gaps are usual for it, and whether it is late now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from driftband.detect.episode import Episode, Judge, Patience, Sight
from driftband.detect.event import What
from driftband.detect.words import DAY, HOUR, SECOND
from driftband.model.finding import Severity

MOST_MISSED = 0.2
"""A subject that has been missing for more of its time than this comes and goes: its absence means nothing."""
GAPS = 8
TIMES_USUAL = 2
LEAST_INSTANTS = 3
GONE_AFTER = HOUR
"""How long something must have been late to be called gone."""
FORGET_AFTER = 7 * DAY
FORGET_UNJUDGED_AFTER = DAY


@dataclass(frozen=True, kw_only=True)
class Habit:
    """What being late means. for_ms: at least so long. learn: how long (ms) it must have been there before. judge: of its
    severity.
    """

    for_ms: int
    interval: int
    learn: int
    patience: Patience
    judge: Judge


@dataclass(slots=True, kw_only=True)
class Line:
    """All times are epoch ms. missing: the first instant without a sample, None while there are some.

    missed: ms in gaps that were no finding. gaps: the last ones, ms. labels: of the events of a whole signal.
    asleep: from when on its absence has meant nothing, because something else is down.
    """

    first: int
    missing: int | None = None
    missed: int = 0
    gaps: list[int] = field(default_factory=list)
    labels: list[list[str]] = field(default_factory=list)
    asleep: int | None = None
    episode: Episode = field(default_factory=Episode)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Line":
        """Read what ``json`` wrote."""
        found = cls(first=state["first"], missing=state.get("missing"), missed=state.get("missed", 0))
        found.gaps, found.labels = list(state.get("gaps", ())), list(state.get("labels", ()))
        found.asleep = state.get("asleep")
        found.episode = Episode.of(state.get("episode"))
        return found

    def json(self) -> dict[str, Any]:
        """Return what differs from a new one: it stays the same as long as there are samples."""
        optional = {
            "missing": self.missing,
            "missed": self.missed or None,
            "gaps": self.gaps or None,
            "labels": self.labels or None,
            "asleep": self.asleep,
            "episode": self.episode.json() or None,
        }
        return {"first": self.first, **{name: value for name, value in optional.items() if value is not None}}

    @property
    def usual(self) -> int:
        """The usual longest gap (ms): the longest but one of the last, since one outage is no habit."""
        return sorted(self.gaps)[-2] if len(self.gaps) > 1 else 0

    def judged(self, learn: int) -> bool:
        """Whether it had been there long and steadily enough, when it went missing."""
        if self.missing is None:
            return False
        age = self.missing - self.first
        return age >= learn and self.missed <= MOST_MISSED * age

    def late_after(self, habit: Habit) -> int:
        """Return for how long (ms) it must have had no sample to be late."""
        return max(habit.for_ms, LEAST_INSTANTS * habit.interval, TIMES_USUAL * self.usual + habit.interval)

    def advance(self, at: int, habit: Habit, *, present: bool) -> What | None:
        """Take the next instant in, and return what it brought about."""
        self.asleep = None
        if present:
            self.end_gap(at)
            sight = Sight(at, True, False, True, 0.0, (0.0,))
        else:
            self.missing = at if self.missing is None else self.missing
            length, allowed = self.length(at, habit.interval), self.late_after(habit)
            late = length > allowed and self.judged(habit.learn)
            sight = Sight(at, True, late, False, length / allowed if late else 0.0, (length / SECOND,))
        if self.episode.idle and not sight.bad:
            return None
        return self.episode.advance(sight, habit.patience, habit.interval, habit.judge)

    def sleep(self, at: int, habit: Habit) -> What | None:
        """Take an instant in at which its absence means nothing: the clock begins anew after it."""
        self.asleep = at if self.asleep is None else self.asleep
        self.missing = at + habit.interval
        if self.episode.idle:
            return None
        return self.episode.advance(Sight(at, False, False, False, 0.0), habit.patience, habit.interval, habit.judge)

    def length(self, at: int, interval: int) -> int:
        """Return for how long there has been no sample at ``at`` (ms)."""
        return 0 if self.missing is None else at - self.missing + interval

    def end_gap(self, at: int) -> None:
        """Learn the gap that ends at ``at``, if there is one."""
        if self.missing is None:
            return
        gap = at - self.missing
        if gap:
            self.gaps = [*self.gaps[1 - GAPS :], gap]
        if self.episode.opened is None:
            self.missed += gap
        self.missing = None

    def forgotten(self, at: int, habit: Habit) -> bool:
        """Whether it has been missing for so long that nobody waits for it any more."""
        if self.missing is None:
            return False
        if self.episode.opened is not None:
            return at - self.missing >= FORGET_AFTER
        return not self.judged(habit.learn) and at - self.missing >= FORGET_UNJUDGED_AFTER


def severity(score: float, lasted: int) -> Severity:
    """Return how bad it is: late is a warning, gone is an error."""
    return "error" if is_gone(score, lasted) else "warning"


def is_gone(score: float, lasted: int) -> bool:
    """Whether it is gone, after having been late for ``lasted`` ms, and not only late."""
    return lasted >= GONE_AFTER and score >= TIMES_USUAL
