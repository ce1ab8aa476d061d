"""The picture of a finding: the values and the band that were kept with it, and what was changed about then."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.moment import to_ms
from driftband.model.series import Floats
from driftband.web.plot import Mark, Plot, finite

_BEFORE_MS = 2 * 3_600_000
"""A change this long before the first kept value is in the picture; one still earlier would press the values together."""
_MOST_CHANGES = 3
_MARGIN = 0.04
"""Of the time axis, on both sides."""
_MINUTE = 60_000


def plot_of(finding: Finding, changes: Sequence[Change]) -> Plot | None:
    """Return the picture of a finding's evidence, None where none was kept. changes: the most suspected first."""
    kept = finding.evidence
    times = kept.get("times")
    if not _numbers(times) or not times or any(late <= early for early, late in pairwise(times)):
        return None
    rows = {name: _row(kept.get(name), len(times)) for name in ("values", "expected", "lower", "upper")}
    first, last = int(times[0]), int(times[-1])
    near = [c for c in changes if first - _BEFORE_MS <= to_ms(c.started_at) <= last][:_MOST_CHANGES]
    begin = min([first, *(to_ms(change.started_at) for change in near)])
    margin = max(int((last - begin) * _MARGIN), 5 * _MINUTE)
    marks = [
        Mark(kind="change", at=to_ms(c.started_at), until=_end(c), name=_name(c), row=row) for row, c in enumerate(near)
    ]
    if begin <= to_ms(finding.opened_at) <= last:
        marks.append(Mark(kind="opened", at=to_ms(finding.opened_at)))
    values = rows["values"]
    unit = kept.get("unit")
    try:
        return Plot(
            times=np.asarray(times, np.int64),
            actual=np.full(len(times), np.nan) if values is None else values,
            expected=rows["expected"],
            lower=rows["lower"],
            upper=rows["upper"],
            start=begin - margin,
            end=last + margin,
            unit=unit if isinstance(unit, str) else "",
            marks=tuple(marks),
        )
    except ValueError:
        return None


def _row(values: Any, length: int) -> Floats | None:
    if not isinstance(values, list) or len(values) != length or not _numbers([v for v in values if v is not None]):
        return None
    return finite(values)


def _numbers(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _end(change: Change) -> int | None:
    return None if change.ended_at is None else to_ms(change.ended_at)


def _name(change: Change) -> str:
    name = change.summary or change.id
    return name if len(name) <= 28 else f"{name[:27]}\N{HORIZONTAL ELLIPSIS}"  # noqa: PLR2004 - fits beside its line
