"""``histogram_quantile`` over classic histograms, for stores of ours.

Source: ``bucketQuantile`` in Prometheus's promql/quantile.go.
"""

import numpy as np

from driftband.model.series import Floats, Frame, Labels
from driftband.query.values import Row, frame_of, rows, without


def histogram_quantile(q: Floats, frame: Frame) -> Frame:
    """Return the quantile ``q`` (shape (T,)) of each histogram, whose buckets are told apart by the label ``le``."""
    groups: dict[Labels, list[tuple[float, Floats, Floats]]] = {}
    for labels, values, present in rows(frame):
        le = dict(labels).get("le")
        try:
            bound = float(le) if le is not None else None
        except ValueError:
            bound = None
        if bound is not None:
            groups.setdefault(without(labels, ["le", "__name__"]), []).append(
                (bound, values, present.astype(np.float64))
            )
    return frame_of(
        frame.times, [_one(labels, sorted(buckets, key=lambda b: b[0]), q) for labels, buckets in groups.items()]
    )


def _one(labels: Labels, buckets: list[tuple[float, Floats, Floats]], q: Floats) -> Row:
    bounds = np.array([b[0] for b in buckets])
    present = np.all([b[2] > 0 for b in buckets], axis=0)
    counts = np.maximum.accumulate(np.array([b[1] for b in buckets]), axis=0)
    if len(bounds) < 2 or not np.isinf(bounds[-1]):  # noqa: PLR2004 - one bucket says nothing of a quantile
        return labels, np.full(len(q), np.nan), present
    total = counts[-1]
    with np.errstate(all="ignore"):
        rank = q * total
        b = np.minimum((counts < rank).sum(axis=0), len(bounds) - 1)
        column = np.arange(len(q))
        below = np.where(b > 0, counts[np.maximum(b - 1, 0), column], 0.0)
        start = np.where(b > 0, bounds[np.maximum(b - 1, 0)], 0.0)
        end = bounds[b]
        inside = start + (end - start) * (rank - below) / (counts[b, column] - below)
    value = np.where(b == len(bounds) - 1, bounds[-2], np.where((b == 0) & (bounds[0] <= 0), bounds[0], inside))
    value = np.where(total == 0, np.nan, value)
    value = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.where(np.isnan(q), np.nan, value)))
    return labels, value, present
