"""Native series of state: intervals in the store, seen at the instants of a query."""

from collections.abc import Iterable, Sequence

import numpy as np

from driftband.model.interval import Interval, Intervals
from driftband.model.series import Bools, Frame, Instants, Labels, make_labels
from driftband.query.errors import cannot
from driftband.query.native import met
from driftband.query.nodes import Selector
from driftband.query.values import Row, frame_of

MOST_INTERVALS = 20_000
"""Intervals that one selector may touch."""
LOOK_BACK = 300_000
"""How far an instant query looks back for a change (ms), as Prometheus does for a sample."""
_NEVER = np.iinfo(np.int64).max
TOUCHED = {"driftband_change"}
"""Series that are there at every step whose interval touches them: no short apply falls between two steps."""


_NOT_NARROWING = ("__name__", "severity")
"""What no store narrows by: severity is that of the beginning. One look serves selectors that differ in it alone."""


def select_states(find: Intervals, selector: Selector, times: Instants, step: int | None, now: int) -> Frame:
    """Answer a selector of a state series at ``times`` (epoch ms, ascending); what is asked of the future is as of now.

    step: of the query, None for an instant one.
    """
    asked = np.minimum(times, now)
    reach = (step or LOOK_BACK) if selector.metric in TOUCHED else 0
    found = states(find, selector, int(asked[0]) - reach, int(asked[-1])) if len(asked) else []
    present = _present([one for _, one in found], asked, reach)
    there = np.flatnonzero(present.any(axis=1)).tolist()
    labels = tuple(found[row][0] for row in there)
    values = np.array([found[row][1].value for row in there], dtype=np.float64)
    values, present = np.repeat(values[:, None], len(times), axis=1), present[there]
    if len(set(labels)) == len(labels):
        return Frame(times, labels, values, present)
    return frame_of(times, _turns(zip(labels, values, present, strict=True)))


def states(find: Intervals, selector: Selector, start: int, end: int) -> list[tuple[Labels, Interval]]:
    """Return the intervals that touch ``[start, end]`` and satisfy a selector, with their labels.

    Raises:
        QueryError: where there are more than ``MOST_INTERVALS``.
    """
    name = str(selector.metric)
    equal = {m.name: m.value for m in selector.matchers if m.op == "=" and m.value and m.name not in _NOT_NARROWING}
    found = find(name, start, end, equal, MOST_INTERVALS + 1)
    if len(found) > MOST_INTERVALS:
        raise cannot(
            f"{name} has more than {MOST_INTERVALS} series in this range",
            "ask for a shorter one, or narrow it, as in " + name + '{workspace="prod/network"}',
        )
    named = (({**one.labels, "__name__": name}, one) for one in found)
    return [(make_labels(labels), one) for labels, one in named if met(selector.matchers, labels)]


def _present(found: Sequence[Interval], times: Instants, reach: int) -> Bools:
    """Return which of the intervals, shape (n, T), are there at which instants."""
    starts = np.array([one.start for one in found], dtype=np.int64)[:, None]
    ends = np.array([_NEVER if one.end is None else one.end for one in found], dtype=np.int64)[:, None]
    present: Bools = (times >= starts) & (ends > times - reach)
    return present


def _turns(rows: Iterable[Row]) -> Sequence[Row]:
    """Join rows of equal labels, the later going before: what closes and opens anew within one step is one series."""
    joined: dict[Labels, Row] = {}
    for labels, values, present in rows:
        if labels in joined:
            _, old, there = joined[labels]
            values, present = np.where(present, values, old), present | there  # noqa: PLW2901 - the later of two
        joined[labels] = (labels, values, present)
    return list(joined.values())
