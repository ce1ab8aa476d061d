import numpy as np
import pytest

from driftband.forecast.calibration import calibrate, lead_nodes
from driftband.model.band import HOUR

STEP = 300_000
NONE = np.zeros(1, dtype=np.bool_)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
def test_a_normal_error_gets_at_least_its_quantiles(level: float) -> None:
    errors = np.random.default_rng(0).normal(0, 1, (1, 7, 288))
    found = calibrate(errors, STEP, np.array([1e-6]), NONE)
    half = found.widths(level)[0, 0] * found.scales[0, 0].mean()
    fresh = np.random.default_rng(1).normal(0, 1, 10_000)
    share = ((fresh >= -half[0]) & (fresh <= half[1])).mean()
    assert level <= share < level + 0.65 * (1 - level) + 0.06


def test_a_skewed_error_gets_a_skewed_band() -> None:
    errors = np.random.default_rng(2).exponential(1, (1, 7, 288)) - 0.7
    below, above = calibrate(errors, STEP, np.array([1e-6]), NONE).widths(0.99)[0, 0]
    assert above > 2 * below


def test_a_noisy_hour_has_a_larger_scale() -> None:
    errors = np.random.default_rng(3).normal(0, 1, (1, 7, 288))
    errors[:, :, 120:144] *= 5
    scales = calibrate(errors, STEP, np.array([1e-6]), NONE).scales[0, 0]
    assert scales[10:12].min() > 2 * scales[:9].max()


def test_a_wandering_error_is_corrected_at_once_and_a_day_ahead_hardly() -> None:
    errors = np.random.default_rng(4).normal(0, 1, (1, 7 * 288)).cumsum(axis=1).reshape(1, 7, 288)
    found = calibrate(errors, STEP, np.array([1e-6]), NONE)
    assert found.weights[0, 0, 0] < 0.05
    width = found.widths(0.99)[0].mean(axis=1) * found.scales[0].mean(axis=1)
    assert (np.diff(width) > 0).all()


def test_rare_bursts_do_not_set_the_whole_tail() -> None:
    errors = np.random.default_rng(5).normal(0, 1, (1, 7, 288))
    errors[:, :, 7] += 100
    shrunk, whole = (
        calibrate(errors, STEP, np.array([1e-6]), np.array([steady])).widths(0.999)[0, 0, 1] for steady in (False, True)
    )
    assert shrunk < 0.7 * whole


@pytest.mark.parametrize(("step", "nodes"), [(300_000, [1, 12, 288]), (HOUR, [1, 24]), (24 * HOUR, [1])])
def test_leads_are_a_step_an_hour_and_a_day(step: int, nodes: list[int]) -> None:
    assert lead_nodes(step).tolist() == nodes
