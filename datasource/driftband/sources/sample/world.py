"""The sample world as a store of samples: three weeks of a shop's telemetry up to now, made when it is read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from driftband.model.samples import Metric, Samples
from driftband.model.series import Bools, Floats, Labels
from driftband.sources.sample.catalog import METRICS, groups
from driftband.sources.sample.openmetrics import exposition
from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import DAY_MINUTES, MINUTE, day_minutes

DAY = DAY_MINUTES * MINUTE
HISTORY_DAYS = 21

# The readable days, and before them as many as a counter may go back to its restart.
_KEPT_DAYS = HISTORY_DAYS + 10


@dataclass(frozen=True, eq=False)
class _Day:
    """One day of a group.

    levels: (n, 1440); counters count from midnight or their last restart. shown: (1440,), where there are samples.
    goes_on: how many of the first minutes still go on from the day before.
    """

    levels: Floats
    shown: Bools
    goes_on: int


class World:
    """A store with the same value at the same instant, whoever asks and whenever.

    now: the wall clock (epoch ms). It bounds what can be read: from midnight UTC 21 days before its day, so always at
    least three weeks, up to and with now. Beyond that it only places the scripted stories, once, when the world is made
    (see ``script``): the past of a world does not change while it is read. Worlds made at different times agree but for
    the two stories, and the counters these touch until both worlds restart them at the same time.

    script: the stories of a world made before, which this one then goes on with.

    Days are drawn when they are first read and kept; safe to be read by several threads.
    """

    def __init__(self, now: Callable[[], int], script: Script | None = None) -> None:
        self._now = now
        self.script = script or Script.at(now())
        self._groups = groups()
        self._places = {
            labels: (number, row)
            for number, group in enumerate(self._groups)
            for row, labels in enumerate(group.labels)
        }
        size = len(self._groups) * _KEPT_DAYS
        self._drawn = lru_cache(maxsize=size)(self._draw)
        self._carried = lru_cache(maxsize=size)(self._carry)

    def metrics(self) -> Mapping[str, Metric]:
        """Return the metric families by name."""
        return METRICS

    def series(self) -> Sequence[Labels]:
        """Return all label sets, sorted."""
        return sorted(self._places)

    def readable(self) -> tuple[int, int]:
        """Return the first and last instant that can be read at present (epoch ms)."""
        now = self._now()
        return (now // DAY - HISTORY_DAYS) * DAY, now

    def read(self, labels: Sequence[Labels], start: int, end: int) -> Sequence[Samples]:
        """Return the samples with ``start <= t <= end`` (epoch ms) of each of ``labels``; empty for an unknown one."""
        first, last = self.readable()
        start, end = max(start, first), min(end, last)
        return [self._read(one, start, end) for one in labels]

    def openmetrics(self, start: int, end: int) -> Iterator[str]:
        """Write the samples with ``start <= t <= end`` (epoch ms) as OpenMetrics text, in pieces of whole lines."""
        first, last = self.readable()
        return exposition(self, max(start, first), min(end, last))

    def _read(self, labels: Labels, start: int, end: int) -> Samples:
        if labels not in self._places or start > end:
            return Samples(labels, np.empty(0, dtype=np.int64), np.empty(0))
        number, row = self._places[labels]
        days = range(start // DAY, end // DAY + 1)
        drawn = [self._drawn(number, day) for day in days]
        values = np.concatenate([one.levels[row] for one in drawn])
        for nth, (day, one) in enumerate(zip(days, drawn, strict=True)):
            begin = nth * DAY_MINUTES
            values[begin : begin + one.goes_on] += self._carried(number, day)[row]
        times = np.concatenate([day_minutes(day) for day in days]) * MINUTE + self._groups[number].target.offset
        chosen = np.concatenate([one.shown for one in drawn]) & (times >= start) & (times <= end)
        return Samples(labels, times[chosen], values[chosen])

    def _draw(self, number: int, day: int) -> _Day:
        group = self._groups[number]
        levels = group.draw(day, self.script)
        shown = group.shown(day, self.script)
        if not group.counter:
            return _Day(levels, shown, goes_on=0)
        counted = np.cumsum(levels, axis=1)
        restarts = [restart - day * DAY_MINUTES for restart in group.restarts(day, self.script)]
        for restart in restarts:
            counted[:, restart:] = np.cumsum(levels[:, restart:], axis=1)
        return _Day(counted, shown, goes_on=restarts[0] if restarts else DAY_MINUTES)

    def _carry(self, number: int, day: int) -> Floats:
        """Return what the counters of a group stand at when ``day`` begins: at most a week or so is looked at."""
        total = np.zeros(len(self._groups[number].labels))
        restarted = not self._groups[number].counter
        while not restarted:
            day -= 1
            before = self._drawn(number, day)
            total += before.levels[:, -1]
            restarted = before.goes_on < DAY_MINUTES
        return total
