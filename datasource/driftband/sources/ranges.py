"""Answers to range queries, of which what can still change is asked for again and nothing else.

What is older than ``SETTLE`` does not change any more, but for what is filled in later, which shows after ``LIFETIME``: the
same as for histories. An answer with a warning may be a part of one, and is not kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from driftband.model.series import Frame
from driftband.query.fetch import Answer
from driftband.query.memory import Memory
from driftband.sources.asking import Ask
from driftband.sources.history import LIFETIME, SETTLE

Fetch = Callable[[Ask, str, int, int, int], Answer]
Key = tuple[tuple[tuple[str, str], ...], str, int, int]

_OF_ITS_RANGE = re.compile(r"\b(start|end|range)\s*\(\s*\)")
"""What makes a value at one instant depend on where the range begins or ends."""


@dataclass(frozen=True)
class _Kept:
    answer: Answer
    born_at: int


class RangeCache:
    """Answers in bounded memory; safe for many threads.

    fetch: asks the source for the instants ``start``, ``start + step``, ... up to ``end``. capacity: bytes.
    """

    def __init__(self, fetch: Fetch, capacity: int) -> None:
        self._fetch = fetch
        self._memory = Memory[Key, _Kept](capacity)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._memory.size

    def read(self, ask: Ask, text: str, start: int, end: int, step: int, now: int) -> Answer:
        """Answer a range query as of ``now`` (epoch ms); ``ask``'s own headers share nothing with those of others."""
        if _OF_ITS_RANGE.search(text):
            return self._fetch(ask, text, start, end, step)
        key = (ask.headers, text, step, start % step)
        last = end - (end - start) % step
        known = self._known(key, start, step, now)
        if known is None:
            whole, born_at = self._fetch(ask, text, start, last, step), now
        else:
            whole, born_at = known.answer, known.born_at
            after = int(whole.frame.times[-1]) + step
            if after <= last:
                whole = _joined(whole, self._fetch(ask, text, after, last, step))
        settled = _between(whole, int(whole.frame.times[0]), now - SETTLE)
        if len(settled.frame.times) and not settled.warnings:
            self._memory.keep(key, _Kept(settled, born_at), weight(settled))
        return _between(whole, start, last)

    def _known(self, key: Key, start: int, step: int, now: int) -> _Kept | None:
        """Return what is kept, where it reaches from ``start`` or before to ``start`` or after."""
        kept = self._memory.get(key)
        if kept is None or now - kept.born_at > LIFETIME:
            return None
        times = kept.answer.frame.times
        return kept if times[0] <= start <= times[-1] + step else None


def weight(answer: Answer) -> int:
    """Return the bytes that an answer holds, about."""
    frame = answer.frame
    return frame.values.nbytes + frame.present.nbytes + 500 * len(frame.labels) + 1000


def _between(answer: Answer, start: int, end: int) -> Answer:
    """Return what an answer has of ``[start, end]``, without the series that are not there."""
    frame = answer.frame
    first, after = (int(place) for place in np.searchsorted(frame.times, (start, end + 1)))
    if (first, after) == (0, len(frame.times)):
        return answer
    values, present = frame.values[:, first:after], frame.present[:, first:after]
    rows = np.flatnonzero(present.any(axis=1))
    labels = tuple(frame.labels[row] for row in rows)
    cut = Frame(frame.times[first:after], labels, values[rows], present[rows])
    return Answer(cut, answer.scalar, answer.warnings, answer.infos)


def _joined(before: Answer, after: Answer) -> Answer:
    """Put two answers together, of which the second begins where the first ends."""
    one, two = before.frame, after.frame
    labels = tuple(dict.fromkeys((*one.labels, *two.labels)))
    index = {known: row for row, known in enumerate(labels)}
    times = np.concatenate([one.times, two.times])
    values, present = np.full((len(labels), len(times)), np.nan), np.zeros((len(labels), len(times)), dtype=np.bool_)
    for frame, place in ((one, slice(None, len(one.times))), (two, slice(len(one.times), None))):
        rows = [index[known] for known in frame.labels]
        values[rows, place], present[rows, place] = frame.values, frame.present
    return Answer(
        Frame(times, labels, values, present),
        after.scalar,
        tuple(dict.fromkeys((*before.warnings, *after.warnings))),
        tuple(dict.fromkeys((*before.infos, *after.infos))),
    )
