"""Quiet hours, by the clock of the wall."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.respond.quiet import Quiet

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Quiet(begins=time(22), ends=time(7), zone=BERLIN)


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=BERLIN, fold=fold)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        (berlin(2026, 11, 24, 21, 59), None),
        (berlin(2026, 11, 24, 22), berlin(2026, 11, 25, 7)),
        (berlin(2026, 11, 25, 0, 30), berlin(2026, 11, 25, 7)),
        (berlin(2026, 11, 25, 6, 59), berlin(2026, 11, 25, 7)),
        (berlin(2026, 11, 25, 7), None),
        (berlin(2026, 3, 28, 23), berlin(2026, 3, 29, 7)),  # an hour is missing
        (berlin(2026, 10, 24, 23), berlin(2026, 10, 25, 7)),  # an hour comes twice
    ],
)
def test_the_night_ends_in_the_morning(moment: datetime, end: datetime | None) -> None:
    assert NIGHT.until(moment.astimezone(UTC)) == (None if end is None else end.astimezone(UTC))


def test_an_end_that_is_skipped_or_comes_twice() -> None:
    early = Quiet(begins=time(22), ends=time(2, 30), zone=BERLIN)
    assert early.until(berlin(2026, 3, 29, 1)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    twice = early.until(berlin(2026, 10, 25, 1))
    assert twice is not None
    assert not early.covers(twice)


def test_a_noon_break_and_no_time_at_all() -> None:
    noon = Quiet(begins=time(12), ends=time(13), zone=ZoneInfo("UTC"))
    assert noon.until(datetime(2026, 1, 1, 12, 30, tzinfo=UTC)) == datetime(2026, 1, 1, 13, tzinfo=UTC)
    assert noon.until(datetime(2026, 1, 1, 13, tzinfo=UTC)) is None
    with pytest.raises(ValueError, match="another time"):
        Quiet(begins=time(1), ends=time(1), zone=BERLIN)


_times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
_zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(_times, _times, _zones, st.datetimes(datetime(2011, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001
def test_the_end_is_later_and_outside_and_near(begins: time, ends: time, zone: str, moment: datetime) -> None:
    if begins == ends:
        return
    quiet = Quiet(begins=begins, ends=ends, zone=ZoneInfo(zone))
    now = moment.replace(tzinfo=UTC)
    until = quiet.until(now)
    assert (until is not None) == quiet.covers(now)
    if until is not None:
        assert now < until <= now + timedelta(hours=50)
        assert not quiet.covers(until)
