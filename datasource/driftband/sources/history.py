"""The history of operands on the fixed grid: fetched once, kept in bounded memory, extended by its tail only.

It is kept in blocks of equal length for each operand. What is younger than ``SETTLE`` may still grow at the source (late
samples, remote write) and is asked for again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from driftband.model.series import Floats, History, Labels
from driftband.query.memory import Memory
from driftband.sources.asking import Ask

SETTLE = 10 * 60_000
REUSE = 10_000
"""For how long an answer about the last minutes serves all panels that want the same (ms)."""
LIFETIME = 6 * 3_600_000
"""After this a block is fetched anew (ms), so that data filled in later at the source come through."""
BLOCK = 288
"""Grid points in a block: a day, at the default step."""

Fetch = Callable[[Ask, str, int, int, int], History]
Key = tuple[tuple[tuple[str, str], ...], str]


@dataclass
class _Block:
    history: History
    settled: int
    """Up to this instant (epoch ms) nothing has to be asked for again."""
    seen: int
    fetched_at: int
    born_at: int
    size: int = field(init=False)

    def __post_init__(self) -> None:
        labels = sum(len(k) + len(v) + 120 for labels in self.history.labels for k, v in labels)
        self.size = self.history.values.nbytes + labels + 1000


class HistoryCache:
    """Histories in bounded memory; safe for many threads.

    fetch: asks the source for ``[start, end)`` of an operand. capacity: bytes. observe: told "hit" or "miss".
    """

    def __init__(self, fetch: Fetch, step: int, capacity: int, observe: Callable[[str], None]) -> None:
        self._fetch = fetch
        self._step = step
        self._length = BLOCK * step
        self._observe = observe
        self._blocks = Memory[tuple[Key, int], _Block](capacity)
        self._lock = threading.Lock()
        self._flights: dict[Key, tuple[threading.Lock, int]] = {}

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._blocks.size

    def covers(self, ask: Ask, text: str, start: int) -> bool:
        """Whether the block around ``start`` is there, so that a read is unlikely to be long."""
        return ((ask.headers, text), start - start % self._length) in self._blocks

    def read(self, ask: Ask, text: str, start: int, end: int, now: int) -> History:
        """Return the operand on the grid ``[start, end)``, as known at ``now`` (all epoch ms).

        Several threads that want the same operand wait for one fetch.
        """
        key = (ask.headers, text)
        end = min(end, now + 1)
        last = max(-(-end // self._step) * self._step, start)
        with self._flight(key, ask):
            blocks = self._known(key, start, last, now)
            missing = list(self._missing(blocks, start, last, now))
            self._observe("miss" if missing else "hit")
            for first, after in missing:
                fresh = self._cut(blocks, self._fetch(ask, text, first, after, self._step), now)
                for block_start, block in fresh.items():
                    self._blocks.keep((key, block_start), block, block.size)
                blocks.update(fresh)
            return _assemble(blocks, -(-start // self._step) * self._step, last, self._step)

    def _known(self, key: Key, start: int, last: int, now: int) -> dict[int, _Block]:
        known = {}
        for block_start in range(start - start % self._length, last, self._length):
            block = self._blocks.get((key, block_start))
            if block is not None and now - block.born_at <= LIFETIME:
                known[block_start] = block
        return known

    @contextmanager
    def _flight(self, key: Key, ask: Ask) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._flights.get(key, (threading.Lock(), 0))
            self._flights[key] = (lock, waiting + 1)
        try:
            if not lock.acquire(timeout=ask.left()):
                ask.left()
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._lock:
                lock, waiting = self._flights.pop(key)
                if waiting > 1:
                    self._flights[key] = (lock, waiting - 1)

    def _missing(self, blocks: dict[int, _Block], start: int, last: int, now: int) -> Iterator[tuple[int, int]]:
        """Yield what must be fetched, runs of blocks at a time."""
        run: tuple[int, int] | None = None
        for block_start in range(start - start % self._length, last, self._length):
            need = min(block_start + self._length, last)
            block = blocks.get(block_start)
            known = block_start
            if block is not None:
                known = block.seen if now - block.fetched_at < REUSE else block.settled
            if known >= need:
                continue
            if run is not None and run[1] != known:
                yield run
                run = None
            run = (run[0] if run is not None else known, need)
        if run is not None:
            yield run

    def _cut(self, blocks: dict[int, _Block], fetched: History, now: int) -> dict[int, _Block]:
        """Cut what was fetched into blocks, each with what its older self knew of before."""
        fresh = {}
        for block_start in range(fetched.start - fetched.start % self._length, fetched.end, self._length):
            block_end = min(block_start + self._length, fetched.end)
            part = fetched.between(max(block_start, fetched.start), block_end)
            old = blocks.get(block_start) if part.start > block_start else None
            history = (
                part
                if old is None
                else _joined([old.history.between(block_start, part.start), part], block_start, block_end)
            )
            settled = max(block_start, min(block_end, now - SETTLE) // self._step * self._step)
            fresh[block_start] = _Block(
                _without_empty(history),
                settled=settled,
                seen=block_end,
                fetched_at=now,
                born_at=now if old is None else old.born_at,
            )
        return fresh


def _assemble(blocks: dict[int, _Block], start: int, end: int, step: int) -> History:
    parts = [blocks[block_start].history for block_start in sorted(blocks)]
    return _joined(parts, start, end) if parts else History(start, step, (), np.empty((0, (end - start) // step)))


def _joined(parts: list[History], start: int, end: int) -> History:
    """Put histories of the same grid side by side, on ``[start, end)``."""
    step = parts[0].step
    labels = tuple(sorted({labels for part in parts for labels in part.labels}))
    index = {known: i for i, known in enumerate(labels)}
    values = np.full((len(labels), (end - start) // step), np.nan)
    for part in parts:
        _copy(part, values, start // step, step, index)
    return History(start, step, labels, values)


def _copy(part: History, values: Floats, first: int, step: int, index: dict[Labels, int]) -> None:
    offset = part.start // step - first
    low, high = max(offset, 0), min(offset + part.values.shape[1], values.shape[1])
    if low < high and part.labels:
        values[[index[labels] for labels in part.labels], low:high] = part.values[:, low - offset : high - offset]


def _without_empty(history: History) -> History:
    alive = ~np.all(np.isnan(history.values), axis=1)
    if alive.all():
        return history
    labels = tuple(labels for labels, keep in zip(history.labels, alive, strict=True) if keep)
    return History(history.start, history.step, labels, history.values[alive])
