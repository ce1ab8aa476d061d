"""Binary operations between scalars and vectors, with Prometheus's matching.

Format: https://prometheus.io/docs/prometheus/latest/querying/operators/. Matching is worked out once for each pair of
series, and duplicates are looked for instant by instant, as Prometheus does.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np

from driftband.model.series import Bools, Floats, Frame, Labels, make_labels
from driftband.query.errors import QueryError
from driftband.query.nodes import Matching
from driftband.query.values import Row, Value, frame_of, only, rows, show, without

_ARITHMETIC: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
_COMPARISON: Mapping[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
_SETS = ("and", "or", "unless")
_NO_ROWS = np.zeros(0, dtype=np.bool_)


def binary(op: str, left: Value, right: Value, matching: Matching, *, returns_bool: bool) -> Value:
    """Evaluate ``left op right``. The parser has refused what makes no sense, such as sets of scalars."""
    if isinstance(left, str) or isinstance(right, str):
        raise QueryError("bad_data", "binary expression must contain only scalar and instant vector types")
    with np.errstate(all="ignore"):
        if isinstance(left, Frame) and isinstance(right, Frame):
            if op in _SETS:
                return _set(op, left, right, matching)
            return _vectors(op, left, right, matching, returns_bool=returns_bool)
        if isinstance(left, Frame):
            return _with_scalar(op, left, right, returns_bool=returns_bool, scalar_first=False)  # type: ignore[arg-type]
        if isinstance(right, Frame):
            return _with_scalar(op, right, left, returns_bool=returns_bool, scalar_first=True)
        return _ARITHMETIC[op](left, right) if op in _ARITHMETIC else _COMPARISON[op](left, right).astype(np.float64)


def _with_scalar(op: str, frame: Frame, scalar: Floats, *, returns_bool: bool, scalar_first: bool) -> Frame:
    def one(values: Floats, present: Bools) -> tuple[Floats, Bools]:
        left, right = (scalar, values) if scalar_first else (values, scalar)
        if op in _ARITHMETIC:
            return _ARITHMETIC[op](left, right), present
        holds = _COMPARISON[op](left, right)
        return (holds.astype(np.float64), present) if returns_bool else (values, present & holds)

    drops_name = op in _ARITHMETIC or returns_bool
    return frame_of(
        frame.times,
        (
            (without(labels, ["__name__"]) if drops_name else labels, *one(values, present))
            for labels, values, present in rows(frame)
        ),
    )


def _signature(labels: Labels, matching: Matching) -> Labels:
    return only(labels, matching.labels) if matching.on else without(labels, [*matching.labels, "__name__"])


def _set(op: str, left: Frame, right: Frame, matching: Matching) -> Frame:
    there_left = _there(left, matching)
    there_right = _there(right, matching)
    nowhere = np.zeros(len(left.times), dtype=np.bool_)

    def kept(labels: Labels, present: Bools, others: Mapping[Labels, Bools], *, wanted: bool) -> Bools:
        other = others.get(_signature(labels, matching), nowhere)
        return present & (other if wanted else ~other)

    if op == "or":
        return frame_of(
            left.times,
            [*rows(left), *((la, v, kept(la, p, there_left, wanted=False)) for la, v, p in rows(right))],
        )
    return frame_of(left.times, ((la, v, kept(la, p, there_right, wanted=op == "and")) for la, v, p in rows(left)))


def _there(frame: Frame, matching: Matching) -> dict[Labels, Bools]:
    result: dict[Labels, Bools] = {}
    for labels, _, present in rows(frame):
        signature = _signature(labels, matching)
        result[signature] = result[signature] | present if signature in result else present
    return result


def _vectors(op: str, left: Frame, right: Frame, matching: Matching, *, returns_bool: bool) -> Frame:
    swapped = matching.many == "right"
    many, one = (right, left) if swapped else (left, right)
    busy = np.any(many.present, axis=0) & np.any(one.present, axis=0)
    groups = _groups(one, matching)
    _refuse_duplicates(groups, busy, side="left" if swapped else "right")
    produced: list[Row] = []
    taken: dict[tuple[Labels, Labels], Bools] = {}
    for labels, values, present in rows(many):
        signature = _signature(labels, matching)
        for other, other_values, other_present in groups.get(signature, ()):
            lhs, rhs = (other_values, values) if swapped else (values, other_values)
            result, kept = _apply(op, lhs, rhs, present & other_present, returns_bool=returns_bool)
            if not kept.any():
                continue
            metric = _result_labels(labels, other, op, matching, returns_bool=returns_bool)
            key = (signature, () if matching.many is None else metric)
            if (taken.get(key, np.zeros_like(kept)) & kept).any():
                raise QueryError("execution", _ambiguous(matching))
            taken[key] = taken[key] | kept if key in taken else kept
            produced.append((metric, result, kept))
    return frame_of(left.times, produced)


def _groups(one: Frame, matching: Matching) -> dict[Labels, list[Row]]:
    groups: dict[Labels, list[Row]] = defaultdict(list)
    for row in rows(one):
        groups[_signature(row[0], matching)].append(row)
    return groups


def _refuse_duplicates(groups: Mapping[Labels, list[Row]], busy: Bools, side: str) -> None:
    for signature, members in groups.items():
        seen = np.zeros_like(busy)
        for labels, _, present in members:
            if (seen & present & busy).any():
                raise QueryError(
                    "execution",
                    f"found duplicate series for the match group {show(signature)} on the {side} hand-side of the operation: "
                    f"[{show(labels)}, {show(members[0][0])}];many-to-many matching not allowed: matching labels must be "
                    "unique on one side",
                )
            seen = seen | present


def _ambiguous(matching: Matching) -> str:
    if matching.many is None:
        return "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
    return "multiple matches for labels: grouping labels must ensure unique matches"


def _apply(op: str, left: Floats, right: Floats, present: Bools, *, returns_bool: bool) -> tuple[Floats, Bools]:
    if op in _ARITHMETIC:
        return _ARITHMETIC[op](left, right), present
    holds = _COMPARISON[op](left, right)
    return (holds.astype(np.float64), present) if returns_bool else (left, present & holds)


def _result_labels(many: Labels, one: Labels, op: str, matching: Matching, *, returns_bool: bool) -> Labels:
    labels = without(many, ["__name__"]) if op in _ARITHMETIC or returns_bool else many
    if matching.many is None:
        labels = only(labels, matching.labels) if matching.on else without(labels, matching.labels)
    if not matching.include:
        return labels
    from_one = dict(one)
    return make_labels({**dict(labels), **{name: from_one.get(name, "") for name in matching.include}})
