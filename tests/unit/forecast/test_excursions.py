import numpy as np
import pytest

from driftband.forecast.excursions import SPANS, rarest

PER_DAY = 288
ABOVE, SHORT, LONG = 1, 0, 1


def noise(seed: int = 0, series: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (series, 7 * PER_DAY))


def test_ordinary_noise_hardly_ever_goes_beyond_it() -> None:
    threshold = rarest(noise(), PER_DAY)[:, ABOVE, SHORT]
    years = np.random.default_rng(1).normal(0, 1, (40, 1000 * PER_DAY))
    days_beyond = (years.reshape(40, 1000, PER_DAY).max(axis=2) > threshold[:, None]).mean()
    assert days_beyond < 0.005
    assert np.median(threshold) < 8


def test_what_comes_every_day_is_a_habit_and_what_came_once_is_none() -> None:
    plain = noise()
    daily, once = plain.copy(), plain.copy()
    daily[:, 100::PER_DAY] += 20
    once[:, 3 * PER_DAY + 100] += 20
    assert (rarest(daily, PER_DAY)[:, ABOVE, SHORT] > 18).all()
    assert np.median(rarest(once, PER_DAY)[:, ABOVE, SHORT]) < 1.6 * np.median(rarest(plain, PER_DAY)[:, ABOVE, SHORT])


def test_a_long_while_is_reached_less_far_and_the_other_side_is_another_matter() -> None:
    skewed = np.random.default_rng(2).exponential(1, (40, 7 * PER_DAY)) - 1
    below, above = np.moveaxis(rarest(skewed, PER_DAY), 1, 0)
    assert (above[:, LONG] < above[:, SHORT]).all()
    assert (above[:, LONG] < 3.5).all()
    assert (below[:, SHORT] < above[:, SHORT]).all()


def test_too_few_days_say_nothing() -> None:
    assert np.isnan(rarest(noise()[:, : 3 * PER_DAY], PER_DAY)).all()
    gaps = noise()
    gaps[:, : 4 * PER_DAY] = np.nan
    assert np.isnan(rarest(gaps, PER_DAY)).all()


@pytest.mark.parametrize("series", [0, 1])
def test_the_shape_holds_for_any_number_of_series(series: int) -> None:
    found = rarest(noise(series=series), PER_DAY)
    assert found.shape == (series, 2, len(SPANS))
