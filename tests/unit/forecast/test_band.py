"""What a band must be for whatever a series does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftband.forecast import engine
from driftband.model.band import DAY, HOUR, Band, BandSettings
from driftband.model.series import Floats, History

AT = 20_000 * DAY
STEP = 300_000
MINUTE = 60_000

few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def draw(values: Floats, bands: BandSettings, before: int, days: int = 1) -> Band:
    """Band of ``days`` after AT on the grid, all but the first in the future; ``before`` of the (n, T) values come
    before AT.
    """
    labels = tuple((("series", str(number)),) for number in range(len(values)))
    history = History(AT - before * bands.step, bands.step, labels, values)
    fit = engine.fit(history, AT, bands, "seasonal")
    track = engine.follow(fit, history, AT + DAY, bands.level)
    return engine.bands(track, np.arange(AT, AT + days * DAY, bands.step), AT + DAY)


def seasons(seed: int) -> Floats:
    """Three daily seasons of 15 days with noise, the last one with 300 gaps."""
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(15 * 288) / 288
    values = np.array([50 + 20 * np.sin(phase + row) + rng.normal(0, 2, 15 * 288) for row in range(3)])
    values[-1][rng.integers(0, 15 * 288, 300)] = np.nan
    return values


@few
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-9, 1.0, 1e15]),
    season=st.sampled_from([0.0, 3.0]),
    gaps=st.floats(0, 0.4),
    zeros=st.sampled_from([0.0, 0.5, 0.93, 0.995]),
    level=st.floats(0.5, 0.9999),
)
def test_lower_expected_upper_in_order_finite_and_not_below_zero(
    seed: int, scale: float, season: float, gaps: float, zeros: float, level: float
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.gamma(1.0, 1.0, (2, 15 * 48)) + season * (1 + np.sin(2 * np.pi * np.arange(15 * 48) / 48))
    values *= scale
    values[rng.random(values.shape) < zeros] = 0.0
    values[rng.random(values.shape) < gaps] = np.nan
    band = draw(values, replace(BandSettings(), step=DAY // 48, level=level), 14 * 48, days=2)
    for lower, middle, upper in (
        (band.lower, band.expected, band.upper),
        (band.reference_lower, band.reference_expected, band.reference_upper),
    ):
        assert np.isfinite([lower, middle, upper]).all()
        assert (lower <= middle).all()
        assert (middle <= upper).all()
        assert (lower >= 0).all()


def test_most_values_lie_inside_and_the_score_says_the_same_as_the_line() -> None:
    values = seasons(4)
    band = draw(values, BandSettings(), 14 * 288)
    observed = values[:, -288:]
    outside = (observed > band.upper) | (observed < band.lower)
    assert outside.mean() < 0.03
    score = band.score(observed)
    assert (np.abs(score[outside]) >= 1).all()
    assert (np.abs(score[~outside & (band.departed_side == 0) & ~np.isnan(observed)]) < 1).all()


def test_a_higher_level_is_a_wider_band_at_every_instant() -> None:
    low, high = (draw(seasons(2), replace(BandSettings(), level=level), 14 * 288, days=2) for level in (0.9, 0.99))
    assert (high.upper - high.lower >= low.upper - low.lower).all()


@pytest.mark.parametrize("constant", [0.0, 1.0, -7.5, 1e15, 1e-9])
def test_a_constant_lies_in_its_narrow_band(constant: float) -> None:
    band = draw(np.full((1, 15 * 288), constant), BandSettings(), 14 * 288)
    assert (band.lower <= constant).all()
    assert (constant <= band.upper).all()
    assert (band.upper - band.lower <= max(1e-4 * abs(constant), 1e-9)).all()
    assert np.abs(band.score(np.full((1, 288), constant))).max() < 1
    assert (np.abs(band.score(np.full((1, 288), constant + max(abs(constant), 1.0)))) >= 1).all()


def test_an_intermittent_series_keeps_its_bursts_inside() -> None:
    rng = np.random.default_rng(3)
    values = np.where(rng.random((4, 15 * 288)) < 0.07, rng.uniform(50, 100, (4, 15 * 288)), 0.0)
    band = draw(values, BandSettings(), 14 * 288)
    inside = (values[:, -288:] >= band.lower) & (values[:, -288:] <= band.upper)
    assert inside.mean() > 0.98


def test_nothing_known_is_no_band_and_a_note() -> None:
    values = np.full((3, 15 * 288), np.nan)
    values[1] = 5.0
    values[2, 14 * 288 - 144 :] = seasons(7)[0, 14 * 288 - 144 :]
    history = History(AT - 14 * DAY, STEP, ((("a", "1"),), (("a", "2"),), (("a", "3"),)), values)
    fit = engine.fit(history, AT, BandSettings(), "seasonal")
    assert fit.notes == ("0s of history, 1d needed", None, "12h of history, 1d needed")
    band = engine.bands(engine.follow(fit, history, AT + DAY, 0.99), np.array([AT, AT + HOUR]), AT + DAY)
    assert np.isnan(band.upper[[0, 2]]).all()
    assert (band.fitted_until[0] == -1).all()
    assert np.isfinite(band.upper[1]).all()


def test_no_series_at_all() -> None:
    band = draw(np.empty((0, 15 * 288)), BandSettings(), 14 * 288)
    assert band.expected.shape == (0, 288)


@pytest.mark.parametrize(
    ("hours", "note"),
    [(12, "12h of history, 1d needed"), (23, "23h of history, 1d needed"), (24, None), (36, None), (60, None)],
)
def test_short_histories(hours: int, note: str | None) -> None:
    rng = np.random.default_rng(hours)
    values = np.full((1, 15 * 288), np.nan)
    values[:, 14 * 288 - 12 * hours :] = 50 + rng.normal(0, 1, (1, 288 + 12 * hours))
    history = History(AT - 14 * DAY, STEP, ((),), values)
    fit = engine.fit(history, AT, BandSettings(), "seasonal")
    assert fit.notes == (note,)
    band = engine.bands(engine.follow(fit, history, AT + DAY, 0.99), AT + STEP * np.arange(288), AT + DAY)
    if note is None:
        inside = (values[:, -288:] >= band.lower) & (values[:, -288:] <= band.upper)
        assert inside.mean() > 0.95
        assert ((band.upper - band.lower) < 20).all()
    else:
        assert np.isnan(band.expected).all()


def test_too_few_samples_in_a_long_span() -> None:
    values = np.full((1, 14 * 288), np.nan)
    values[:, ::40] = 1.0
    fit = engine.fit(History(AT - 14 * DAY, STEP, ((),), values), AT, BandSettings(), "seasonal")
    assert fit.notes == ("101 samples in 14d, 144 needed",)


def test_a_series_that_vanishes_has_no_band_until_it_is_back() -> None:
    values = 10 + np.random.default_rng(4).normal(0, 1, (1, 15 * 288))
    values[:, 14 * 288 + 100 : 14 * 288 + 200] = np.nan
    band = draw(values, BandSettings(), 14 * 288)
    known = np.isfinite(band.expected[0])
    assert known[:112].all()
    assert not known[112:201].any()
    assert known[201:].all()


def test_the_band_widens_in_a_gap() -> None:
    values = np.random.default_rng(5).normal(0, 1, (1, 15 * 288)).cumsum(axis=1)
    values[:, 14 * 288 + 100 : 14 * 288 + 110] = np.nan
    band = draw(values, BandSettings(), 14 * 288)
    width = (band.upper - band.lower)[0]
    assert width[110] > 1.5 * width[100]
    assert width[125] < width[110]


def test_the_future_widens_from_live_to_day_ahead_and_ends_at_the_horizon() -> None:
    values = np.random.default_rng(6).normal(0, 1, (1, 15 * 288)).cumsum(axis=1)
    bands = replace(BandSettings(), horizon=6 * HOUR)
    history = History(AT - 14 * DAY, STEP, ((),), values)
    now = AT + 20 * HOUR
    track = engine.follow(engine.fit(history, AT, bands, "seasonal"), history, now, 0.99)
    band = engine.bands(track, np.array([now, now + HOUR, now + 6 * HOUR, now + 6 * HOUR + 1]), now)
    width = (band.upper - band.lower)[0]
    assert 1.5 * width[0] < width[1] < width[2]
    assert np.isnan(width[3])


@pytest.mark.parametrize(
    ("step", "refit", "history"),
    [
        (MINUTE, DAY, 7 * DAY),
        (5 * MINUTE, HOUR, DAY),
        (HOUR, 6 * HOUR, 28 * DAY),
        (7 * MINUTE, 7 * HOUR, 3 * DAY),
        (HOUR, DAY, 36 * HOUR),
    ],
)
def test_other_grids(step: int, refit: int, history: int) -> None:
    at = 400_000 * refit
    bands = replace(BandSettings(), step=step, refit=refit, history=history)
    times = np.arange((at - history) // step, (at + refit) // step + 1) * step
    values = 100 + 20 * np.sin(2 * np.pi * times / DAY) + np.random.default_rng(7).normal(0, 1, (1, len(times)))
    known = History(int(times[0]), step, ((),), values)
    track = engine.follow(engine.fit(known, at, bands, "seasonal"), known, at + refit, 0.99)
    band = engine.bands(track, np.arange(at, at + refit, step), at + refit)
    actual = known.between(at, at + refit).values
    assert np.abs(band.expected - actual).mean() < (1.3 if history > 2 * DAY else 4)
    assert ((actual >= band.lower) & (actual <= band.upper)).mean() > 0.95


def test_bands_scale_and_shift_with_their_series() -> None:
    values = 10 + np.random.default_rng(8).normal(0, 1, (1, 15 * 288))
    plain, scaled, shifted = (draw(v, BandSettings(), 14 * 288) for v in (values, 1e3 * values, values + 500))
    np.testing.assert_allclose(scaled.upper, 1e3 * plain.upper, rtol=1e-9)
    np.testing.assert_allclose(shifted.upper, plain.upper + 500, rtol=1e-3)


def test_a_model_or_a_level_or_a_grid_that_does_not_exist() -> None:
    history = History(AT - 14 * DAY, STEP, ((),), np.ones((1, 14 * 288)))
    with pytest.raises(ValueError, match='there is no model "crystal"'):
        engine.fit(history, AT, BandSettings(), "crystal")
    with pytest.raises(ValueError, match="off the grid"):
        engine.fit(history, AT + 1, BandSettings(), "seasonal")
    fit = engine.fit(history, AT, BandSettings(), "seasonal")
    with pytest.raises(ValueError, match="between 0 and 1"):
        engine.follow(fit, history, AT, 1.0)
    with pytest.raises(ValueError, match="its own series"):
        engine.follow(fit, History(AT, STEP, ((("other", "1"),),), np.ones((1, 1))), AT, 0.99)
