"""A shift is told against the reference; it ends by return or by acceptance, and which is said."""

import numpy as np
import pytest

from driftband.detect.level_shift import LevelShift

from .watching import MINUTE, make, run, told

SHIFT = LevelShift()


def test_opens_on_a_departure_that_counts_and_closes_on_return() -> None:
    values = np.r_[np.full(110, 10.5), np.full(100, 5.5)]
    departed = np.r_[np.full(20, 0), np.full(100, 1), np.full(90, 0)]
    events = run(SHIFT, make(values, reference=5.0, departed=departed))
    assert told(events) == [(80, "opened"), (170, "closed")]
    opened, closed = events
    assert opened.severity == "warning"
    assert opened.evidence["expected"][0] == 5.0
    assert opened.evidence["departure"] == 5.5
    assert opened.reason == (
        "its level has departed and stayed above the reference, seen since 2024-10-04T00:20:00Z: 10.5 s, where 5 s was "
        "normal before (3 s to 7 s); score 2.75 against the reference, 1 being its edge"
    )
    assert closed.reason.startswith("back within the reference for 1h: 5.5 s, where 5 s was normal before")


def test_closes_when_the_reference_takes_the_level_over() -> None:
    reference = np.r_[np.full(120, 5.0), np.full(100, 10.0)]
    departed = np.r_[np.full(120, 1), np.full(100, 0)]
    opened, closed = run(SHIFT, make(np.full(220, 10.5), reference=reference, departed=departed))
    assert (opened.what, closed.what) == ("opened", "closed")
    assert closed.reason.startswith("the reference has taken the new level over, 2h after it was seen to depart")


def test_a_slow_return_is_no_acceptance() -> None:
    values = np.r_[np.full(100, 10.0), np.linspace(10, 5, 50), np.full(100, 5.0)]
    departed = np.r_[np.full(120, 1), np.full(130, 0)]
    *_, closed = run(SHIFT, make(values, reference=np.full(250, 5.0), departed=departed))
    assert closed.reason.startswith("back within the reference")


def test_outside_without_a_departure_is_none() -> None:
    assert run(SHIFT, make(np.full(70, 20.0))) == []


def test_the_side_that_hurts() -> None:
    seen = make(np.full(70, 20.0), departed=1)
    assert run(SHIFT, seen, direction="down") == []
    assert [event.what for event in run(SHIFT, seen, direction="up")] == ["opened"]


def test_a_small_departure_does_not_matter() -> None:
    assert run(SHIFT, make(np.full(70, 14.0), departed=1), min_deviation=4.5) == []


def test_a_departure_of_a_day_is_worse() -> None:
    opened, worsened = run(SHIFT, make(np.full(1500, 14.0), departed=1))
    assert (opened.severity, worsened.severity) == ("warning", "error")
    assert worsened.at - worsened.since == 24 * 60 * MINUTE


def test_a_weak_departure_must_last_half_a_day() -> None:
    (event,) = run(SHIFT, make(np.full(13 * 60, 13.0), departed=1))
    assert told([event]) == [(12 * 60, "opened")]


@pytest.mark.parametrize(
    ("value", "opens"), [(10.5, False), (11.5, True), (-1.5, True)], ids=["as ever", "farther", "the other side"]
)
def test_what_the_series_does_by_itself_is_no_shift(value: float, opens: bool) -> None:
    habit = [[9.0, 2.0], [9.0, 3.0]]
    seen = make(np.full(70, value), reference=5.0, departed=np.sign(value - 5.0), strays=habit)
    assert [event.what for event in run(SHIFT, seen)] == ["opened"] * opens


def test_an_unknown_habit_counts_as_none() -> None:
    seen = np.full(70, 20.0)
    assert told(run(SHIFT, make(seen, departed=1, strays=np.nan))) == told(run(SHIFT, make(seen, departed=1)))
