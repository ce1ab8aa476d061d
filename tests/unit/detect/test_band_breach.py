"""A breach opens late enough, closes late enough, and says why."""

from typing import Any

import numpy as np
import pytest

from driftband.detect.band_breach import BandBreach

from .watching import MINUTE, RULE, START, make, run, told

BREACH = BandBreach()
NAN = float("nan")


def minutes(*spans: tuple[int, float]) -> list[float]:
    return [value for length, value in spans for _ in range(length)]


def test_opens_after_for_and_closes_when_well_inside_for_a_while() -> None:
    events = run(BREACH, make(minutes((10, 10), (20, 16), (20, 10))))
    assert told(events) == [(15, "opened"), (35, "closed")]
    opened, closed = events
    assert opened.since == START + 10 * MINUTE
    assert (opened.score, opened.severity) == (3.0, "error")
    assert opened.reason == (
        "above its band for 5m, since 2024-10-04T00:10:00Z: 16 s, where 10 s was expected and at most 12 s; "
        "score 3, 1 being the edge of the band"
    )
    assert closed.reason == (
        "well inside its band again for 5m: 10 s, where 10 s was expected and at least 8 s; "
        "it was above for 20m, by a score of 3 at most"
    )


def test_evidence_has_the_numbers_and_stays_small() -> None:
    (opened, closed) = run(BREACH, make(minutes((3, 10), (300, 16), (20, 10))))
    assert opened.evidence["times"] == [START + MINUTE * (3 + n) for n in range(6)]
    assert opened.evidence["values"] == [16.0] * 6
    assert opened.evidence["expected"] == [10.0] * 6
    assert (opened.evidence["lower"][0], opened.evidence["upper"][0]) == (8.0, 12.0)
    assert (opened.evidence["unit"], opened.evidence["side"], opened.evidence["for_ms"]) == ("s", "above", 5 * MINUTE)
    assert closed.evidence["peak_score"] == 3.0
    # 12 of its beginning and of its end, and of the 280 minutes between every 32nd.
    assert {len(closed.evidence[name]) for name in ("times", "values", "expected", "lower", "upper", "scores")} == {33}
    assert max(np.diff(closed.evidence["times"])) == 32 * MINUTE


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        (minutes((10, 10), (5, 16), (20, 10)), {}),
        (minutes((10, 10), (4, 16), (1, 10), (4, 16), (9, 10)), {}),
        (minutes((60, 4)), {"direction": "up"}),
        (minutes((60, 16)), {"direction": "down"}),
        (minutes((60, 16)), {"min_deviation": 7.0}),
        (minutes((5, 10), *[(1, 16), (1, 4)] * 20), {}),
        (minutes((60, NAN)), {}),
        (minutes((60, 11.9)), {}),
    ],
    ids=["short", "interrupted", "other side", "other side down", "small", "changing sides", "nothing", "inside"],
)
def test_no_breach(values: Any, changes: dict[str, Any]) -> None:
    assert run(BREACH, make(values), **changes) == []


@pytest.mark.parametrize(
    ("direction", "value", "side"), [("up", 16, "above"), ("down", 4, "below"), ("both", 4, "below")]
)
def test_sides(direction: str, value: float, side: str) -> None:
    (event,) = run(BREACH, make(minutes((5, 10), (10, value))), direction=direction)
    assert event.evidence["side"] == side
    assert event.reason.startswith(f"{side} its band")


def test_weak_evidence_must_last_six_times_as_long_and_is_information() -> None:
    (event,) = run(BREACH, make(minutes((5, 10), (40, 12.2))))
    assert told([event]) == [(35, "opened")]
    assert event.severity == "info"


HABIT = [[4.0, 2.0], [6.0, 3.0]]
"""Below, for a short and for a long while; above."""


@pytest.mark.parametrize(
    ("value", "opened"),
    [(10 + 2 * 5, [35]), (10 + 2 * 6.5, [10]), (10 + 2 * 2.5, []), (10 - 2 * 5, [10]), (10 - 2 * 2.5, [35])],
    ids=["above long", "above short", "as ever", "below short", "below long"],
)
def test_what_the_series_does_by_itself_is_no_breach(value: float, opened: list[int]) -> None:
    events = run(BREACH, make(minutes((5, 10), (40, value)), strays=HABIT))
    assert [(event.at - START) // MINUTE for event in events if event.what == "opened"] == opened


def test_an_unknown_habit_counts_as_none() -> None:
    seen = minutes((5, 10), (40, 16))
    assert told(run(BREACH, make(seen, strays=NAN))) == told(run(BREACH, make(seen)))


def test_for_zero_opens_at_once() -> None:
    assert told(run(BREACH, make(minutes((5, 10), (3, 30))), for_ms=0)) == [(5, "opened")]


def test_missing_values_neither_open_nor_close() -> None:
    values = minutes((5, 10), (3, 16), (4, NAN), (3, 16), (5, 16), (3, 10), (30, NAN), (2, 10), (1, 10))
    assert told(run(BREACH, make(values))) == [(14, "opened"), (55, "closed")]


def test_in_between_it_stays_open() -> None:
    assert told(run(BREACH, make(minutes((5, 10), (10, 16), (60, 11.6))))) == [(10, "opened"), (22, "eased")]


def test_it_worsens_and_eases_in_steps() -> None:
    events = run(BREACH, make(minutes((5, 10), (10, 13.2), (20, 30), (20, 14), (10, 10))))
    assert [(*when, event.severity) for when, event in zip(told(events), events, strict=True)] == [
        (10, "opened", "warning"),
        (17, "worsened", "error"),
        (20, "worsened", "critical"),
        (42, "eased", "warning"),
        (60, "closed", "warning"),
    ]


def test_a_breach_that_lasts_gets_worse() -> None:
    events = run(BREACH, make(minutes((5, 10), (90, 13.2))))
    assert [event.severity for event in events] == ["warning", "error"]
    assert told(events)[1] == (65, "worsened")


def test_flapping_is_one_story_and_damped() -> None:
    events = run(BREACH, make(minutes(*[(8, 16), (8, 10)] * 12, (90, 10))))
    assert told(events) == [(5, "opened"), (13, "closed"), (21, "opened"), (195, "closed")]
    first, _, again, _ = events
    assert (first.story, first.reopens) == (first.opened, None)
    assert (again.story, again.reopens) == (first.opened, first.opened)
    assert again.reason.endswith("shortly after it had closed, for the 1st time")


def test_much_later_it_is_another_story() -> None:
    events = run(BREACH, make(minutes((8, 16), (60, 10), (8, 16))))
    assert told(events) == [(5, "opened"), (13, "closed"), (73, "opened")]
    assert events[2].story == events[2].opened
    assert events[2].reopens is None


def test_without_evidence_for_a_day_it_closes_and_says_so() -> None:
    opened, closed = run(BREACH, make(minutes((10, 16), (1500, NAN))))
    assert closed.at - opened.at == 5 * MINUTE - 0 + 24 * 60 * MINUTE
    assert closed.reason == "there has been no value or no band for 1d; it was not seen to come back"


def test_a_series_that_the_answer_lacks_has_no_evidence() -> None:
    seen = make([minutes((10, 16)), minutes((10, 10))])
    states, _ = BREACH.step(RULE, {}, seen, MINUTE)
    later, events = BREACH.step(RULE, states, make(np.empty((0, 10)), labels=()), MINUTE)
    assert events == []
    assert list(later) == [seen.labels[0]]


def test_idle_series_have_no_state() -> None:
    assert BREACH.step(RULE, {}, make(minutes((10, 10))), MINUTE) == ({}, [])


def test_a_lasting_departure_counts_as_the_score_has_it() -> None:
    seen = make(minutes((30, 10.5)), reference=5.0, departed=1)
    (event,) = run(BREACH, seen, min_deviation=5.0)
    assert event.what == "opened"


def test_infinite_scores_are_cut_and_json() -> None:
    (event,) = run(BREACH, make(minutes((5, 10), (10, float("inf")))))
    assert event.score == 1000.0
    assert event.evidence["values"][0] is None
    assert "no finite value" in event.reason
