from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from driftband.forecast import engine
from driftband.model.band import DAY, Band, BandSettings
from driftband.model.series import Floats, History

AT = 20_000 * DAY
"""A refit on a Thursday."""

Make = Callable[..., History]
Season = Callable[..., Floats]
Days = Callable[..., Band]


@pytest.fixture
def make_history() -> Make:
    """Lay (n, T) values on the grid so that ``before`` of them come before AT."""

    def make(values: Floats, before: int, step: int = 300_000) -> History:
        labels = tuple((("series", str(number)),) for number in range(len(values)))
        return History(AT - before * step, step, labels, np.asarray(values, dtype=np.float64))

    return make


@pytest.fixture
def season() -> Season:
    """A daily season of amplitude 20 around 100 with unit noise, (n, days * per_day)."""

    def make(days: int, series: int = 1, per_day: int = 288, seed: int = 0) -> Floats:
        day = np.arange(days * per_day) / per_day
        noise = np.random.default_rng(seed).normal(0, 1, (series, days * per_day))
        return 100 + 20 * np.sin(2 * np.pi * day) + noise

    return make


@pytest.fixture
def daily_fits() -> Days:
    """Band of the days ``first`` to ``last`` after AT, each from its own fit, as a service with daily refits draws it."""

    def run(history: History, first: int, last: int, settings: BandSettings) -> Band:
        parts = []
        for day in range(first, last):
            at = AT + day * DAY
            fit = engine.fit(history, at, settings, "seasonal")
            track = engine.follow(fit, history, at + DAY, settings.level)
            parts.append(engine.bands(track, np.arange(at, at + DAY, history.step), at + DAY))
        return Band(**{f.name: np.concatenate([getattr(part, f.name) for part in parts], axis=1) for f in fields(Band)})

    return run
