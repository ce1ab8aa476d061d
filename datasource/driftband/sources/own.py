"""What the service tells of itself, kept beside the samples of a source in this process: nobody scrapes the demo."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from driftband.model.samples import Metric, Samples, SampleStore
from driftband.model.series import Labels

KEPT = 2_000
"""Samples of a series that are kept: about eight hours at one each fifteen seconds."""

Told = Callable[[], Iterable[tuple[Labels, float]]]


class OwnSamples:
    """The service's own metrics as they were at the last ``KEPT`` takings; safe to be read while one is taken."""

    def __init__(self, tell: Told) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._taken: dict[Labels, deque[tuple[int, float]]] = {}

    def take(self, now: int) -> None:
        """Take a sample of everything that is told, at ``now`` (epoch ms)."""
        told = list(self._tell())
        with self._lock:
            for labels, value in told:
                self._taken.setdefault(labels, deque(maxlen=KEPT)).append((now, value))

    def series(self) -> list[Labels]:
        """Return all label sets."""
        with self._lock:
            return list(self._taken)

    def read(self, labels: Labels, start: int, end: int) -> Samples:
        """Return the samples of a series within ``[start, end]`` (epoch ms)."""
        with self._lock:
            taken = [(at, value) for at, value in self._taken.get(labels, ()) if start <= at <= end]
        times = np.array([at for at, _ in taken], dtype=np.int64)
        return Samples(labels, times, np.array([value for _, value in taken], dtype=np.float64))


class WithOwn:
    """A store of samples, and the service's own beside them."""

    def __init__(self, store: SampleStore, own: OwnSamples, metrics: Mapping[str, Metric]) -> None:
        self._store, self._own, self._metrics = store, own, metrics

    def metrics(self) -> Mapping[str, Metric]:
        """Return the metric families of both."""
        return {**self._store.metrics(), **self._metrics}

    def series(self) -> Sequence[Labels]:
        """Return the label sets of both."""
        return [*self._store.series(), *self._own.series()]

    def read(self, labels: Sequence[Labels], start: int, end: int) -> Sequence[Samples]:
        """Return the samples within ``[start, end]`` (epoch ms), from whichever of the two has them."""
        own = set(self._own.series())
        rest = iter(self._store.read([one for one in labels if one not in own], start, end))
        return [self._own.read(one, start, end) if one in own else next(rest) for one in labels]
