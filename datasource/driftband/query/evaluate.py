"""Evaluation of what stands above ours in a query, at all its instants at once."""

from typing import Protocol

import numpy as np

from driftband.model.samples import Samples
from driftband.model.series import Floats, Frame, Instants
from driftband.query.aggregate import aggregate
from driftband.query.binary import binary
from driftband.query.errors import bad_data, cannot
from driftband.query.functions import ELEMENTWISE, SHAPING, elementwise
from driftband.query.histogram import histogram_quantile
from driftband.query.nodes import (
    Aggregation,
    BandCall,
    Binary,
    Call,
    Matching,
    Negation,
    Node,
    Number,
    Remote,
    Selector,
    Text,
)
from driftband.query.values import Value, frame_of, nameless
from driftband.query.windows import EXTRAPOLATED, OVER_TIME, extrapolated, over_time


class Leaves(Protocol):
    """What an evaluation stands on: whoever answers the parts that are not evaluated here."""

    @property
    def times(self) -> Instants:
        """The instants of the query, epoch ms."""

    def remote(self, node: Remote) -> Value:
        """Answer a part of the source's at ``times``."""

    def select(self, selector: Selector) -> Frame:
        """Answer an instant selector at ``times``."""

    def stamps(self, selector: Selector) -> Frame:
        """Answer it with the times of its samples instead of their values, epoch seconds."""

    def samples(self, selector: Selector) -> list[Samples]:
        """Answer a range selector: every sample that any of its windows covers."""

    def band(self, call: BandCall, limit: Floats | None) -> Frame:
        """Answer a call of a function of ours at ``times``."""


def evaluate(node: Node, leaves: Leaves) -> Value:  # noqa: C901 - one case for each kind of node
    """Evaluate a planned query.

    Raises:
        QueryError: for what has no meaning (duplicate matches, say) or cannot be evaluated here.
    """
    match node:
        case Number():
            return np.full(len(leaves.times), node.value)
        case Text():
            return node.value
        case Remote():
            return leaves.remote(node)
        case Selector(window=None):
            return leaves.select(node)
        case Selector():
            raise bad_data("a range selector cannot stand alone; put a function such as max_over_time around it")
        case BandCall():
            limit = None if node.limit is None else _scalar(evaluate(node.limit, leaves), node.function)
            return leaves.band(node, limit)
        case Negation():
            value = evaluate(node.operand, leaves)
            return binary("*", value, np.full(len(leaves.times), -1.0), Matching(), returns_bool=False)
        case Binary():
            left, right = evaluate(node.left, leaves), evaluate(node.right, leaves)
            return binary(node.op, left, right, node.matching, returns_bool=node.returns_bool)
        case Aggregation():
            parameter = None if node.parameter is None else evaluate(node.parameter, leaves)
            return aggregate(node, _vector(evaluate(node.operand, leaves), node.op), parameter)
        case Call():
            return _call(node, leaves)


def _call(node: Call, leaves: Leaves) -> Value:
    name = node.function
    if name in OVER_TIME or name in EXTRAPOLATED:
        return _over_range(node, leaves)
    if name == "time":
        return leaves.times / 1000.0
    if name == "timestamp" and isinstance(node.arguments[0], Selector):
        return nameless(leaves.stamps(node.arguments[0]))
    arguments = [evaluate(argument, leaves) for argument in node.arguments]
    if name == "vector":
        return frame_of(leaves.times, [((), _scalar(arguments[0], name), np.ones(len(leaves.times), dtype=np.bool_))])
    if name == "histogram_quantile":
        return histogram_quantile(_scalar(arguments[0], name), _vector(arguments[1], name))
    if name in ELEMENTWISE:
        return elementwise(name, _vector(arguments[0], name), [_scalar(a, name) for a in arguments[1:]])
    return SHAPING[name](_vector(arguments[0], name), node, arguments[1:])


def _over_range(node: Call, leaves: Leaves) -> Frame:
    selector = next((a for a in node.arguments if isinstance(a, Selector)), None)
    if selector is None or selector.window is None:
        raise cannot(f"{node.function}() needs a selector with a range", "write it as driftband_anomaly_score{...}[1h]")
    scalars = [_scalar(evaluate(a, leaves), node.function) for a in node.arguments if a is not selector]
    window = round(selector.window.total_seconds() * 1000)
    times = leaves.times - round(selector.offset.total_seconds() * 1000)
    series = leaves.samples(selector)
    if node.function in EXTRAPOLATED:
        frame = extrapolated(node.function, series, times, window)
    else:
        frame = over_time(node.function, series, times, window, scalars)
    return Frame(leaves.times, frame.labels, frame.values, frame.present)


def _vector(value: Value, where: str) -> Frame:
    if not isinstance(value, Frame):
        raise bad_data(
            f"expected type instant vector in {where}, got {'string' if isinstance(value, str) else 'scalar'}"
        )
    return value


def _scalar(value: Value, where: str) -> Floats:
    if isinstance(value, Frame | str):
        raise bad_data(
            f"expected type scalar in {where}, got {'string' if isinstance(value, str) else 'instant vector'}"
        )
    return value
