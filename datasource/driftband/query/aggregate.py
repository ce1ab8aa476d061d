"""Aggregations over the series of a vector, instant by instant.

Format: https://prometheus.io/docs/prometheus/latest/querying/operators/#aggregation-operators.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from driftband.model.series import Bools, Floats, Frame, Labels, make_labels
from driftband.query.errors import QueryError
from driftband.query.nodes import Aggregation
from driftband.query.values import Row, Value, frame_of, only, without


def aggregate(node: Aggregation, operand: Frame, parameter: Value | None) -> Frame:
    """Evaluate an aggregation. ``parameter``: shape (T,) for topk, bottomk and quantile, a label's name for count_values."""
    groups: dict[Labels, list[int]] = {}
    for i, labels in enumerate(operand.labels):
        key = only(labels, node.labels) if node.by else without(labels, [*node.labels, "__name__"])
        groups.setdefault(key, []).append(i)
    produced: list[Row] = []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns of all-NaN slices, which mean an absent result
        for key, members in groups.items():
            produced.extend(_group(node.op, key, operand, members, parameter))
    frame = frame_of(operand.times, produced)
    return _ranked(node.op, frame) if node.op in ("topk", "bottomk") and len(frame.times) == 1 else frame


def _group(op: str, key: Labels, operand: Frame, members: list[int], parameter: Value | None) -> Iterable[Row]:
    values, present = operand.values[members], operand.present[members]
    if op in _THEMSELVES and len(members) == 1:
        return [(key, values[0], present[0])]
    if op in ("topk", "bottomk"):
        kept = _best(values, present, _scalar(parameter), largest=op == "topk")
        return [(operand.labels[i], operand.values[i], kept[n]) for n, i in enumerate(members)]
    if op == "count_values":
        return _count_values(key, values, present, str(parameter))
    anywhere = np.any(present, axis=0)
    if op == "quantile":
        return [(key, _quantile(values, present, _scalar(parameter)), anywhere)]
    return [(key, _SIMPLE[op](values, present), anywhere)]


def _scalar(parameter: Value | None) -> Floats:
    if not isinstance(parameter, np.ndarray):
        raise QueryError("bad_data", "expected type scalar in aggregation parameter")
    return parameter


def _sum(values: Floats, present: Bools) -> Floats:
    return np.where(present, values, 0.0).sum(axis=0)


def _avg(values: Floats, present: Bools) -> Floats:
    return _sum(values, present) / present.sum(axis=0)


def _variance(values: Floats, present: Bools) -> Floats:
    return _avg((values - _avg(values, present)) ** 2, present)


def _least(values: Floats, present: Bools) -> Floats:
    # NaN gives way to any number, but is the answer where there is nothing else.
    return np.fmin.reduce(np.where(present, values, np.nan), axis=0)


_SIMPLE: Mapping[str, Callable[[Floats, Bools], Floats]] = {
    "sum": _sum,
    "avg": _avg,
    "min": _least,
    "max": lambda values, present: -_least(-values, present),
    "count": lambda _, present: present.sum(axis=0).astype(np.float64),
    "group": lambda values, _: np.ones(values.shape[1]),
    "stdvar": _variance,
    "stddev": lambda values, present: np.sqrt(_variance(values, present)),
}


_THEMSELVES = frozenset({"sum", "avg", "min", "max"})
"""What gives a series that is alone in its group as it is."""


def _best(values: Floats, present: Bools, count: Floats, *, largest: bool) -> Bools:
    signed = np.where(np.isnan(values), -np.inf, values if largest else -values)
    # Absent ones come after NaN, and NaN after every number.
    order = np.lexsort((-signed, np.isnan(values), ~present), axis=0)
    rank = np.argsort(order, axis=0, kind="stable")
    return present & (rank < np.where(np.isnan(count), 0, count))


def _ranked(op: str, frame: Frame) -> Frame:
    order = np.argsort(-frame.values[:, 0] if op == "topk" else frame.values[:, 0], kind="stable")
    return Frame(frame.times, tuple(frame.labels[i] for i in order), frame.values[order], frame.present[order])


def _quantile(values: Floats, present: Bools, q: Floats) -> Floats:
    # NaN is the least of all, as in Prometheus; absent ones come last.
    order = np.lexsort((values, ~np.isnan(values), ~present), axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    n = present.sum(axis=0)
    place = np.clip(np.nan_to_num(q), 0, 1) * np.maximum(n - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(n - 1, 0))
    column = np.arange(values.shape[1])
    weight = place - low
    between = ordered[low, column] * (1 - weight) + ordered[high, column] * weight
    return np.where(np.isnan(q), np.nan, np.where(q < 0, -np.inf, np.where(q > 1, np.inf, between)))


def _count_values(key: Labels, values: Floats, present: Bools, label: str) -> Iterable[Row]:
    for value in np.unique(values[present]):
        same = present & ((values == value) | (np.isnan(values) & np.isnan(value)))
        yield make_labels({**dict(key), label: number(value)}), same.sum(axis=0).astype(np.float64), same.any(axis=0)


def number(value: float) -> str:
    """Print a number as Prometheus prints it in a label: without an exponent, with no needless digit."""
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if np.isnan(value) else np.format_float_positional(value, trim="-")
