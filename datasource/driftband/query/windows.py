"""Functions over a range: ``*_over_time``, and ``rate`` and its kin for stores of ours.

A window is left-open, ``(t - range, t]``, as in Prometheus 3.
"""

from collections.abc import Callable, Mapping

import numpy as np

from driftband.model.samples import Samples
from driftband.model.series import Bools, Floats, Frame, Instants
from driftband.query.values import frame_of, without

Window = Callable[[Floats], float]


def _quantile(values: Floats, q: float) -> float:
    if np.isnan(q):
        return float("nan")
    if not 0 <= q <= 1:
        return float("-inf") if q < 0 else float("inf")
    # NaN is the least of all, as in Prometheus.
    ordered = values[np.lexsort((values, ~np.isnan(values)))]
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] * (1 - (place - low)) + ordered[high] * (place - low))


OVER_TIME: Mapping[str, Callable[..., float]] = {
    "avg_over_time": lambda v: float(v.mean()),
    "min_over_time": lambda v: float(np.fmin.reduce(v)),
    "max_over_time": lambda v: float(np.fmax.reduce(v)),
    "sum_over_time": lambda v: float(v.sum()),
    "count_over_time": lambda v: float(len(v)),
    "last_over_time": lambda v: float(v[-1]),
    "present_over_time": lambda _: 1.0,
    "stddev_over_time": lambda v: float(v.std()),
    "stdvar_over_time": lambda v: float(v.var()),
    "quantile_over_time": _quantile,
}
EXTRAPOLATED = ("rate", "increase", "delta")


def over_time(function: str, series: list[Samples], times: Instants, window: int, arguments: list[Floats]) -> Frame:
    """Evaluate a function of ``OVER_TIME`` at each instant; ``window`` in ms, scalar arguments of shape (T,)."""
    compute = OVER_TIME[function]
    keeps_name = function == "last_over_time"

    def row(one: Samples) -> tuple[Floats, Bools]:
        first, after = _bounds(one, times, window)
        there = after > first
        if keeps_name and len(one.values):
            return one.values[np.maximum(after - 1, 0)], there
        result = np.full(len(times), np.nan)
        for k in np.flatnonzero(there):
            result[k] = compute(one.values[first[k] : after[k]], *(a[k] for a in arguments))
        return result, there

    with np.errstate(all="ignore"):
        return frame_of(times, ((s.labels if keeps_name else without(s.labels, ["__name__"]), *row(s)) for s in series))


def extrapolated(function: str, series: list[Samples], times: Instants, window: int) -> Frame:
    """Evaluate rate, increase or delta, with the extrapolation to the edges of the window that Prometheus does.

    Source: ``extrapolatedRate`` in Prometheus's promql/functions.go.
    """
    return frame_of(
        times, ((without(s.labels, ["__name__"]), *_extrapolate(function, s, times, window)) for s in series)
    )


def _bounds(one: Samples, times: Instants, window: int) -> tuple[Instants, Instants]:
    first = one.times.searchsorted(times - window, side="right")
    after = one.times.searchsorted(times, side="right")
    return first, after


def _extrapolate(function: str, one: Samples, times: Instants, window: int) -> tuple[Floats, Bools]:
    first, after = _bounds(one, times, window)
    enough = after - first > 1
    i, j = np.where(enough, first, 0), np.where(enough, after - 1, 0)
    if len(one.times) == 0:
        return np.full(len(times), np.nan), enough
    counter = function != "delta"
    with np.errstate(all="ignore"):
        drops = np.concatenate([[0.0], np.where(np.diff(one.values) < 0, one.values[:-1], 0.0)]).cumsum()
        result = one.values[j] - one.values[i] + ((drops[j] - drops[i]) if counter else 0.0)
        sampled = (one.times[j] - one.times[i]) / 1000.0
        average = sampled / np.maximum(j - i, 1)
        to_start = (one.times[i] - (times - window)) / 1000.0
        to_end = (times - one.times[j]) / 1000.0
        to_start = np.where(to_start >= average * 1.1, average / 2, to_start)
        if counter:
            to_zero = np.where((result > 0) & (one.values[i] >= 0), sampled * one.values[i] / result, np.inf)
            to_start = np.minimum(to_start, to_zero)
        to_end = np.where(to_end >= average * 1.1, average / 2, to_end)
        result = result * (sampled + to_start + to_end) / sampled
        if function == "rate":
            result = result / (window / 1000.0)
    return np.where(enough, result, np.nan), enough
