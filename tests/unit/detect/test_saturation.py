"""What will be full is told in time, by the forecast that the panels draw."""

from typing import Any

import numpy as np
import pytest

from driftband.detect.saturation import Saturation

from .watching import make, run, told

SATURATION = Saturation()
INF, NAN = float("inf"), float("nan")
HOUR = 3600.0


def test_opens_on_a_crossing_within_the_horizon_and_closes_when_none_is_left() -> None:
    left = np.r_[np.full(10, INF), np.full(30, 12 * HOUR), np.full(40, INF)]
    events = run(SATURATION, make(np.full(80, 10.0), to_breach=left), limit=50.0)
    assert told(events) == [(25, "opened"), (70, "closed")]
    opened, closed = events
    assert (opened.score, opened.severity) == (2.0, "warning")
    assert opened.reason == ("the forecast reaches 50 s in 12h, at 2024-10-04T12:25:00Z: now 10 s; foreseen for 15m")
    assert closed.reason == (
        "no forecast of the last 30m reaches 50 s within the horizon; now 10 s; it was foreseen for 30m"
    )
    assert opened.evidence["limit"] == 50.0
    assert opened.evidence["seconds_left"] == [12 * HOUR] * 16


def test_it_worsens_as_the_limit_comes_near() -> None:
    left = np.maximum(20 * HOUR - 60.0 * np.arange(1300), 0)
    values = np.where(np.arange(1300) >= 1200, 50.0, 10.0)
    events = run(SATURATION, make(values, to_breach=left), limit=50.0)
    assert events[0].severity == "warning"
    assert events[-1].severity == "critical"
    assert len(events) <= 8
    assert "is reached" in run(SATURATION, make(np.full(60, 50.0), to_breach=NAN), limit=50.0)[0].reason


@pytest.mark.parametrize(
    "changes", [{"limit": None}, {"limit": 5.0, "direction": "down"}], ids=["no limit", "other direction, far"]
)
def test_without_a_limit_nothing_is_near(changes: dict[str, Any]) -> None:
    assert run(SATURATION, make(np.full(60, 60.0), to_breach=INF), **changes) == []


def test_a_limit_from_above() -> None:
    (event,) = run(SATURATION, make(np.full(60, 5.0), to_breach=NAN), limit=6.0, direction="down")
    assert "is reached" in event.reason


def test_unknown_is_no_evidence() -> None:
    assert run(SATURATION, make(np.full(60, 10.0), to_breach=NAN), limit=50.0) == []
    assert run(SATURATION, make(np.full(60, 10.0)), limit=50.0) == []


def test_a_forecast_that_wavers_does_not_open() -> None:
    left = np.where(np.arange(120) % 14 < 12, 20 * HOUR, INF)
    assert run(SATURATION, make(np.full(120, 10.0), to_breach=left), limit=50.0) == []
