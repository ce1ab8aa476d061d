"""Instants of evidence: aware UTC datetimes, to the millisecond, as RFC 3339 writes them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_YEARS = range(1970, 9000)
"""Of what is said in evidence: there is room on both sides to reckon in, and Go's zero time, year 1, is none."""


def utc(moment: datetime) -> datetime:
    """Return an aware time in UTC, cut to milliseconds; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"a time needs an offset, got {moment.isoformat()}")
    return from_ms(to_ms(moment))


def to_ms(moment: datetime) -> int:
    """Return the epoch milliseconds of an aware time."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the time of epoch milliseconds; ValueError beyond the years 1 to 9999."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise ValueError("a time must lie in the years 1 to 9999") from None


def parse_moment(text: object) -> datetime:
    """Read an RFC 3339 time with an offset, such as 2026-11-24T10:00:00Z, of ``_YEARS``; ValueError otherwise."""
    expected = "expected an RFC 3339 time with an offset, such as 2026-11-24T10:00:00Z, from the year 1970 on"
    if not isinstance(text, str) or "T" not in text.upper():
        raise ValueError(expected)
    try:
        moment = utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ValueError(expected) from None
    if moment.year not in _YEARS:
        raise ValueError(expected)
    return moment


def show_moment(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC, with milliseconds only where there are some."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z"
