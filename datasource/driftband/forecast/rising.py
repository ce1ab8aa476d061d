"""A steady rise or fall from day to day, told from chance."""

import numpy as np

from driftband.forecast.robust import median
from driftband.model.series import Floats

STEPS = 3
"""Steps from day to day whose middle is a rise: three of them must agree."""
SURE = 3.0
"""Mean differences between the steps that a rise must exceed."""


def steady_rise(values: Floats, last: int = STEPS) -> Floats:
    """Return by how much each day lies above the day before, (n,): the middle of the last ``STEPS`` such steps.

    It is shrunk by how far they differ (James and Stein 1961): chance is no rise, and a level that has shifted or a weekend is
    one step or two.
    """
    if values.shape[1] <= last:
        return np.zeros(len(values))
    steps = median(values[:, -last:] - values[:, -last - 1 : -1])
    rise = np.where(np.isnan(steps).any(axis=1), 0.0, median(steps))
    unsure = SURE * np.nan_to_num(median(np.abs(steps - rise[:, None])))
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(rise == 0, 0.0, np.maximum(1 - (unsure / rise) ** 2, 0.0))
    return rise * kept
