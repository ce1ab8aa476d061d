from collections.abc import Callable

import numpy as np
import pytest

from driftband.forecast import engine
from driftband.forecast.engine import Track
from driftband.model.band import DAY, HOUR, BandSettings
from driftband.model.series import Floats, History, Instants

AT = 20_000 * DAY
STEP = 300_000


@pytest.fixture
def track(make_history: Callable[..., History], season: Callable[..., Floats]) -> Track:
    history = make_history(season(15, series=2), 14 * 288)
    fit = engine.fit(history, AT, BandSettings(), "seasonal")
    return engine.follow(fit, history, AT + DAY, 0.99)


def seconds(
    track: Track, origins: Instants, limit: float, now: int = AT + DAY, *, against_band: bool = False
) -> Floats:
    return engine.time_to_breach(track, origins, now, np.full(len(origins), limit), against_band=against_band)


def test_it_says_when_the_season_will_cross(track: Track) -> None:
    # 100 + 20 sin: from 06:00 the season falls and reaches 90 at 14:00.
    found = seconds(track, np.array([AT + 6 * HOUR]), 90.0)
    np.testing.assert_allclose(found, 8 * 3600, atol=1200)


def test_from_below_it_rises_to_the_limit(track: Track) -> None:
    found = seconds(track, np.array([AT + 18 * HOUR]), 110.0)
    np.testing.assert_allclose(found, 8 * 3600, atol=1200)


def test_without_noise_it_is_right_to_two_steps(make_history: Callable[..., History]) -> None:
    history = make_history(50 - 40 * np.cos(2 * np.pi * np.arange(15 * 288) / 288)[None], 14 * 288)
    fit = engine.fit(history, AT, BandSettings(), "seasonal")
    found = seconds(engine.follow(fit, history, AT + HOUR, 0.99), np.array([AT + HOUR]), 50.0, AT + HOUR)
    np.testing.assert_allclose(found, 5 * 3600, atol=600)


@pytest.mark.parametrize("hour", [1, 13, 22])
@pytest.mark.parametrize("noise", [0.01, 0.2])
def test_a_disk_that_fills_steadily_is_full_when_it_will_be(
    make_history: Callable[..., History], hour: int, noise: float
) -> None:
    days = np.arange(15 * 288) / 288
    values = 40 + 5 * days + np.random.default_rng(0).normal(0, noise, days.shape)
    history = make_history(values[None], 14 * 288)
    now = AT + hour * HOUR
    filling = engine.follow(engine.fit(history, AT, BandSettings(), "seasonal"), history, now, 0.99)
    limit = 40 + 5 * (14 + (hour + 10) / 24)
    np.testing.assert_allclose(seconds(filling, np.array([now]), limit, now), 10 * 3600, rtol=0.1)


def test_beyond_every_forecast_is_never(track: Track) -> None:
    assert np.isinf(seconds(track, np.array([AT, AT + HOUR]), 1e6)).all()


def test_against_the_band_is_sooner_and_agrees_with_what_is_drawn(track: Track) -> None:
    origins = AT + STEP * np.arange(288)
    middle, band = seconds(track, origins, 110.0), seconds(track, origins, 110.0, against_band=True)
    assert (band <= middle).all()
    drawn = engine.bands(track, origins, AT + DAY)
    holds = (drawn.lower <= 110) & (drawn.upper >= 110)
    assert ((band == 0) == holds).all()


def test_an_origin_in_the_future_sees_the_forecast_of_now(track: Track) -> None:
    now = AT + 6 * HOUR
    first, later = seconds(track, np.array([now, now + HOUR]), 90.0, now)[0]
    assert first - later == pytest.approx(3600)


def test_the_forecast_ends_at_the_horizon(track: Track) -> None:
    now = AT + 6 * HOUR
    # 90 is reached eight hours after now; an origin after that looks for the way up again, 12 hours later.
    found = seconds(track, np.array([now + 10 * HOUR, now + 25 * HOUR]), 95.0, now)
    assert (found[:, 0] > 5 * 3600).all()
    assert np.isnan(found[:, 1]).all()


def test_no_limit_no_answer(track: Track) -> None:
    assert np.isnan(seconds(track, np.array([AT]), np.nan)).all()
