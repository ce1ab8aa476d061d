"""One subject's way from calm to a finding and back: patience before opening and closing, steps between, no flapping.

Everything is counted in instants at which there was evidence. An instant without any neither opens nor closes: missing
evidence is not health, and no trouble either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from math import isfinite, log2
from statistics import median
from typing import Any, NamedTuple

from driftband.detect.event import MOST_SCORE, What
from driftband.model.finding import Severity

MIDDLE_OF = 5
"""Scores of so many last instants give the one that counts: their middle."""
EASES_AT = 0.75
"""A step of the score is left downwards only this far below it."""
MOST_LEVEL = 9
KEPT = 12
"""Points that are kept from the beginning, and as many from the end."""
BETWEEN = 16
"""Points that are kept of all that lies between, evenly spaced: the longer it lasts, the fewer of them."""
MOST_DOUBLINGS = 3
"""Each reopening doubles the calm that closing takes, so often at most."""
_SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")

Point = list[float | None]
"""An instant (epoch ms) and the numbers that the detector shows of it."""
Judge = Callable[[float, int], Severity]
"""Severity by the score that counts, and by how long it has lasted (ms)."""


class Sight(NamedTuple):
    """What a detector sees of a subject at an instant. bad, calm: neither where it is in between, or nothing is known.

    side: +1 above, -1 below, 0 where there are no sides: what changes sides has not lasted. weak: a score below this is weak
    evidence.
    """

    at: int
    known: bool
    bad: bool
    calm: bool
    score: float
    shown: tuple[float, ...] = ()
    side: int = 0
    weak: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long things must last. open_after, close_after: instants. reopen_within, give_up: ms.

    weak_after: so many instants of weak evidence open it. give_up: an open one closes after so long without any evidence,
    which is said.
    """

    open_after: int
    close_after: int
    reopen_within: int
    give_up: int
    weak_after: int = 0


@dataclass(slots=True, kw_only=True)
class Episode:
    """Where a subject stands. All times are epoch ms.

    since: the first of the ``bad`` instants in a row; those of an open one began there. story, reopened, before: of the
    chain of findings that it continues. blind_since: from when on there has been no evidence. level, moved: the step of
    the score and when it was reached. lower: instants in a row with a score clearly below it; eased: how often it has
    been left downwards. turn: the last point before calm, and the first of it. first, between, last: points; of those between
    every ``stride``th of the ``passed`` ones. recent: scores.
    """

    since: int | None = None
    bad: int = 0
    side: int = 0
    opened: int | None = None
    story: int | None = None
    reopened: int = 0
    before: int | None = None
    closed: int | None = None
    calm: int = 0
    blind_since: int | None = None
    level: int = 0
    severity: Severity = "info"
    moved: int = 0
    lower: int = 0
    eased: int = 0
    peak: float = 0.0
    recent: list[float] = field(default_factory=list)
    turn: list[Point] = field(default_factory=list)
    first: list[Point] = field(default_factory=list)
    between: list[Point] = field(default_factory=list)
    stride: int = 1
    passed: int = 0
    last: list[Point] = field(default_factory=list)

    @classmethod
    def of(cls, state: Mapping[str, Any] | None) -> "Episode":
        """Read what ``json`` wrote. Lists are shared with the state, and therefore never changed in place."""
        return cls(**(state or {}))

    def json(self) -> dict[str, Any]:
        """Return what differs from a new one."""
        return {name: value for name, plain in _PLAIN.items() if (value := getattr(self, name)) != plain}

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember."""
        return self.opened is None and self.closed is None and self.bad == 0

    @property
    def score(self) -> float:
        """The score that counts: the middle of the last ones."""
        return float(median(self.recent)) if self.recent else 0.0

    def advance(self, sight: Sight, patience: Patience, interval: int, judge: Judge) -> What | None:
        """Take the next instant in, and return what it brought about."""
        if self.opened is not None:
            return self._follow(sight, patience, interval, judge)
        if self.closed is not None and self.bad == 0 and sight.at - self.closed > patience.reopen_within:
            self._forget()
        return self._wait(sight, patience, judge)

    def _wait(self, sight: Sight, patience: Patience, judge: Judge) -> What | None:
        if not sight.known:
            self.blind_since = sight.at if self.blind_since is None else self.blind_since
            if self.bad and sight.at - self.blind_since > patience.reopen_within:
                self._calm_down()
            return None
        if not sight.bad:
            self._calm_down()
            return None
        if self.bad == 0 or sight.side != self.side:
            self._calm_down()
            self.since, self.side = sight.at, sight.side
        self.blind_since = None
        self.bad += 1
        self._remember(sight)
        weak = self.score < sight.weak
        if self.bad < max(patience.open_after, patience.weak_after if weak else 0):
            return None
        return self._open(sight, judge)

    def _open(self, sight: Sight, judge: Judge) -> What:
        since = self.since if self.since is not None else sight.at
        if self.closed is None:
            self.story, self.reopened = sight.at, 0
        else:
            self.reopened += 1
        self.closed, self.opened, self.moved, self.calm = None, sight.at, sight.at, 0
        self.level = _level(self.score)
        self.severity = judge(self.score, sight.at - since)
        return "opened"

    def _follow(self, sight: Sight, patience: Patience, interval: int, judge: Judge) -> What | None:
        if not sight.known:
            self.blind_since = sight.at if self.blind_since is None else self.blind_since
            return "closed" if sight.at - self.blind_since >= patience.give_up else None
        self.blind_since = None
        earlier = self.latest
        self._remember(sight)
        if sight.calm and self.calm == 0:
            self.turn = [earlier, self.latest]
        self.calm = self.calm + 1 if sight.calm else 0
        if self.calm >= _patiently(patience, self.reopened):
            return "closed"
        return self._step(sight, patience, interval, judge)

    def _step(self, sight: Sight, patience: Patience, interval: int, judge: Judge) -> What | None:
        """Worsen when the score that counts has risen by a step or the severity has; ease when it has clearly fallen.

        What is about to close does not ease first, and what is still rising is told in one go.
        """
        score, since = self.score, self.since if self.since is not None else sight.at
        level = _level(score)
        severity = judge(score, sight.at - since)
        worse = _SEVERITIES.index(severity) > _SEVERITIES.index(self.severity)
        if worse or (level > self.level and sight.at - self.moved >= MIDDLE_OF * interval):
            self.level, self.severity, self.moved = max(level, self.level), severity, sight.at
            return "worsened"
        fallen = level < self.level and score < EASES_AT * 2**self.level
        self.lower = self.lower + 1 if fallen else 0
        if self.calm == 0 and self.lower >= _patiently(patience, self.reopened + self.eased):
            self.level, self.severity, self.moved, self.lower = level, severity, sight.at, 0
            self.eased += 1
            return "eased"
        return None

    def close(self, at: int) -> None:
        """Leave the finding, which has been told; for a while a new one will continue its story."""
        story, reopened, before = self.story, self.reopened, self.opened
        self._forget()
        self.story, self.reopened, self.before, self.closed = story, reopened, before, at

    def _calm_down(self) -> None:
        self.since, self.bad, self.side, self.blind_since, self.peak = None, 0, 0, None, 0.0
        self.recent, self.first, self.between, self.last, self.turn = [], [], [], [], []
        self.stride, self.passed = 1, 0

    def _forget(self) -> None:
        self._calm_down()
        self.opened = self.story = self.before = self.closed = None
        self.reopened = self.calm = self.level = self.moved = self.lower = self.eased = 0
        self.severity = "info"

    def _remember(self, sight: Sight) -> None:
        score = min(sight.score, MOST_SCORE)
        self.peak = max(self.peak, score)
        self.recent = [*self.recent[1 - MIDDLE_OF :], score]
        point: Point = [sight.at, *(_short(value) for value in (*sight.shown, score))]
        if len(self.first) < KEPT:
            self.first = [*self.first, point]
        else:
            if len(self.last) == KEPT:
                self._thin_out(self.last[0])
            self.last = [*self.last[1 - KEPT :], point]

    def _thin_out(self, point: Point) -> None:
        """Take in a point that lies between beginning and end."""
        if self.passed % self.stride == 0:
            self.between = [*self.between, point]
        if len(self.between) > BETWEEN:
            self.between, self.stride = self.between[::2], 2 * self.stride
        self.passed += 1

    def points(self, names: tuple[str, ...]) -> dict[str, list[float | None]]:
        """Return the kept points as lists: ``times``, ``names`` and ``scores``."""
        kept = [*self.first, *self.between, *self.last]
        return {name: [point[place] for point in kept] for place, name in enumerate(("times", *names, "scores"))}

    @property
    def latest(self) -> Point:
        """The last point."""
        return (self.last or self.first)[-1]

    @property
    def turned_at(self) -> int:
        """The first of the calm instants that the last point ends (epoch ms)."""
        return int((self.turn[1] if self.turn else self.latest)[0] or 0)


_PLAIN = {one.name: getattr(Episode(), one.name) for one in fields(Episode)}


def _patiently(patience: Patience, relapses: int) -> int:
    """Return for how many instants it must be better to be told so: the more often it was in vain, the more."""
    return patience.close_after * 2 ** min(relapses, MOST_DOUBLINGS)


def _level(score: float) -> int:
    """Return the step of a score; they double: 1, 2, 4, 8, ..."""
    return min(int(log2(score)), MOST_LEVEL) if score >= 1 else 0


def _short(value: float) -> float | None:
    return float(f"{value:.9g}") if isfinite(value) else None


def instants(length: int, interval: int) -> int:
    """Return how many instants in a row span ``length`` ms, both ends counted."""
    return 1 + -(-length // interval)
