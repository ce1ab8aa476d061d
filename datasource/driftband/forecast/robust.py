"""Order statistics that skip NaN, in the few forms that forecasting needs.

``numpy.nanmedian`` and friends fall back to Python loops over slices; a sort puts NaN last, so one sort and one
lookup do.
"""

import numpy as np

from driftband.model.series import Floats

FAR = 4.0
"""Mean distances from a smooth course beyond which something is a step, and not noise."""


def quantile(values: Floats, share: float) -> Floats:
    """Return the quantile along the last axis, linear between neighbours, NaN where all are NaN."""
    ordered = np.sort(values, axis=-1)
    size = values.shape[-1]
    if not np.isnan(ordered[..., -1]).any():
        low = int(share * (size - 1))
        return _between(ordered[..., low], ordered[..., min(low + 1, size - 1)], share * (size - 1) - low)
    last = np.maximum(size - np.isnan(ordered).sum(axis=-1) - 1, 0)
    position = share * last
    below = position.astype(np.int64)
    rows = np.arange(last.size).reshape(last.shape) * size
    flat = ordered.reshape(-1)
    return _between(flat[rows + below], flat[rows + np.minimum(below + 1, last)], position - below)


def median(values: Floats) -> Floats:
    """Return the median along the last axis, NaN where all are NaN."""
    return quantile(values, 0.5)


def mean(values: Floats) -> Floats:
    """Return the mean along the last axis, NaN where all are NaN."""
    plain: Floats = np.add.reduce(values, axis=-1) / max(values.shape[-1], 1)
    unknown = np.isnan(plain)
    if not unknown.any():
        return plain
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    # A series without gaps gives the same bits beside one with gaps as alone.
    return np.where(unknown, np.where(count > 0, total / np.maximum(count, 1), np.nan), plain)


def in_a_row(values: Floats) -> Floats:
    """Return (n, A, B) as (n, A * B); unlike ``reshape(n, -1)`` for no series too."""
    return values.reshape(values.shape[0], values.shape[1] * values.shape[2])


def smooth_circular(values: Floats, reach: int) -> Floats:
    """Return the centred moving mean over ``2 * reach + 1`` places of the last axis, which is a circle; no NaN.

    What lies far from that, in terms of what is usual along the axis, stays as it is: a step, or the seam of the circle where
    something grows. Smoothed away it would be expected before it comes, and after it has gone.
    """
    if reach == 0:
        return values
    wrapped = np.concatenate([values[..., -reach:], values, values[..., :reach]], axis=-1)
    # Sums are taken around a typical value: a cumulative sum of large levels would lose the small differences.
    centre = values[..., :1]
    total = np.zeros((*wrapped.shape[:-1], wrapped.shape[-1] + 1))
    np.cumsum(wrapped - centre, axis=-1, out=total[..., 1:])
    width = 2 * reach + 1
    smoothed = (total[..., width:] - total[..., :-width]) / width + centre
    away = np.abs(values - smoothed)
    usual = mean(away)[..., None]
    # Once more without the steps: many of them are not what is usual.
    usual = mean(np.minimum(away, FAR * usual))[..., None]
    return np.where(away > FAR * usual, values, smoothed)


def _between(lower: Floats, upper: Floats, part: "Floats | float") -> Floats:
    # Equal neighbours stay exactly equal, and huge ones do not overflow.
    return np.where(upper == lower, lower, lower * (1 - part) + upper * part)
