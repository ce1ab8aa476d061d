"""Who is told what, and when."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from driftband.model.incident import Deed
from driftband.model.notification import Notification
from driftband.respond.matchers import parse_matchers
from driftband.respond.policy import Escalation, Hold, Rules, Send, due_at, escalated, fits, next_step
from driftband.respond.quiet import Quiet

from .memory_outbox import START, incident, owed

QUIET = Rules(
    quiet=Quiet(begins=time(22), ends=time(7), zone=ZoneInfo("UTC"), excepted=parse_matchers("severity=critical"))
)
GROUPED = Rules(updates_every=timedelta(minutes=5))
EVENING = START.replace(hour=23)
MORNING = EVENING + timedelta(hours=8)


def chain(*deeds: Deed, at: datetime = START, **more: Any) -> list[Notification]:
    return [owed(n, deed, made_at=at + timedelta(minutes=n), **more) for n, deed in enumerate(deeds, start=1)]


def step(rules: Rules, messages: list[Notification], now: datetime) -> tuple[str, ...] | datetime | None:
    """Return the numbers that are told by a message, its own last; or until when the head is held."""
    found = next_step(rules, messages, now)
    if isinstance(found, Send):
        return tuple(f"{one.sequence} {one.deed}" for one in (*found.carried, found.message))
    return found.until if isinstance(found, Hold) else found


def test_matchers_choose_destinations() -> None:
    rules = {
        "all": Rules(),
        "severe": Rules(match=parse_matchers('severity=~"error|critical"')),
        "other": Rules(match=parse_matchers("service=billing")),
        "night": Rules(only_escalated=True),
    }
    assert fits(rules, incident()) == ("all", "severe")
    assert fits(rules, incident(severity="info")) == ("all",)


def test_without_rules_each_message_goes_as_it_is() -> None:
    messages = chain("opened", "updated", "updated", "resolved")
    for place in range(4):
        assert step(Rules(), messages[place:], START) == (f"{place + 1} {messages[place].deed}",)


def test_what_failed_waits_and_goes_again_as_it_was() -> None:
    later = START + timedelta(minutes=9)
    messages = [owed(1, "updated", attempts=2, next_at=later), owed(2, "resolved")]
    for rules in (Rules(), GROUPED, QUIET):
        assert step(rules, messages, START) is None
        assert step(rules, messages, later) == ("1 updated",)


def test_a_group_that_failed_stays_a_group() -> None:
    later = START + timedelta(hours=1)
    messages = [
        owed(1, "updated"),
        owed(2, "updated", attempts=1, next_at=later),
        owed(3, "updated"),
        owed(4, "resolved"),
    ]
    assert step(GROUPED, messages, START + timedelta(minutes=30)) is None
    assert step(GROUPED, messages, later) == ("1 updated", "2 updated")


def test_updates_go_together_at_the_end_of_their_window() -> None:
    messages = chain("updated", "updated", "updated", "updated", "updated", "updated")
    assert step(GROUPED, messages, START + timedelta(minutes=4)) == START + timedelta(minutes=5)
    whole = tuple(f"{n} updated" for n in range(1, 6))
    assert step(GROUPED, messages, START + timedelta(minutes=5)) == whole
    assert step(GROUPED, messages[5:], START + timedelta(minutes=6)) == START + timedelta(minutes=10)


def test_a_resolved_one_carries_the_updates_and_an_acknowledged_one_lets_them_go() -> None:
    at = START + timedelta(minutes=2)
    assert step(GROUPED, chain("updated", "updated", "resolved"), at) == ("1 updated", "2 updated", "3 resolved")
    assert step(GROUPED, chain("updated", "updated", "acknowledged"), at) == ("1 updated", "2 updated")
    assert step(GROUPED, chain("opened", "updated", "resolved"), at) == ("1 opened",)


def test_quiet_hours_hold_what_is_new() -> None:
    messages = chain("opened", "updated", at=EVENING)
    assert step(QUIET, messages, EVENING + timedelta(minutes=5)) == MORNING
    assert step(QUIET, messages, MORNING) == ("1 opened",)
    assert step(QUIET, messages[1:], MORNING) == ("2 updated",)
    assert step(QUIET, chain("opened"), EVENING) == MORNING  # it was late: the relay did not run


def test_a_change_is_told_at_once_since_it_wakes_nobody() -> None:
    change = owed(1, "opened", made_at=EVENING, incident={**incident(), "change": {"id": "run-4711"}})
    assert step(QUIET, [change], EVENING) == ("1 opened",)


def test_what_came_and_went_in_the_night_is_one_message_in_the_morning() -> None:
    messages = chain("opened", "updated", "resolved", at=EVENING)
    assert step(QUIET, messages, EVENING + timedelta(hours=1)) == MORNING
    assert step(QUIET, messages, MORNING) == ("1 opened", "2 updated", "3 resolved")
    by_day = chain("opened", "updated", "resolved")
    assert step(QUIET, by_day, START + timedelta(minutes=5)) == ("1 opened",)


def test_who_knows_of_it_is_told_its_end_in_quiet_hours_too() -> None:
    assert step(QUIET, [owed(2, "resolved")], EVENING) == ("2 resolved",)
    assert step(QUIET, [owed(2, "acknowledged")], EVENING) == ("2 acknowledged",)
    assert step(QUIET, [owed(2, "updated")], EVENING) == MORNING


def test_what_is_excepted_is_told_at_once() -> None:
    critical = incident(severity="critical")
    assert step(QUIET, chain("opened", at=EVENING, incident=critical), EVENING) == ("1 opened",)
    worsened = [owed(1, "opened", made_at=EVENING), owed(2, "updated", made_at=EVENING, incident=critical)]
    assert step(QUIET, worsened, EVENING) == ("1 opened",)
    assert step(QUIET, worsened[1:], EVENING) == ("2 updated",)
    held_and_worse = [owed(1, "updated", made_at=EVENING), owed(2, "updated", made_at=EVENING, incident=critical)]
    assert step(QUIET, held_and_worse, EVENING) == ("1 updated", "2 updated")


def test_nothing_is_held_twice() -> None:
    messages = chain("opened", "updated", at=EVENING)
    first = next_step(QUIET, messages, EVENING + timedelta(minutes=1))
    assert isinstance(first, Hold)
    assert first.ids == (messages[0].id,)


def test_when_something_is_due_is_known_when_it_is_made() -> None:
    assert due_at(QUIET, owed(made_at=EVENING), EVENING) == MORNING
    assert due_at(QUIET, owed(), START) == START
    both = Rules(quiet=QUIET.quiet, updates_every=timedelta(hours=1))
    late = START.replace(hour=21, minute=30)
    assert due_at(both, owed(2, "updated", made_at=late), late) == MORNING


ESCALATING = {
    "first": Rules(escalate=Escalation(after=timedelta(minutes=15), to="second")),
    "second": Rules(escalate=Escalation(after=timedelta(minutes=30), to="third"), only_escalated=True),
    "third": Rules(only_escalated=True),
}


@pytest.mark.parametrize(
    ("told", "minutes", "due"),
    [
        ({"first": 0}, 14, ()),
        ({"first": 0}, 15, ("second",)),
        ({"first": 0, "second": 15}, 44, ()),
        ({"first": 0, "second": 15}, 45, ("third",)),
        ({"first": 0, "second": 15, "third": 45}, 999, ()),
        ({"gone": 0}, 999, ()),
    ],
)
def test_who_is_told_next_where_nobody_acknowledges(told: dict[str, int], minutes: int, due: tuple[str, ...]) -> None:
    since = {name: START + timedelta(minutes=count) for name, count in told.items()}
    now = START + timedelta(minutes=minutes)
    assert escalated(ESCALATING, incident(), since, now) == due
    assert escalated(ESCALATING, incident(state="acknowledged"), since, now) == ()
    assert escalated(ESCALATING, incident(state="resolved"), since, now) == ()


def test_quiet_hours_do_not_count_as_silence() -> None:
    rules = {"first": Rules(quiet=QUIET.quiet, escalate=ESCALATING["first"].escalate), "second": Rules()}
    told = {"first": EVENING}
    assert escalated(rules, incident(), told, MORNING + timedelta(minutes=14)) == ()
    assert escalated(rules, incident(), told, MORNING + timedelta(minutes=15)) == ("second",)
    assert escalated(rules, incident(severity="critical"), told, EVENING + timedelta(minutes=15)) == ("second",)
