"""A source as the watcher sees it: patient, and in pieces that a server can answer however many series there are."""

import time
from dataclasses import dataclass

import numpy as np

from driftband.model.series import History, Labels
from driftband.query.errors import QueryError
from driftband.query.fetch import Answer
from driftband.sources.asking import Ask, Source
from driftband.sources.history import HistoryCache

MOST_SAMPLES = 1_500_000
"""Samples of a history that are asked for at once: some forty megabytes."""
FEWEST_POINTS = 12
ALIVE_WITHIN = 3.0
"""Seconds in which a source that is there answers the simplest question."""


@dataclass(frozen=True)
class WatchedSource:
    """The fetch that the watcher is handed. step: of the bands' grid (ms). within: seconds for each request.

    cache: where histories of up to ``shared`` series are kept, so that the source is asked once for watching and queries.
    """

    source: Source
    step: int
    within: float
    cache: HistoryCache | None = None
    shared: int = 0

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query."""
        return self.source.range(self._ask(), text, start, end, step)

    def history(self, text: str, start: int, end: int) -> History:
        """Answer on the grid ``[start, end)``."""
        count = self.source.instant(self._ask(), f"count({text}\n)", end - self.step).frame.values
        series = max(int(count[0, 0]) if count.size else 1, 1)
        if self.cache is not None and series <= self.shared:
            return self.cache.read(self._ask(), text, start, end, time.time_ns() // 1_000_000)
        length = max(MOST_SAMPLES // series, FEWEST_POINTS) * self.step
        pieces = [
            self.source.history(self._ask(), text, first, min(first + length, end), self.step)
            for first in range(start, end, length)
        ]
        return pieces[0] if len(pieces) == 1 else _joined(pieces, start, end, self.step)

    def is_there(self, now: int) -> bool:
        """Whether the source answers at all."""
        try:
            self.source.instant(Ask(time.monotonic() + ALIVE_WITHIN), "1+1", now)
        except QueryError:
            return False
        return True

    def _ask(self) -> Ask:
        return Ask(time.monotonic() + self.within)


def _joined(pieces: list[History], start: int, end: int, step: int) -> History:
    index: dict[Labels, int] = {}
    for piece in pieces:
        for labels in piece.labels:
            index.setdefault(labels, len(index))
    values = np.full((len(index), (end - start) // step), np.nan)
    for piece in pieces:
        if piece.labels:
            first = (piece.start - start) // step
            rows = [index[labels] for labels in piece.labels]
            values[rows, first : first + piece.values.shape[1]] = piece.values
    return History(start, step, tuple(index), values)
