import numpy as np
import pytest

from driftband.forecast import engine
from driftband.forecast.experts import ask
from driftband.forecast.models import FORECASTERS
from driftband.forecast.outlook import Days
from driftband.forecast.seasonal import expert_weights
from driftband.model.band import DAY, BandSettings
from driftband.model.series import History

AT = 20_000 * DAY


def test_no_expert_looks_past_its_origin() -> None:
    values = np.random.default_rng(0).normal(0, 1, (2, 14, 48))
    changed = values.copy()
    changed[:, 10:] = 1e6
    origins = np.array([8, 10])
    one, other = ask(values, origins, 2), ask(changed, origins, 2)
    np.testing.assert_array_equal(one.shapes(0), other.shapes(0))
    np.testing.assert_array_equal(one.shapes(1), other.shapes(1))
    np.testing.assert_array_equal(one.offsets, other.offsets)


def test_the_better_expert_gets_the_weight() -> None:
    misses = np.ones((1, 7, 1)) * np.array([1.0, 2.0, 4.0])
    weights = expert_weights(misses)[0]
    assert weights.sum() == 1
    assert weights[0] > 0.98
    assert weights[1] > weights[2]


def test_a_perfect_expert_gets_all_of_it() -> None:
    misses = np.ones((1, 7, 1)) * np.array([0.0, 2.0, 4.0])
    assert expert_weights(misses)[0].tolist() == [1, 0, 0]


def test_weeks_are_learned_from_two_of_them() -> None:
    day = np.arange(22 * 48) / 48
    values = (100 - 40.0 * (day.astype(int) % 7 >= 5))[None] + np.random.default_rng(1).normal(0, 1, (1, 22 * 48))
    # Day 19 is a Saturday after a Friday of 100.
    outlook = FORECASTERS["seasonal"](Days(values[:, 5 * 48 : 19 * 48].reshape(1, 14, 48), 0, 1))
    assert np.abs(outlook.ahead[0, 0] - 60).mean() < 10


@pytest.mark.slow
def test_prophet_gives_a_band_on_the_default_grid_with_gaps() -> None:
    rng = np.random.default_rng(9)
    values = 50 + 20 * np.sin(2 * np.pi * np.arange(15 * 288) / 288)[None] + rng.normal(0, 2, (1, 15 * 288))
    observed = values[:, -288::12].copy()
    values[0, rng.integers(0, 15 * 288, 300)] = np.nan
    settings = BandSettings()
    history = History(AT - 14 * DAY, settings.step, ((),), values)
    one, other = (
        engine.bands(engine.follow(fit, history, AT + DAY, 0.99), AT + 12 * settings.step * np.arange(24), AT + DAY)
        for fit in (engine.fit(history, AT, settings, "prophet") for _ in range(2))
    )
    np.testing.assert_array_equal(one.upper, other.upper)
    assert (one.lower <= one.expected).all()
    assert (one.expected <= one.upper).all()
    assert np.abs(one.expected - observed).mean() < 5


def test_prophet_forecasts_and_repeats_itself_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    step = DAY // 24
    day = np.arange(15 * 24) / 24
    values = 1e6 + 1e3 * np.sin(2 * np.pi * day) + np.random.default_rng(2).normal(0, 50, (2, len(day)))
    values[1] = 7.0
    history = History(AT - 14 * DAY, step, ((("a", "1"),), (("a", "2"),)), values)
    fits = [engine.fit(history, AT, BandSettings(step=step), "prophet") for _ in range(2)]
    assert capfd.readouterr() == ("", "")
    np.testing.assert_array_equal(fits[0].expected, fits[1].expected)
    band = engine.bands(engine.follow(fits[0], history, AT, 0.99), np.arange(AT, AT + DAY, step), AT)
    inside = (values[:, -24:] >= band.lower) & (values[:, -24:] <= band.upper)
    assert inside.mean() > 0.95
    assert np.abs(band.expected[0] - values[0, -24:]).mean() < 150
