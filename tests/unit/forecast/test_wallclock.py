from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.forecast import engine
from driftband.forecast.wallclock import by_day, local_offsets, local_slots
from driftband.model.band import DAY, HOUR, BandSettings
from driftband.model.series import History

STEP = 300_000


def instant(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)


@given(
    seconds=st.integers(0, 2_000_000_000),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_offsets_are_those_of_the_zone(seconds: int, zone: str) -> None:
    offset = datetime.fromtimestamp(seconds, ZoneInfo(zone)).utcoffset()
    assert offset is not None
    assert local_offsets(np.array([seconds * 1000]), zone)[0] == offset.total_seconds() * 1000


@pytest.mark.parametrize(("day", "shift"), [((2026, 3, 30), 12), ((2026, 10, 26), -12)])
def test_yesterday_at_the_same_local_time_is_a_day_of_slots_ago(day: tuple[int, int, int], shift: int) -> None:
    at = instant(*day)
    two_days_ago = np.array([at - 2 * DAY])
    assert local_slots(two_days_ago, at, STEP, "UTC")[0] == -2 * 288
    assert local_slots(two_days_ago, at, STEP, "Europe/Berlin")[0] == -2 * 288 - shift


def test_a_day_with_a_missing_hour_keeps_its_other_hours() -> None:
    at = instant(2026, 3, 30)
    times = np.arange(at - 2 * DAY, at, HOUR)
    slots = local_slots(times, at, HOUR, "Europe/Berlin")
    laid = by_day(np.arange(48.0)[None], slots, 2, 24)
    assert np.isnan(laid).sum() == 1


@pytest.mark.parametrize("change", [(2026, 3, 29), (2026, 10, 25)])
def test_a_season_keeps_its_hour_when_the_clocks_change(change: tuple[int, int, int]) -> None:
    at = instant(*change)
    times = np.arange(at - 14 * DAY, at + DAY, STEP)
    local = times + local_offsets(times, "Europe/Berlin")
    # Busy from 9 to 17 by the local clock.
    busy = 100.0 * ((local % DAY >= 9 * HOUR) & (local % DAY < 17 * HOUR))
    values = busy[None] + np.random.default_rng(0).normal(0, 1, (1, len(times)))
    history = History(at - 14 * DAY, STEP, ((),), values)

    def error(timezone: str) -> float:
        fit = engine.fit(history, at, BandSettings(timezone=timezone), "seasonal")
        band = engine.bands(engine.follow(fit, history, at, 0.99), times[-288:], at)
        return float(np.abs(band.expected - busy[-288:]).mean())

    assert error("Europe/Berlin") < 0.6 * error("UTC")
