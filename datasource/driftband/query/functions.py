"""Functions over instant vectors, as Prometheus defines them.

Format: https://prometheus.io/docs/prometheus/latest/querying/functions/. ``ELEMENTWISE`` change values one by one,
``SHAPING`` look at labels, order or presence, and those of ``windows.OVER_TIME`` look back over a range.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import re2

from driftband.model.series import Floats, Frame, Labels, make_labels
from driftband.query.errors import bad_data, cannot
from driftband.query.nodes import Call, Selector
from driftband.query.values import Value, frame_of, nameless, rows

ELEMENTWISE: Mapping[str, Callable[..., Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sgn": np.sign,
    "deg": np.degrees,
    "rad": np.radians,
    "clamp": lambda v, low, high: np.where(low > high, np.nan, np.maximum(np.minimum(v, high), low)),
    "clamp_min": np.maximum,
    "clamp_max": np.minimum,
    "round": lambda v, to=1.0: np.floor(v * (1.0 / to) + 0.5) / (1.0 / to),
}


def elementwise(name: str, frame: Frame, arguments: list[Floats]) -> Frame:
    """Apply a function of ``ELEMENTWISE``; scalar arguments have shape (T,)."""
    with np.errstate(all="ignore"):
        values = ELEMENTWISE[name](frame.values, *arguments)
    present = frame.present
    if name == "clamp":
        present = present & ~(arguments[0] > arguments[1])
    return nameless(Frame(frame.times, frame.labels, values, present))


def _absent(frame: Frame, node: Call, _: list[Value]) -> Frame:
    nowhere = ~np.any(frame.present, axis=0)
    argument = node.arguments[0]
    labels: Labels = ()
    if isinstance(argument, Selector):
        named = [m for m in argument.matchers if m.name != "__name__"]
        once = [m for m in named if m.op == "=" and sum(o.name == m.name for o in named) == 1]
        labels = make_labels({m.name: m.value for m in once})
    return frame_of(frame.times, [(labels, np.ones(len(frame.times)), nowhere)])


def _scalar(frame: Frame, _node: Call, _: list[Value]) -> Floats:
    single = frame.present.sum(axis=0) == 1
    return np.where(single, np.where(frame.present, frame.values, 0.0).sum(axis=0), np.nan)


def _sort(frame: Frame, node: Call, _: list[Value]) -> Frame:
    if len(frame.times) != 1:
        return frame
    column = frame.values[:, 0]
    order = np.argsort(-column if node.function == "sort_desc" else column, kind="stable")
    return Frame(frame.times, tuple(frame.labels[i] for i in order), frame.values[order], frame.present[order])


def _label_replace(frame: Frame, _node: Call, arguments: list[Value]) -> Frame:
    target, replacement, source, pattern = (str(a) for a in arguments)
    _check_label(target, "label_replace")
    compile_regex(pattern)  # which may be wrong though there is nothing to replace

    def replaced(labels: Labels) -> Labels:
        value = _replaced(pattern, replacement, dict(labels).get(source, ""))
        return labels if value is None else make_labels({**dict(labels), target: value})

    return frame_of(frame.times, ((replaced(labels), v, p) for labels, v, p in rows(frame)))


def _label_join(frame: Frame, _node: Call, arguments: list[Value]) -> Frame:
    target, separator, *sources = (str(a) for a in arguments)
    _check_label(target, "label_join")

    def joined(labels: Labels) -> Labels:
        known = dict(labels)
        return make_labels({**known, target: separator.join(known.get(s, "") for s in sources)})

    return frame_of(frame.times, ((joined(labels), v, p) for labels, v, p in rows(frame)))


def _timestamp(frame: Frame, _node: Call, _: list[Value]) -> Frame:
    times = np.broadcast_to(frame.times / 1000.0, frame.values.shape)
    return nameless(Frame(frame.times, frame.labels, times, frame.present))


SHAPING: Mapping[str, Callable[[Frame, Call, list[Value]], Value]] = {
    "absent": _absent,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "scalar": _scalar,
    "sort": _sort,
    "sort_desc": _sort,
    "timestamp": _timestamp,
}


@lru_cache(maxsize=1000)
def compile_regex(pattern: str) -> "re2._Regexp[str]":
    """Compile a regex of Prometheus's dialect (RE2, which takes linear time whatever the pattern).

    Raises:
        QueryError: bad_data with RE2's reason.
    """
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise bad_data(f"invalid regular expression {pattern!r}: {reason}") from None


@lru_cache(maxsize=16_384)
def _replaced(pattern: str, replacement: str, value: str) -> str | None:
    """Return what takes the place of a value, None where it does not match. The same few values come again and again."""
    match = compile_regex(pattern).fullmatch(value)
    return None if match is None else _expand(replacement, match)


_GROUP = re2.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


def _expand(template: str, match: "re2._Match[str]") -> str:
    """Fill in ``$1``, ``${1}`` and ``${name}`` as Go's Regexp.Expand does: an unknown group is empty."""

    def value(found: "re2._Match[str]") -> str:
        name = found.group(1) or found.group(2)
        if name is None:
            return "$"
        try:
            return match.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, re2.error, KeyError):
            return ""

    return _GROUP.sub(value, template)


def _check_label(name: str, function: str) -> None:
    if not re2.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name):
        raise cannot(f"invalid destination label name in {function}(): {name}", "use letters, digits and _")
