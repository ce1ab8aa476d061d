from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftband.forecast import engine, live
from driftband.model.band import DAY, Band, BandSettings
from driftband.model.series import Floats, History, Instants

AT = 20_000 * DAY
STEP = DAY // 48
BANDS = BandSettings(step=STEP)
BEFORE, AFTER = 14 * 48, 48

few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)


def telemetry(seed: int, series: int = 3, step: int = STEP) -> History:
    """Season, wandering, bursts and gaps in random proportions, for 14 days before AT and one after it."""
    rng = np.random.default_rng(seed)
    count = 15 * DAY // step
    day = np.arange(count) * step / DAY
    values = rng.uniform(0, 20, (series, 1)) * np.sin(2 * np.pi * day) + rng.normal(0, 1, (series, count))
    values += rng.uniform(0, 1) * rng.normal(0, 1, (series, count)).cumsum(axis=1)
    values += np.where(rng.random((series, count)) < 0.02, rng.normal(0, 50, (series, count)), 0)
    values[rng.random((series, count)) < rng.uniform(0, 0.3)] = np.nan
    labels = tuple((("series", str(number)),) for number in range(series))
    return History(AT - 14 * DAY, step, labels, values)


def draw(history: History, instants: Instants, now: int, bands: BandSettings = BANDS) -> Band:
    fit = engine.fit(history, AT, bands, "seasonal")
    return engine.bands(engine.follow(fit, history, now, 0.99), instants, now)


def assert_same(one: Band, other: Band) -> None:
    for field in fields(Band):
        np.testing.assert_allclose(getattr(one, field.name), getattr(other, field.name), rtol=1e-9, err_msg=field.name)


def altered(history: History, first: int, seed: int) -> History:
    """Everything from grid index ``first`` on is something else."""
    values = history.values.copy()
    values[:, first:] = np.random.default_rng(seed).normal(0, 1e6, values[:, first:].shape)
    return replace(history, values=values)


@few
@given(seed=seeds, offset=st.integers(0, DAY - 1), step=st.sampled_from([STEP, BandSettings.step]))
def test_what_happens_at_or_after_an_instant_never_changes_its_band(seed: int, offset: int, step: int) -> None:
    history, bands, then = telemetry(seed, step=step), replace(BANDS, step=step), np.array([AT + offset])
    first = -(-offset // step) + 14 * DAY // step
    before, after = (draw(known, then, AT + DAY, bands) for known in (history, altered(history, first, seed)))
    for field in fields(Band):
        # Not only nearly: what is not looked at cannot even change the rounding.
        np.testing.assert_array_equal(getattr(before, field.name), getattr(after, field.name), err_msg=field.name)


@few
@given(seed=seeds, offset=st.integers(0, DAY - 1))
def test_the_future_is_drawn_from_what_is_before_now(seed: int, offset: int) -> None:
    history, now = telemetry(seed), AT + offset
    ahead = now + np.arange(0, DAY, 7 * 60_000)
    first = -(-offset // STEP) + BEFORE
    assert_same(draw(history, ahead, now), draw(altered(history, first, seed), ahead, now))


@few
@given(seed=seeds, step=st.integers(60_000, 14_400_000), shift=st.integers(0, DAY // 2))
def test_a_zoom_gives_the_same_numbers(seed: int, step: int, shift: int) -> None:
    history = telemetry(seed)
    some = np.arange(AT + shift, AT + 2 * DAY, step)
    both = np.union1d(some, np.arange(AT, AT + 2 * DAY, 600_000))
    whole = draw(history, both, AT + DAY)
    where = np.searchsorted(both, some)
    picked = Band(**{f.name: getattr(whole, f.name)[:, where] for f in fields(Band)})
    assert_same(draw(history, some, AT + DAY), picked)
    alone = draw(history, some[-1:], AT + DAY)
    assert_same(alone, Band(**{f.name: getattr(picked, f.name)[:, -1:] for f in fields(Band)}))


@few
@given(seed=seeds)
def test_a_series_does_not_depend_on_its_batch(seed: int) -> None:
    history = telemetry(seed, series=5)
    instants = np.arange(AT, AT + 2 * DAY, 600_000)
    whole = draw(history, instants, AT + DAY)
    for batch in (slice(2, 3), slice(0, 2)):
        fewer = History(history.start, history.step, history.labels[batch], history.values[batch])
        picked = Band(**{f.name: getattr(whole, f.name)[batch] for f in fields(Band)})
        assert_same(draw(fewer, instants, AT + DAY), picked)


@few
@given(seed=seeds, cut=st.integers(0, AFTER))
def test_as_time_goes_on_nothing_changes_before(seed: int, cut: int) -> None:
    history = telemetry(seed)
    fit = engine.fit(history, AT, BANDS, "seasonal")
    until = AT + cut * STEP
    instants = np.arange(AT, until + 1, STEP // 3)
    short = engine.bands(engine.follow(fit, history, until, 0.99), instants, AT + DAY)
    assert_same(short, engine.bands(engine.follow(fit, history, AT + DAY, 0.99), instants, AT + DAY))
    assert_same(short, draw(history, instants, until))


def test_only_the_window_counts() -> None:
    history = telemetry(1)
    longer = history.between(AT - 30 * DAY, AT + DAY)
    longer.values[:, : -BEFORE - AFTER] = 1e9
    instants = np.arange(AT, AT + DAY, STEP)
    assert_same(draw(history, instants, AT + DAY), draw(longer, instants, AT + DAY))


def test_the_band_says_what_it_has_seen() -> None:
    history = telemetry(2)
    history.values[:] = np.where(np.isnan(history.values), 0.0, history.values)
    band = draw(history, np.array([AT, AT + STEP, AT + STEP + 1, AT + DAY // 2]), AT + 2 * STEP)
    assert band.fitted_until[0].tolist() == [AT - STEP, AT, AT + STEP, AT + STEP]


def test_a_band_before_the_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="before it"):
        draw(telemetry(3), np.array([AT - 1]), AT)


def mean_width(band: Band) -> Floats:
    width: Floats = (band.upper - band.lower).mean(axis=1)
    return width


@few
@given(seed=seeds, low=st.floats(0.5, 0.9), high=st.floats(0.91, 0.9999))
def test_a_higher_level_is_a_wider_band(seed: int, low: float, high: float) -> None:
    history = telemetry(seed)
    history.values[np.isnan(history.values)] = 0.0
    fit = engine.fit(history, AT, BANDS, "seasonal")
    instants = np.arange(AT, AT + DAY, STEP)
    narrow, wide = (engine.bands(engine.follow(fit, history, AT, level), instants, AT) for level in (low, high))
    assert (mean_width(narrow) <= mean_width(wide)).all()


@few
@given(seed=seeds, first=st.integers(0, 287), more=st.integers(0, 40))
def test_a_state_needs_only_the_points_shortly_before_it(seed: int, first: int, more: int) -> None:
    step = BandSettings.step
    history, bands = telemetry(seed, step=step), replace(BANDS, step=step)
    fit = engine.fit(history, AT, bands, "seasonal")
    until = AT + min(first + more, 288) * step
    near = history.between(AT + (first - live.RECENT) * step, until)
    late, whole = engine.follow(fit, near, until, 0.99, first), engine.follow(fit, history, until, 0.99)
    instants = np.arange(AT + first * step, until + 2 * step, 60_000)
    assert_same(engine.bands(late, instants, until), engine.bands(whole, instants, until))


@few
@given(seed=seeds, first=st.integers(0, 276), cut=st.integers(0, 12))
def test_rounding_is_the_same_for_one_instant_and_for_many(seed: int, first: int, cut: int) -> None:
    step = BandSettings.step
    history, bands = telemetry(seed, step=step), replace(BANDS, step=step)
    fit = engine.fit(history, AT, bands, "seasonal")
    start, now = AT + first * step, AT + DAY
    many = np.arange(start, start + 12 * step, 60_000)
    whole = engine.bands(engine.follow(fit, history, start + 12 * step, 0.99, first), many, now)
    some = many[cut * 5 : cut * 5 + 1]
    if len(some):
        alone = engine.bands(engine.follow(fit, history, int(some[0]), 0.99, first), some, now)
        for field in fields(Band):
            there = getattr(whole, field.name)[:, cut * 5 : cut * 5 + 1]
            np.testing.assert_array_equal(there, getattr(alone, field.name), err_msg=field.name)
