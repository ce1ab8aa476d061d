"""Which parts of a query are the source's and which are ours."""

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
import promql_parser as promql

from driftband.query.binary import binary
from driftband.query.errors import cannot
from driftband.query.functions import ELEMENTWISE, SHAPING
from driftband.query.names import NATIVE
from driftband.query.nodes import (
    Aggregation,
    BandCall,
    Binary,
    Call,
    Matcher,
    Matching,
    Negation,
    Node,
    Number,
    Remote,
    Selector,
    Text,
)
from driftband.query.parse import Parsed, ParsedCall, parse, parse_tokens
from driftband.query.tokens import Token, syntax_error
from driftband.query.windows import EXTRAPOLATED, OVER_TIME

_AGGREGATIONS = {
    "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values",
}  # fmt: skip
_CLOCK = frozenset({"time", "vector"})
"""What asks nobody: it is answered here, so that it does not fail with the source."""
_LOCAL_ONLY = {*EXTRAPOLATED, "histogram_quantile"}
_MATCH_OPS = (
    (promql.MatchOp.Equal, "="),
    (promql.MatchOp.NotEqual, "!="),
    (promql.MatchOp.Re, "=~"),
    (promql.MatchOp.NotRe, "!~"),
)
_MANY: tuple[tuple[promql.VectorMatchCardinality, Literal["left", "right"]], ...] = (
    (promql.VectorMatchCardinality.ManyToOne, "left"),
    (promql.VectorMatchCardinality.OneToMany, "right"),
)


def plan(text: str) -> Node:
    """Read a query and plan it: parts without ours become ``Remote``.

    Raises:
        QueryError: bad_data where the text is wrong, execution where it asks for what cannot be done here.
    """
    return _kept(text) if len(text) <= _SHORT else _plan(text)


def _plan(text: str) -> Node:
    parsed = parse(text)
    return _Planner(parsed, everything_local=False).node(parsed.tree)


_SHORT = 8_192
"""Characters of a query whose plan is kept: what panels ask for comes again and again."""
_kept = lru_cache(maxsize=500)(_plan)


def plan_local(text: str) -> Node:
    """Plan a query for a store of ours, where no server could take a part of it."""
    parsed = parse(text)
    return _Planner(parsed, everything_local=True).node(parsed.tree)


_ASK_A_PROMETHEUS = "put a Prometheus behind driftband, as `docker compose up` does"


class _Planner:
    def __init__(self, parsed: Parsed, *, everything_local: bool) -> None:
        self._parsed = parsed
        self._local = everything_local

    def node(self, tree: promql.Expr) -> Node:  # noqa: C901 - one case for each kind of node
        """Plan one node of the tree and what is below it."""
        match tree:
            case promql.ParenExpr():
                return self.node(tree.expr)
            case promql.NumberLiteral():
                return Number(tree.val)
            case promql.StringLiteral():
                return Text(self._parsed.string(tree.val))
        constant = _constant(tree)
        if constant is not None:
            return Number(constant)
        if not self._local and not self._has_ours(tree) and not _asks_nobody(tree):
            return Remote(self._parsed.restore(str(tree)), scalar=is_scalar(tree))
        match tree:
            case promql.VectorSelector():
                return self._selector(tree)
            case promql.MatrixSelector():
                return self._selector(tree.vector_selector, window=tree.range)
            case promql.UnaryExpr():
                return Negation(self.node(tree.expr))
            case promql.BinaryExpr():
                return Binary(
                    str(tree.op),
                    self.node(tree.lhs),
                    self.node(tree.rhs),
                    _matching(tree.modifier),
                    returns_bool=tree.modifier is not None and tree.modifier.return_bool,
                )
            case promql.AggregateExpr():
                return self._aggregation(tree)
            case promql.Call():
                return self._call(tree)
        raise self._no_subquery()

    def _no_subquery(self) -> Exception:
        if self._local:
            return cannot("the sample world and replays evaluate no subqueries", _ASK_A_PROMETHEUS)
        return cannot(
            "a subquery over what driftband computes cannot be evaluated here",
            "use max_over_time(driftband_anomaly_score{signal=...}[1h]) on a named signal",
        )

    def _selector(self, tree: promql.VectorSelector, window: timedelta | None = None) -> Node:
        call = self._parsed.call_of(tree.name)
        if call is not None:
            if window is not None or tree.offset is not None or tree.at is not None or tree.matchers.matchers:
                raise cannot(
                    f"{call.name}(...) takes no range, offset or @", "put them on the selectors in its operand"
                )
            return _band_call(self._parsed.text, call)
        if tree.at is not None:
            raise cannot("@ cannot be evaluated here", "use offset, or leave it out")
        matchers = self.matchers(tree)
        return Selector(matchers, tree.offset or timedelta(), window)

    def matchers(self, tree: promql.VectorSelector) -> tuple[Matcher, ...]:
        """Return the matchers of a selector, its name among them."""
        if tree.matchers.or_matchers:
            raise cannot(
                "`or` between matchers cannot be evaluated here", "use a regex or two selectors joined by `or`"
            )
        name = _selector_name(self._parsed, tree)
        named = [Matcher("__name__", "=", name)] if name else []
        others = [
            Matcher(m.name, next(op for kind, op in _MATCH_OPS if kind == m.op), self._parsed.string(m.value))
            for m in tree.matchers.matchers
            if m.name != "__name__" or m.op != promql.MatchOp.Equal
        ]
        return (*named, *others)

    def _aggregation(self, tree: promql.AggregateExpr) -> Node:
        op = str(tree.op)
        if op not in _AGGREGATIONS:
            raise cannot(f"{op} over what driftband computes cannot be evaluated here", "use topk or bottomk")
        modifier = tree.modifier
        by = modifier is None or modifier.type == promql.AggModifierType.By
        parameter = None if tree.param is None else self.node(tree.param)
        return Aggregation(op, self.node(tree.expr), by, tuple(modifier.labels) if modifier else (), parameter)

    def _call(self, tree: promql.Call) -> Node:
        name = tree.func.name
        if any(isinstance(argument, promql.SubqueryExpr) for argument in tree.args):
            raise self._no_subquery()
        known = name in ELEMENTWISE or name in SHAPING or name in OVER_TIME or name in _CLOCK
        if not known and not (self._local and name in _LOCAL_ONLY):
            if self._local:
                raise cannot(f"the sample world and replays do not evaluate {name}()", _ASK_A_PROMETHEUS)
            raise cannot(
                f"{name}() over what driftband computes cannot be evaluated here",
                f"use it inside the operand of our function, or one of {', '.join(sorted({*ELEMENTWISE, *SHAPING}))}",
            )
        return Call(name, tuple(self.node(argument) for argument in tree.args))

    def _has_ours(self, tree: promql.Expr) -> bool:
        return any(
            self._parsed.call_of(s.name) is not None or _selector_name(self._parsed, s) in NATIVE
            for s in selectors(tree)
        )


def selectors(tree: promql.Expr) -> Iterator[promql.VectorSelector]:
    """Yield every selector of a tree."""
    found: list[promql.VectorSelector] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(tree, visit)
    yield from found


def _selector_name(parsed: Parsed, tree: promql.VectorSelector) -> str | None:
    if tree.name and not tree.name.startswith("drb_string_"):
        return str(tree.name)
    quoted = tree.name or next(
        (m.value for m in tree.matchers.matchers if m.name == "__name__" and m.op == promql.MatchOp.Equal), None
    )
    return parsed.string(quoted) if quoted else None


def is_scalar(tree: promql.Expr) -> bool:
    """Whether an expression gives one number an instant."""
    match tree:
        case promql.NumberLiteral():
            return True
        case promql.ParenExpr() | promql.UnaryExpr():
            return is_scalar(tree.expr)
        case promql.BinaryExpr():
            return is_scalar(tree.lhs) and is_scalar(tree.rhs)
        case promql.Call():
            return bool(tree.func.return_type == promql.ValueType.Scalar)
    return False


def _asks_nobody(tree: promql.Expr) -> bool:
    """Whether an expression is made of numbers and the clock alone."""
    match tree:
        case promql.NumberLiteral():
            return True
        case promql.ParenExpr() | promql.UnaryExpr():
            return _asks_nobody(tree.expr)
        case promql.BinaryExpr():
            return _asks_nobody(tree.lhs) and _asks_nobody(tree.rhs)
        case promql.Call():
            return tree.func.name in _CLOCK and all(_asks_nobody(argument) for argument in tree.args)
    return False


def _constant(tree: promql.Expr) -> float | None:
    """Return the value of arithmetic on literals alone, such as ``-5`` or ``1 - 0.01``."""
    match tree:
        case promql.NumberLiteral():
            return float(tree.val)
        case promql.ParenExpr():
            return _constant(tree.expr)
        case promql.UnaryExpr():
            value = _constant(tree.expr)
            # promql-parser keeps a unary plus as no node at all.
            return None if value is None else -value
        case promql.BinaryExpr():
            left, right = _constant(tree.lhs), _constant(tree.rhs)
            if left is None or right is None:
                return None
            result = binary(str(tree.op), np.array([left]), np.array([right]), Matching(), returns_bool=True)
            return float(result[0]) if isinstance(result, np.ndarray) else None
    return None


def _matching(modifier: promql.BinModifier | None) -> Matching:
    if modifier is None:
        return Matching()
    if modifier.fill_values is not None and (
        modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None
    ):
        raise cannot("fill() cannot be evaluated here", "use `or` with the value to fill in")
    label = modifier.matching
    return Matching(
        on=label is not None and label.type == promql.LabelModifierType.Include,
        labels=tuple(label.labels) if label is not None else (),
        many=next((side for card, side in _MANY if card == modifier.card), None),
        include=tuple(modifier.group_labels or ()),
    )


def _band_call(text: str, call: ParsedCall) -> BandCall:
    _check_operand(text, call)
    rest = list(call.rest)
    limit = None
    if call.name == "time_to_breach":
        limit = _scalar_argument(text, call, rest.pop(0), "limit")
    model = None
    if rest and len(rest[-1]) == 1 and rest[-1][0].kind == "string" and call.name != "time_to_breach":
        model = parse_tokens(text, list(rest.pop())).strings[0][1:-1]
    level = None
    if rest:
        level = _level(text, call, rest.pop(0))
    if rest:
        raise syntax_error(text, rest[0][0].start, f'expected type string as the model in call to "{call.name}"')
    return BandCall(call.name, call.operand_text, level, model, limit)


def _scalar_argument(text: str, call: ParsedCall, argument: tuple[Token, ...], what: str) -> Node:
    parsed = parse_tokens(text, list(argument))
    if not is_scalar(parsed.tree):
        raise syntax_error(text, call.place, f'expected type scalar as the {what} in call to "{call.name}"')
    return _Planner(parsed, everything_local=False).node(parsed.tree)


def _level(text: str, call: ParsedCall, argument: tuple[Token, ...]) -> float:
    node = _scalar_argument(text, call, argument, "level")
    if not isinstance(node, Number):
        raise syntax_error(text, call.place, f"the level of {call.name} must be a number literal such as 0.99")
    if not 0 < node.value < 1:
        raise syntax_error(
            text, call.place, f"the level of {call.name} must lie strictly between 0 and 1, got {node.value:g}"
        )
    return node.value


def _check_operand(text: str, call: ParsedCall) -> None:
    operand = call.operand
    if operand.calls or any(_selector_name(operand, s) in NATIVE for s in selectors(operand.tree)):
        raise cannot(
            f"the operand of {call.name}() names something of driftband's",
            "give it plain PromQL that the source can answer",
        )
    if is_scalar(operand.tree) or isinstance(operand.tree, promql.StringLiteral):
        raise syntax_error(
            text, call.place, f'expected type instant vector in call to function "{call.name}", got scalar'
        )
    if isinstance(operand.tree, promql.MatrixSelector | promql.SubqueryExpr):
        raise syntax_error(
            text, call.place, f'expected type instant vector in call to function "{call.name}", got range vector'
        )

    def visit(node: promql.Expr) -> None:
        if getattr(node, "at", None) is not None:
            raise cannot(
                f"the operand of {call.name}() uses @, so its band would see data from after the instant",
                "use offset with a positive duration instead",
            )
        offset = getattr(node, "offset", None)
        if offset is not None and offset < timedelta():
            raise cannot(
                f"the operand of {call.name}() has a negative offset, so its band would see data from after the instant",
                "use a positive offset, or none",
            )

    promql.walk(operand.tree, visit)
