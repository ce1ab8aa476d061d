"""One thing that is watched on its way through its instants: seen, judged by detectors, written."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

import numpy as np
import structlog

from driftband.detect.detector import Detector, States
from driftband.detect.event import Event
from driftband.detect.recording import Recorder, finding_id
from driftband.model.band import BandSettings
from driftband.model.moment import from_ms, to_ms
from driftband.model.series import Bools, Instants, Labels
from driftband.model.signal import Rule
from driftband.query.errors import QueryError
from driftband.query.watching import Seen, WatchFetch, settled
from driftband.store import watching
from driftband.store.database import Database
from driftband.store.watching import Done, Known, Progress

log = structlog.get_logger(__name__)

MOST_INSTANTS = 360
"""Instants that are evaluated at once while catching up."""
MOST_CELLS = 400_000
"""Series times instants that are evaluated at once."""
LATE_MS = 5 * 60_000
"""For so long a whole signal that ends may be late."""

Outcome = Literal["done", "waiting", "overtaken"]
Judged = tuple[dict[str, States], list[Event]]
"""States by detector, and what happened."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all is watched with. interval: ms."""

    database: Database
    fetch: WatchFetch
    detectors: Sequence[Detector]
    recorder: Recorder
    settings: BandSettings
    interval: int


S = TypeVar("S", bound=Seen)


class OneWatch(ABC, Generic[S]):
    """Knows how far something is, and what its detectors remember of it."""

    def __init__(self, rule: Rule, progress: Progress, around: Surroundings) -> None:
        self.rule, self.progress, self._around = rule, progress, around
        self._known: Known | None = None
        self._at_once = MOST_INSTANTS

    @abstractmethod
    def _see(self, instants: Instants) -> S:
        """Return what there is at ``instants``. Raises QueryError."""

    @abstractmethod
    def _first(self, seen: S, count: int) -> S:
        """Return the first ``count`` instants of what was seen."""

    @abstractmethod
    def _step(self, states: Mapping[str, States], seen: S) -> Judged:
        """Let the detectors go on from their states."""

    @abstractmethod
    def _last_seen(self, seen: S, subjects: Sequence[tuple[str, Labels]]) -> dict[tuple[str, Labels], int]:
        """Return at which instant subjects (kind and labels) last had evidence, where they had some."""

    def _with_band(self, seen: S) -> int:
        """Return of how many series it is known at the last instant what to expect."""
        return int((~np.isnan(seen.values[:, -1])).sum())

    @property
    def until(self) -> int:
        """The last instant that is done (epoch ms)."""
        return to_ms(self.progress.evaluated_until)

    def go_on(self, goal: int, now: int) -> Outcome:
        """Evaluate the next instants, none after ``goal``; ``waiting`` where they may still get samples.

        Raises:
            QueryError: where there is no evidence. Fewer instants are asked for the next time.
        """
        try:
            seen = self._see(self._instants(goal))
        except QueryError:
            self._at_once = max(self._at_once // 2, 1)
            raise
        self._at_once = min(self._at_once * 2, MOST_INSTANTS)
        count = settled(seen, self.progress.series > 0, now, LATE_MS)
        return self._judge(self._first(seen, count)) if count else "waiting"

    def _instants(self, goal: int) -> Instants:
        interval, settings = self._around.interval, self._around.settings
        first = self.until + interval
        refit = settings.refit_before(first) + settings.refit
        most = max(min(self._at_once, MOST_CELLS // max(self.progress.series, 1)), 1)
        return np.arange(first, min(goal + 1, refit, first + most * interval), interval, dtype=np.int64)

    def _judge(self, seen: S) -> Outcome:
        around, rule = self._around, self.rule
        known = self._known or watching.known_of(around.database, self.progress)
        if known is None:
            return "overtaken"
        after, events = self._step(known.states, seen)
        events.sort(key=lambda event: event.at)
        still = _still_open(rule, known.open, events)
        last = self._last_seen(seen, tuple(still)) if still else {}
        done = Done(
            rule=rule,
            was=self.progress,
            now=replace(
                self.progress,
                evaluated_until=from_ms(int(seen.times[-1])),
                series=int((~np.isnan(seen.values[:, -1])).sum()),
                judged=self._with_band(seen),
            ),
            before=known.states,
            after=after,
            events=events,
            seen={still[subject]: from_ms(at) for subject, at in last.items()},
        )
        if not watching.advance(around.database, done, around.recorder.record):
            self._known = None
            return "overtaken"
        self.progress, self._known = done.now, Known(states=after, open=still)
        _log(rule, events)
        return "done"


def last_there(times: Instants, there: Bools) -> int | None:
    """Return the last of ``times`` at which something was there."""
    found = np.flatnonzero(there)
    return int(times[found[-1]]) if len(found) else None


def _still_open(
    rule: Rule, before: Mapping[tuple[str, Labels], str], events: Sequence[Event]
) -> dict[tuple[str, Labels], str]:
    """Return the open findings after ``events``, by kind and series."""
    found = dict(before)
    for event in events:
        if event.what == "closed":
            found.pop((event.kind, event.labels), None)
        else:
            found[event.kind, event.labels] = finding_id(rule.name, event.kind, event.labels, event.opened)
    return found


def _log(rule: Rule, events: Sequence[Event]) -> None:
    if events:
        told = {what: sum(event.what == what for event in events) for what in ("opened", "worsened", "eased", "closed")}
        log.info("findings", signal=rule.name, **{what: number for what, number in told.items() if number})
