"""Weights of forecasts by their past errors."""

import numpy as np

from driftband.model.series import Floats


def inverse_power(error: Floats, power: float) -> Floats:
    """Return weights along the last axis, adding up to 1, in proportion to ``error ** -power``."""
    best = error.min(axis=-1, keepdims=True)
    worst = error.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(error <= best + 1e-12 * worst, 1.0, (best / error) ** power)
    shares: Floats = weight / weight.sum(axis=-1, keepdims=True)
    return shares
