"""Fits and tracks, remembered by the content that they were made of.

A fit is a pure function of its history, so the content's digest is the key: nothing has to be invalidated, and a source
whose past has changed gets a new fit.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from driftband.forecast import engine
from driftband.forecast.engine import Fit, Track
from driftband.model.band import BandSettings
from driftband.model.series import History
from driftband.query.memory import Memory

SLOW_MODELS = ("prophet",)
PATIENCE = 2.0
"""Seconds that a query waits for a slow model before it answers without a band and says so."""


Key = tuple[Any, ...]


class Fitter:
    """Fits models and follows them, each once. Safe for many threads; ``capacity`` in bytes, ``patience`` in seconds.

    timed: makes the fit that it is given, of the model that it is told, so that the caller's clock can measure it.
    """

    def __init__(
        self,
        settings: BandSettings,
        capacity: int,
        timed: Callable[[str, Callable[[], Fit]], Fit],
        patience: float = PATIENCE,
    ) -> None:
        self._settings = settings
        self._timed = timed
        self._patience = patience
        self._memory = Memory[Key, Any](capacity)
        self._lock = threading.Lock()
        # One at a time: a slow model must not take the cores that answer queries.
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fit")
        self._pending: dict[Key, Future[Fit]] = {}

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._memory.size

    def fits(self, history: History, instants: Iterable[int], model: str) -> Iterator[Fit | None]:
        """Yield the fit of ``model`` at each of ``instants`` on what ``history`` has before it.

        A slow one is None while it is still being made; all of them together are waited for no longer than ``patience``.
        """
        if model not in SLOW_MODELS:
            for at in instants:
                key, make = self._job(history, at, model)
                yield self._memory.get(key) or make()
            return
        jobs = [self._job(history, at, model) for at in instants]
        # The latest first: that is where people look.
        made = [self._memory.get(key) or self._in_background(key, make) for key, make in reversed(jobs)]
        wait([one for one in made if isinstance(one, Future)], self._patience)
        for one in reversed(made):
            if isinstance(one, Future):
                yield one.result() if one.done() else None
            else:
                yield one

    def follow(self, fit: Fit, history: History, until: int, level: float, model: str) -> Track:
        """Follow a fit through what ``history`` has up to ``until``; remembered once the fit's time is over."""
        recent = history.between(fit.at - self._settings.history, min(until, fit.at + self._settings.refit))
        if until < fit.at + self._settings.refit:
            return engine.follow(fit, recent, until, level)
        key = ("track", model, fit.at, level, recent.labels, _digest(recent))
        known = self._memory.get(key)
        if known is None:
            known = engine.follow(fit, recent, until, level)
            self._memory.keep(key, known, _weight(recent))
        return known

    def close(self) -> None:
        """Give up what is still being fitted."""
        self._background.shutdown(wait=False, cancel_futures=True)

    def _job(self, history: History, at: int, model: str) -> tuple[Key, Callable[[], Fit]]:
        window = history.between(at - self._settings.history, at)
        key = ("fit", model, at, window.labels, _digest(window))

        def make() -> Fit:
            fit = self._timed(model, lambda: engine.fit(window, at, self._settings, model))
            self._memory.keep(key, fit, _weight(window))
            return fit

        return key, make

    def _in_background(self, key: Key, make: Callable[[], Fit]) -> Future[Fit]:
        with self._lock:
            future = self._pending.get(key)
            if future is None:
                future = self._pending[key] = self._background.submit(make)
                future.add_done_callback(lambda _: self._pending.pop(key, None))
        return future


def _digest(history: History) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(history.values).data).digest()  # which processors have instructions for


def _weight(history: History) -> int:
    """Estimate the bytes that a fit or a track of this history holds: some dozens of KB a series, and the labels."""
    return 40_000 * len(history.labels) + 200 * sum(len(labels) for labels in history.labels) + 1000
