import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from driftband.forecast.excursions import ORDINARY, RARE, SPANS, farthest, rarest

PER_DAY = 288
BELOW, ABOVE = 0, 1
SHORT, LONG = 0, 1


def noise(seed: int = 0, series: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (series, 7 * PER_DAY))


def strays(normalised: np.ndarray) -> np.ndarray:
    return rarest(farthest(normalised, PER_DAY))


def extremes(shape: float, series: int, seed: int, days: int = 7) -> np.ndarray:
    """The farthest of each day, (series, 2, S, days), of a generalised extreme value distribution around 5."""
    likely = -np.log(np.random.default_rng(seed).random((series, 2, len(SPANS), days)))
    return np.maximum(5 + (likely**-shape - 1) / shape, ORDINARY)


def beyond(shape: float) -> float:
    """What they reach once in ``RARE`` days."""
    return float(5 + ((-np.log1p(-1 / RARE)) ** -shape - 1) / shape)


def test_ordinary_noise_hardly_ever_goes_beyond_it() -> None:
    threshold = strays(noise())[:, ABOVE, SHORT]
    years = np.random.default_rng(1).normal(0, 1, (40, 1000 * PER_DAY))
    days_beyond = (years.reshape(40, 1000, PER_DAY).max(axis=2) > threshold[:, None]).mean()
    assert days_beyond < 0.001
    assert np.median(threshold) < 8


@pytest.mark.parametrize("shape", [0.05, 0.2, 0.4])
def test_the_tail_is_that_of_the_signal(shape: float) -> None:
    found = np.median(strays_of(extremes(shape, 300, 3)))
    assert 0.7 * beyond(shape) < found < 1.5 * beyond(shape)


def strays_of(days: np.ndarray) -> np.ndarray:
    return rarest(days)[:, ABOVE, SHORT]


def test_a_single_series_is_taken_for_a_usual_one() -> None:
    alone = [strays_of(extremes(0.4, 1, seed))[0] for seed in range(200)]
    among = [strays_of(extremes(0.4, 60, seed))[0] for seed in range(200)]
    assert np.median(alone) < 0.7 * np.median(among)


def test_what_comes_every_day_is_a_habit_and_what_came_once_is_none() -> None:
    plain = noise()
    daily, once = plain.copy(), plain.copy()
    daily[:, 100::PER_DAY] += 20
    once[:, 3 * PER_DAY + 100] += 20
    assert (strays(daily)[:, ABOVE, SHORT] > 18).all()
    assert np.median(strays(once)[:, ABOVE, SHORT]) < 1.2 * np.median(strays(plain)[:, ABOVE, SHORT])


def test_what_each_series_did_on_a_day_of_its_own_is_a_habit_of_the_signal() -> None:
    plain = noise()
    own = plain.copy()
    own[np.arange(40), np.arange(40) % 7 * PER_DAY + 100] += 20
    assert np.median(strays(own)[:, ABOVE, SHORT]) > 2 * np.median(strays(plain)[:, ABOVE, SHORT])
    np.testing.assert_allclose(strays(own)[:, BELOW], strays(plain)[:, BELOW], rtol=0.1)


def test_a_long_while_is_reached_less_far_and_the_other_side_is_another_matter() -> None:
    skewed = np.random.default_rng(2).exponential(1, (40, 7 * PER_DAY)) - 1
    below, above = np.moveaxis(strays(skewed), 1, 0)
    assert (above[:, LONG] < above[:, SHORT]).all()
    assert (above[:, LONG] < 3.5).all()
    assert (below[:, SHORT] < above[:, SHORT]).all()


def test_too_few_days_say_nothing() -> None:
    assert np.isnan(strays(noise()[:, : 3 * PER_DAY])).all()
    gaps = noise()
    gaps[:, : 4 * PER_DAY] = np.nan
    assert np.isnan(strays(gaps)).all()


def test_a_series_that_is_young_changes_little_for_the_others() -> None:
    young = noise()
    young[0, : 5 * PER_DAY] = np.nan
    found, without = strays(young), strays(young[1:])
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1:], without)


@pytest.mark.parametrize("series", [0, 1])
def test_the_shape_holds_for_any_number_of_series(series: int) -> None:
    found = strays(noise(series=series))
    assert found.shape == (series, 2, len(SPANS))


days_of = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.just(2), st.just(len(SPANS)), st.integers(1, 7)),
    elements=st.one_of(st.floats(ORDINARY, 1e6), st.just(np.nan)),
)


@settings(max_examples=60, deadline=None)
@given(days_of, st.floats(1.0, 100.0))
def test_it_goes_with_the_unit_and_is_known_where_enough_days_are(days: np.ndarray, times: float) -> None:
    found = rarest(days)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(days).sum(axis=3) >= 4)
    np.testing.assert_allclose(rarest(days * times), found * times, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(days_of, st.randoms(use_true_random=False))
def test_the_order_of_series_and_days_does_not_matter(days: np.ndarray, chance: object) -> None:
    rows = np.array(chance.sample(range(len(days)), len(days)))  # type: ignore[attr-defined]
    np.testing.assert_allclose(rarest(days[rows]), rarest(days)[rows], rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 6), st.floats(1.0, 1e3))
def test_the_farthest_day_of_all_together_has_no_weight(seed: int, day: int, times: float) -> None:
    days = extremes(0.1, 8, seed)
    days[..., day] = days.max(axis=3) * 10
    farther = days.copy()
    farther[..., day] *= times
    np.testing.assert_allclose(rarest(farther), rarest(days), rtol=1e-9)
