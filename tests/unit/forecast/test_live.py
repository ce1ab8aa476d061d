from collections.abc import Callable

import numpy as np

from driftband.forecast import live
from driftband.model.band import Band, BandSettings
from driftband.model.series import Floats, History


def test_a_level_shift_is_followed_within_the_hour(
    make_history: Callable[..., History], season: Callable[..., Floats], daily_fits: Callable[..., Band]
) -> None:
    values = season(15)
    values[:, 14 * 288 + 144 :] += 15
    band = daily_fits(make_history(values, 14 * 288), 0, 1, BandSettings())
    score = np.abs(band.score(values[:, -288:]))[0]
    assert (score[144:147] >= 1).all()
    drawn = (values[0, -288:] >= band.lower[0]) & (values[0, -288:] <= band.upper[0])
    assert drawn[156:].mean() > 0.97


def test_a_spike_does_not_widen_the_band(
    make_history: Callable[..., History], season: Callable[..., Floats], daily_fits: Callable[..., Band]
) -> None:
    values = season(15)
    spiked = values.copy()
    spiked[:, 14 * 288 + 144] += 500
    plain, after = (daily_fits(make_history(v, 14 * 288), 0, 1, BandSettings()) for v in (values, spiked))
    assert abs(after.score(spiked[:, -288:])[0, 144]) > 10
    width, wider = ((band.upper - band.lower)[0, 145:] for band in (plain, after))
    assert (wider < 1.5 * width).all()
    np.testing.assert_allclose(after.expected[0, 150:], plain.expected[0, 150:], atol=2)


def test_rougher_hours_widen_the_band_and_calm_ones_narrow_it_again(
    make_history: Callable[..., History], season: Callable[..., Floats], daily_fits: Callable[..., Band]
) -> None:
    values = season(15)
    rough = slice(14 * 288 + 72, 14 * 288 + 144)
    values[:, rough] += np.random.default_rng(9).normal(0, 4, (1, 72))
    band = daily_fits(make_history(values, 14 * 288), 0, 1, BandSettings())
    width = (band.upper - band.lower)[0]
    inside = (values[0, -288:] >= band.lower[0]) & (values[0, -288:] <= band.upper[0])
    assert width[100:144].mean() > 1.7 * width[:72].mean()
    assert inside[84:144].mean() > 0.9
    assert width[200:].mean() < 1.2 * width[:72].mean()


def test_the_corrections_of_a_steady_error_are_that_error() -> None:
    errors = np.full((1, 100), 3.0)
    found = live.candidates(errors, live.typical_errors(errors), np.array([1.0]))
    assert found.shape == (1, live.CANDIDATES, 101)
    np.testing.assert_allclose(found[0, 1:, 1:], 3.0)
    assert (found[0, 0] == 0).all()
    assert (found[0, :, 0] == 0).all()


def test_the_band_carries_on_over_a_refit(
    make_history: Callable[..., History], season: Callable[..., Floats], daily_fits: Callable[..., Band]
) -> None:
    values = season(17, series=4)
    band = daily_fits(make_history(values, 15 * 288), 0, 2, BandSettings())
    middle = band.expected - values[:, -2 * 288 :]
    width = band.upper - band.lower
    assert (np.abs(np.diff(width, axis=1))[:, 284:292] < 0.3 * width[:, 284:291].mean()).all()
    assert np.abs(middle[:, 280:296]).mean() < 1.3
