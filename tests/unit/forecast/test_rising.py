import numpy as np
import pytest

from driftband.forecast.rising import steady_rise

DAYS = np.arange(14)[:, None] + np.arange(48) / 48
SEASON = np.sin(2 * np.pi * DAYS)


def noisy(course: np.ndarray, seed: int = 0) -> np.ndarray:
    return (course + np.random.default_rng(seed).normal(0, 0.05, course.shape))[None]


@pytest.mark.parametrize("slope", [1.0, -2.5])
def test_a_steady_slope_is_found(slope: float) -> None:
    (found,) = steady_rise(noisy(slope * DAYS + SEASON))
    assert found == pytest.approx(slope, rel=0.1)


def test_a_ramp_of_four_days_is_found() -> None:
    (found,) = steady_rise(noisy(np.maximum(DAYS - 10, 0) + SEASON))
    assert found == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize(
    "course",
    [SEASON, SEASON + (DAYS >= 12), SEASON * np.where(DAYS // 1 % 7 >= 5, 0.5, 1.0) - (DAYS // 1 % 7 >= 5)],
    ids=["season", "a shift", "weekends"],
)
def test_what_is_no_slope_is_none(course: np.ndarray) -> None:
    found = [steady_rise(noisy(course, seed))[0] for seed in range(20)]
    assert np.abs(found).max() < 0.05


def test_unknown_days_and_short_histories_say_nothing() -> None:
    values = noisy(DAYS)
    assert (steady_rise(values[:, :3]) == 0).all()
    values[:, -2] = np.nan
    assert (steady_rise(values) == 0).all()
