"""Absence is told late, gone and back; a signal's silence once; a replaced pod not at all."""

from collections.abc import Iterable

import numpy as np
import pytest

from driftband.detect.silence import WHOLE, Silence
from driftband.model.series import Labels, make_labels

from .watching import MINUTE, RULE, make, run, told

SILENCE = Silence()


def present(length: int, *gaps: tuple[int, int]) -> list[float]:
    values = np.arange(length, dtype=np.float64)
    for first, last in gaps:
        values[first:last] = np.nan
    return list(values)


def named(*names: str) -> tuple[Labels, ...]:
    return tuple(make_labels({"service": name}) for name in names)


def pods(names: Iterable[str]) -> tuple[Labels, ...]:
    return tuple(make_labels({"service": "a", "pod": name, "instance": f"{name}:80"}) for name in names)


def test_late_then_gone_then_back() -> None:
    events = run(SILENCE, make([present(300, (100, 200)), present(300)], labels=named("a", "b")))
    assert {event.what for event in events[1:-1]} == {"worsened"}
    assert told([events[0], events[-1]]) == [(105, "opened"), (202, "closed")]
    opened, closed = events[0], events[-1]
    assert opened.labels == (("service", "a"),)
    assert opened.reason == (
        "the series is late: no sample for 6m, the last one at 2024-10-04T01:39:00Z; it usually has no gaps, and more than "
        "5m is late; other series of the signal go on"
    )
    gone = next(event for event in events if event.severity == "error")
    assert gone.reason.startswith("the series is gone: no sample for 1h 6m, the last one at 2024-10-04T01:39:00Z")
    assert (closed.what, closed.reason) == (
        "closed",
        "the series has samples again since 2024-10-04T03:20:00Z, after 1h 40m without",
    )
    assert closed.evidence["whole_signal"] is False


def test_usual_gaps_are_learnt_and_one_outage_is_no_habit() -> None:
    usual = [(100 + 30 * n, 104 + 30 * n) for n in range(10)]
    steady = present(700)
    assert run(SILENCE, make([present(700, *usual, (450, 459)), steady])) == []
    (opened, *_) = run(SILENCE, make([present(700, *usual, (450, 500)), steady]))
    assert told([opened]) == [(459, "opened")]
    assert "its usual gaps last 4m at most, and more than 9m is late" in opened.reason
    events = run(SILENCE, make([present(700, (100, 200), (400, 410)), steady]))
    assert [event.what for event in events].count("opened") == 2


def test_regular_gaps_are_told_twice_and_then_they_are_usual() -> None:
    gaps = [(100 + 200 * n, 120 + 200 * n) for n in range(10)]
    events = run(SILENCE, make([present(2200, *gaps), present(2200)]))
    assert [event.what for event in events].count("opened") == 2


@pytest.mark.parametrize(
    "values",
    [present(300, (0, 100), (130, 300)), [*present(300, *((n, n + 3) for n in range(5, 250, 5)), (250, 300))]],
    ids=["young", "comes and goes"],
)
def test_what_was_not_steadily_there_is_not_missed(values: list[float]) -> None:
    assert run(SILENCE, make([values, present(300)])) == []


def test_the_silence_of_the_signal_is_one_event() -> None:
    gap = (100, 200)
    labels = tuple(make_labels({"env": "prod", "service": str(n)}) for n in range(20))
    events = run(SILENCE, make([present(300, gap) for _ in range(20)], labels=labels))
    assert {event.labels for event in events} == {(("env", "prod"),)}
    opened, closed = events[0], events[-1]
    assert told([opened, closed]) == [(105, "opened"), (202, "closed")]
    assert opened.evidence["whole_signal"] is True
    assert opened.reason.startswith("the signal is late: no sample for 6m")
    assert opened.reason.endswith("none of its series has any")


def test_what_does_not_come_back_with_the_signal_is_told_afterwards() -> None:
    events = run(SILENCE, make([present(300, (100, 200)), present(300, (100, 300))], labels=named("a", "b")))
    (opened,) = [event for event in events if event.labels == (("service", "b"),) and event.what == "opened"]
    assert told([opened]) == [(205, "opened")]


def test_a_signal_that_answers_nothing_at_all() -> None:
    seen = make([present(200)], labels=named("a"))
    states, _ = SILENCE.step(RULE, {}, seen, MINUTE)
    assert WHOLE in states
    later = make(np.empty((0, 10)), labels=())
    later.times[:] = seen.times[-1] + MINUTE * np.arange(1, 11)
    _, (opened,) = SILENCE.step(RULE, states, later, MINUTE)
    assert (opened.what, opened.labels) == ("opened", (("service", "a"),))


def test_a_replaced_pod_is_no_silence_and_the_last_one_is() -> None:
    values = [present(400, (200, 400)), present(400, (0, 205)), present(400)]
    labels = (*pods("xy"), *named("b"))
    assert run(SILENCE, make(values, labels=labels)) == []
    values[1] = present(400, (0, 205), (300, 400))
    (opened, *_) = run(SILENCE, make(values, labels=labels))
    assert (opened.labels, told([opened])) == ((("service", "a"),), [(305, "opened")])


def test_an_instance_that_stays_is_a_subject() -> None:
    labels = (make_labels({"instance": "db-1"}), make_labels({"instance": "db-2"}))
    (opened, *_) = run(SILENCE, make([present(200, (100, 200)), present(200)], labels=labels))
    assert opened.labels == labels[0]


def test_after_a_week_it_is_taken_for_removed() -> None:
    length = 8 * 1440
    events = run(SILENCE, make([present(length, (100, length)), present(length)], labels=named("a", "b")))
    assert events[-1].what == "closed"
    assert events[-1].reason.endswith("the series is taken for removed, and not for healthy")
    assert [event.what for event in events].count("opened") == 1


def test_a_state_stays_as_it_is_while_there_are_samples() -> None:
    seen = make([present(100), present(100)])
    states, _ = SILENCE.step(RULE, {}, seen, MINUTE)
    again, events = SILENCE.step(RULE, states, seen, MINUTE)
    assert (again, events) == (states, [])


def test_flapping_is_one_story() -> None:
    gaps = [(100 + 10 * n, 107 + 10 * n) for n in range(20)]
    events = run(SILENCE, make([present(400, *gaps), present(400)]))
    openings = [event for event in events if event.what == "opened"]
    assert len(openings) <= 3
    assert {event.story for event in openings} == {openings[0].opened}
