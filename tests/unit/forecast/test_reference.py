"""A slow failure must not teach the band to accept it."""

from collections.abc import Callable

import numpy as np
import pytest

from driftband.forecast.reference import make_reference
from driftband.model.band import DAY, Band, BandSettings
from driftband.model.series import Floats, History

SIGMA = 1.0


def after(history: History, daily_fits: Callable[..., Band], first: int, last: int) -> Floats:
    """Return the scores on the days ``first`` to ``last`` after the onset of what ``history`` shows."""
    band = daily_fits(history, first, last, BandSettings())
    return band.score(history.between(20_000 * DAY + first * DAY, 20_000 * DAY + last * DAY).values)


def departing(season: Callable[..., Floats], course: Callable[[Floats], Floats]) -> Floats:
    """Four seasonal series of 30 days; from day 16 on, ``course(days since)`` is added."""
    values = season(30, series=4, seed=11)
    since = np.arange(14 * 288) / 288
    values[:, 16 * 288 :] += course(since)
    return values


@pytest.mark.parametrize(
    ("course", "accepted"),
    [
        (lambda _: 6 * SIGMA, 9),
        (lambda _: -6 * SIGMA, 9),
        (lambda _: 12 * SIGMA, 9),
        (lambda since: 8 * SIGMA * np.minimum(since / 3, 1), 9),
        (lambda since: 15 * SIGMA * np.minimum(since / 3, 1), 10),
    ],
    ids=["shift up", "shift down", "far shift up", "ramp of three days", "steep ramp of three days"],
)
def test_a_departure_stays_visible_until_it_is_accepted(
    make_history: Callable[..., History],
    season: Callable[..., Floats],
    daily_fits: Callable[..., Band],
    course: Callable[[Floats], Floats],
    accepted: int,
) -> None:
    history = make_history(departing(season, course), 16 * 288)
    side = np.sign(course(np.array([9.0])))
    assert (side * after(history, daily_fits, 5, 6) >= 1).mean() > 0.9
    assert (side * after(history, daily_fits, 6, 7) >= 1).mean(axis=1).min() > 0.9
    assert (np.abs(after(history, daily_fits, accepted, accepted + 1)) >= 1).mean() < 0.05


def test_a_departure_that_ends_is_over_at_once(
    make_history: Callable[..., History], season: Callable[..., Floats], daily_fits: Callable[..., Band]
) -> None:
    history = make_history(departing(season, lambda since: np.where(since < 1.5, 6 * SIGMA, 0.0)), 16 * 288)
    score = np.abs(after(history, daily_fits, 1, 3))
    assert (score[:, :144] >= 1).mean() > 0.9
    assert (score[:, 150:] >= 1).mean() < 0.02


@pytest.mark.parametrize("pattern", ["plain", "weekend", "trend", "autocorrelated", "wandering"])
def test_false_departures_are_rare(
    make_history: Callable[..., History], season: Callable[..., Floats], daily_fits: Callable[..., Band], pattern: str
) -> None:
    values = season(24, series=8, seed=12)
    day = np.arange(24 * 288) / 288
    rng = np.random.default_rng(13)
    if pattern == "weekend":
        values -= np.where(day.astype(int) % 7 >= 5, 15 + 10 * np.sin(2 * np.pi * day), 0)
    elif pattern == "trend":
        values += 0.3 * day
    elif pattern == "autocorrelated":
        noise = rng.normal(0, 0.3, values.shape)
        for place in range(1, noise.shape[1]):
            noise[:, place] += 0.95 * noise[:, place - 1]
        values += noise
    elif pattern == "wandering":
        values = 1000 + rng.normal(0, 1, values.shape).cumsum(axis=1)
    history = make_history(values, 16 * 288)
    assert (np.abs(after(history, daily_fits, 0, 8)) >= 1).mean() < (0.1 if pattern == "wandering" else 0.02)


@pytest.mark.parametrize(("days", "patience"), [(14, 7), (7, 7), (3, 7), (1, 7), (28, 2), (14, 10)])
def test_any_length_of_history_has_a_reference(days: int, patience: int) -> None:
    values = 10 + np.random.default_rng(14).normal(0, 1, (2, days, 48))
    reference = make_reference(values, 3, patience * DAY, np.full(2, 1e-6))
    lower, middle, upper = reference.band(0.99, np.arange(4 * 48))
    assert lower.shape == (2, 4 * 48)
    assert (lower < middle).all()
    assert (middle < upper).all()
    assert np.abs(middle - 10).mean() < 1
