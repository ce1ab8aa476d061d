"""Native series of named signals: ``driftband_upper{signal="checkout_latency_p99"}`` and its kin."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from driftband.model.series import Labels, make_labels
from driftband.query.functions import compile_regex
from driftband.query.nodes import BandCall, Matcher

_PLAIN = re.compile(r"[\w-]+(\|[\w-]+)*")
"""A pattern that lists values, as a menu of a dashboard does."""
_MOST_VALUES = 20

FUNCTION_OF = {
    "driftband_actual": "actual",
    "driftband_expected": "forecast",
    "driftband_lower": "band_lower",
    "driftband_upper": "band_upper",
    "driftband_anomaly_score": "anomaly_score",
}


@dataclass(frozen=True)
class Signal:
    """A named PromQL expression with a level and a model of its own, or those of ``bands``."""

    name: str
    expr: str
    level: float | None = None
    model: str | None = None


def matches(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether a label set satisfies all matchers; a label that is not there is empty. Raises QueryError for a bad regex."""
    return met(matchers, dict(labels))


def met(matchers: Iterable[Matcher], known: Mapping[str, str]) -> bool:
    """Whether labels satisfy all matchers; the same as ``matches``, of a mapping."""
    for one in matchers:
        value = known.get(one.name, "")
        if one.op in ("=", "!="):
            if (value == one.value) != (one.op == "="):
                return False
        elif _fits(one.value, value) != (one.op == "=~"):
            return False
    return True


@lru_cache(maxsize=16_384)
def _fits(pattern: str, value: str) -> bool:
    # The same few values, again and again: to look one up takes a tenth of the time that matching takes.
    return compile_regex(pattern).fullmatch(value) is not None


def chosen(signals: Iterable[Signal], matchers: Iterable[Matcher]) -> list[Signal]:
    """Return the signals that a selector's matchers on ``signal`` leave."""
    on_signal = [m for m in matchers if m.name == "signal"]
    return [s for s in signals if matches(on_signal, (("signal", s.name),))]


def call(metric: str, signal: Signal) -> BandCall:
    """Return the call that computes a native series of a signal."""
    return BandCall(FUNCTION_OF[metric], signal.expr, signal.level, signal.model)


def narrowed(expr: str, matchers: Iterable[Matcher]) -> str | None:
    """Return an expression narrowed to the values that matchers name, None where none names any: PromQL has no filter for that."""
    text = f"({expr}\n)"
    narrow = False
    for one in matchers:
        listed = one.op == "=~" and _PLAIN.fullmatch(one.value)
        values = one.value.split("|") if listed else [one.value]
        if not (listed or one.op == "=") or not one.value or len(values) > _MOST_VALUES:
            continue
        parts = (f'label_replace(vector(1), "{one.name}", {json.dumps(value)}, "", "")' for value in values)
        text += f" and on ({one.name}) ({' or '.join(parts)})"
        narrow = True
    return text if narrow else None


def labelled(metric: str, signal: Signal, labels: Labels) -> Labels:
    """Return the labels of a native series: the operand's own, with the name and the signal."""
    return make_labels({**dict(labels), "__name__": metric, "signal": signal.name})


def names_chosen(matchers: Iterable[Matcher]) -> list[str]:
    """Return the names of signals' series that the matchers on ``__name__`` leave."""
    on_name = [m for m in matchers if m.name == "__name__"]
    return [name for name in FUNCTION_OF if matches(on_name, (("__name__", name),))]
