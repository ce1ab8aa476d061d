"""Intervals by their length: what touched an instant long ago is found without reading what has ended since.

An index on the end is read from that instant to now. An interval of at most an hour that touched it began at most an hour
before it, so that each length needs only a piece of an index on its beginnings.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam

_HOUR = timedelta(hours=1)
_AT_MOST = (_HOUR, 8 * _HOUR, 64 * _HOUR, 512 * _HOUR, 4096 * _HOUR)
"""The longest of each span; what is longer is of one more. At the worst eight times as much is read as is found."""


def span_of(began: datetime, ended: datetime | None) -> int | None:
    """Return the span of an interval, as it is kept; None while it has no end."""
    return None if ended is None else bisect_left(_AT_MOST, ended - began)


def not_ended_before(
    span: ColumnElement[int], began: ColumnElement[datetime], ended: ColumnElement[datetime]
) -> Iterator[ColumnElement[bool]]:
    """Yield a condition for each span: that the interval ends after the start whose ``bounds`` are its parameters."""
    after = ended > bindparam("start")
    for number in range(len(_AT_MOST)):
        yield and_(span == number, began > bindparam(f"start_{number}"), after)
    yield and_(span == len(_AT_MOST), after)


def bounds(start: datetime) -> dict[str, datetime]:
    """Return the parameters of the conditions above."""
    return {"start": start, **{f"start_{number}": start - longest for number, longest in enumerate(_AT_MOST)}}
