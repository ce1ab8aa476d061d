"""What every band must be, whatever the series: causal, repeatable, ordered."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.forecast import engine
from driftband.model.band import DAY, HOUR, Band, BandSettings
from driftband.model.series import Floats, History, Instants

SETTINGS = BandSettings()
STEP = SETTINGS.step
AT = 20_000 * DAY
NOW = AT + DAY
POINTS = 14 * 288 + 288


def series(seed: int, count: int = 3) -> Floats:
    """Return daily seasons with noise, the last row with a gap and zeros."""
    random = np.random.default_rng(seed)
    phase = np.arange(POINTS) / 288 * 2 * np.pi
    rows = [50 + 20 * np.sin(phase + i) + random.normal(0, 2, POINTS) for i in range(count)]
    rows[-1][random.integers(0, POINTS, 300)] = np.nan
    return np.array(rows)


def history(values: Floats) -> History:
    return History(AT - 14 * DAY, STEP, tuple((("row", str(i)),) for i in range(len(values))), values)


def band(values: Floats, instants: Instants, now: int = NOW, level: float = 0.99, model: str = "seasonal") -> Band:
    known = history(values)
    fit = engine.fit(known, AT, SETTINGS, model)
    track = engine.follow(fit, known, min(now, AT + DAY), level)
    return engine.bands(track, instants, now)


def same(one: Floats, other: Floats) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=0, equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.integers(0, DAY - 1), st.integers(0, 287), st.floats(-1e6, 1e6))
def test_changing_a_sample_at_or_after_an_instant_never_changes_its_band(
    seed: int, offset: int, later: int, value: float
) -> None:
    instant = AT + offset
    values = series(seed)
    before = band(values, np.array([instant]))
    first = -(-(instant - (AT - 14 * DAY)) // STEP)
    changed = values.copy()
    changed[:, min(first + later, POINTS - 1) :] = value
    if first + later >= POINTS:
        return
    after = band(changed, np.array([instant]))
    for field in fields(Band):
        np.testing.assert_array_equal(getattr(before, field.name), getattr(after, field.name))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3), st.lists(st.integers(0, 2 * DAY - 1), min_size=1, max_size=20, unique=True))
def test_an_instant_has_one_band_whatever_else_is_asked_for(seed: int, offsets: list[int]) -> None:
    values = series(seed)
    instants = AT + np.array(sorted(offsets))
    together = band(values, instants)
    for k, instant in enumerate(instants):
        alone = band(values, np.array([instant]))
        same(together.upper[:, k : k + 1], alone.upper)
        same(together.expected[:, k : k + 1], alone.expected)
    for row in range(len(values)):
        fit = engine.fit(history(values[: row + 1]), AT, SETTINGS, "seasonal")
        track = engine.follow(fit, history(values[: row + 1]), NOW, 0.99)
        same(engine.bands(track, instants, NOW).lower[row], together.lower[row])


def test_a_past_instant_keeps_its_band_as_time_goes_on() -> None:
    values = series(1)
    instants = AT + np.arange(0, 6 * HOUR, 77_000)
    same(band(values, instants, now=AT + 6 * HOUR).upper, band(values, instants, now=AT + 20 * HOUR).upper)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5), st.sampled_from([1e-9, 1.0, 1e15]), st.sampled_from([0.5, 0.95, 0.999]))
def test_lower_expected_upper_are_in_order_and_finite_at_any_scale(seed: int, scale: float, level: float) -> None:
    made = band(series(seed) * scale, AT + np.arange(0, 2 * DAY, 900_000), level=level)
    assert np.isfinite(made.expected).all()
    assert (made.lower <= made.expected).all()
    assert (made.expected <= made.upper).all()


def test_a_higher_level_is_a_wider_band() -> None:
    instants = AT + np.arange(0, 2 * DAY, 900_000)
    low, high = band(series(2), instants, level=0.9), band(series(2), instants, level=0.99)
    assert (high.upper - high.lower >= low.upper - low.lower).all()


def test_most_values_lie_inside_and_the_score_says_the_same_as_the_line() -> None:
    values = series(4)
    instants = AT + STEP * np.arange(288)
    made = band(values, instants)
    observed = values[:, -288:]
    outside = (observed > made.upper) | (observed < made.lower)
    assert outside.mean() < 0.03
    score = made.score(observed)
    assert (np.abs(score[outside]) >= 1).all()
    assert (np.abs(score[~outside & (made.departed_side == 0) & ~np.isnan(observed)]) < 1).all()


def test_what_was_never_below_zero_is_not_expected_there() -> None:
    values = np.abs(np.random.default_rng(5).normal(0, 1, (1, POINTS)))
    made = band(values, AT + np.arange(0, 2 * DAY, 900_000))
    assert made.lower.min() >= 0


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e12])
def test_a_constant_lies_inside_its_band(value: float) -> None:
    made = band(np.full((1, POINTS), value), AT + np.arange(0, DAY, STEP))
    assert ((made.lower <= value) & (value <= made.upper)).all()
    assert (made.upper - made.lower <= max(abs(value) * 1e-3, 1e-6)).all()


def test_a_series_that_vanishes_loses_its_band_and_gets_it_back() -> None:
    values = series(6, 1)
    values[0, -200:-100] = np.nan
    made = band(values, AT + STEP * np.arange(288))
    has = ~np.isnan(made.expected[0])
    assert has[:88].all()
    assert not has[88 + 20 : 188].any()
    assert has[190:].all()


def test_too_little_history_is_said_and_not_invented() -> None:
    values = series(7, 2)
    values[1, : 14 * 288 - 144] = np.nan
    fit = engine.fit(history(values), AT, SETTINGS, "seasonal")
    assert fit.notes[0] is None
    assert fit.notes[1] == "12h of history, 1d needed"
    made = engine.bands(engine.follow(fit, history(values), NOW, 0.99), np.array([AT + HOUR]), NOW)
    assert np.isfinite(made.expected[0, 0])
    assert np.isnan(made.expected[1, 0])


def departure(rise: Floats) -> Floats:
    """Return the score at hourly instants of the day after ``AT``, for noise of 1 with ``rise`` (POINTS,) added."""
    random = np.random.default_rng(8)
    values = 100 + 10 * np.sin(np.arange(POINTS) / 288 * 2 * np.pi) + random.normal(0, 1, POINTS) + rise
    made = band(values[None], AT + STEP * np.arange(288))
    return made.score(values[None, -288:])[0]


def test_a_shift_six_days_old_is_still_seen_and_one_nine_days_old_is_accepted() -> None:
    day = np.arange(POINTS) / 288
    assert (np.abs(departure(np.where(day >= 14 - 6, 12.0, 0.0))) >= 1).mean() > 0.9
    assert (np.abs(departure(np.where(day >= 14 - 9, 12.0, 0.0))) >= 1).mean() < 0.05


def test_a_slow_rise_cannot_teach_the_band_to_accept_it() -> None:
    day = np.arange(POINTS) / 288
    assert (departure(np.clip(day - 9, 0, 3) * 5) >= 1).mean() > 0.9


def test_time_to_breach_is_when_the_forecast_crosses() -> None:
    values = 50 - 40 * np.cos(np.arange(POINTS) / 288 * 2 * np.pi)[None]
    known = history(values)
    fit = engine.fit(known, AT, SETTINGS, "seasonal")
    track = engine.follow(fit, known, AT + HOUR, 0.99)
    origins = np.array([AT + HOUR])
    crossing, never = (
        engine.time_to_breach(track, origins, AT + HOUR, np.array([limit]), against_band=False)[0, 0]
        for limit in (50.0, 200.0)
    )
    assert crossing == pytest.approx(5 * 3600, abs=600)
    assert never == np.inf


@pytest.mark.slow
def test_prophet_gives_a_band_by_the_same_rules() -> None:
    values = series(9, 1)
    instants = AT + STEP * np.arange(0, 288, 12)
    made = band(values, instants, model="prophet")
    again = band(values, instants, model="prophet")
    same(made.upper, again.upper)
    assert (made.lower <= made.upper).all()
    assert np.abs(made.expected - values[:, -288::12]).mean() < 5
