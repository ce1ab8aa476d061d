"""Who did it, and when nobody can be named."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.detect.attribution import NEARBY, Attribution, Window, applies_within, attribute, say_applies
from driftband.model.audit import AuditEvent
from driftband.model.change import Change
from driftband.model.moment import parse_moment

SINCE = parse_moment("2026-11-24T09:00:00Z")
UNTIL = parse_moment("2026-11-24T10:00:00Z")
WINDOW = Window(since=SINCE, until=UNTIL)
SG = "sg-0a1b2c3d4e5f60718"
ARN = "arn:aws:iam::210987654321:role/orders-api"
_numbers = itertools.count()


def write(minute: float, *resources: str, actor: str = "dana", **more: Any) -> AuditEvent:
    given_fields = {"action": "ec2:AuthorizeSecurityGroupIngress", "resources": resources or (SG,), **more}
    at = SINCE + timedelta(minutes=minute)
    return AuditEvent(id=f"e{next(_numbers)}", at=at, actor=actor, **given_fields)


def find(*events: AuditEvent, names: tuple[str, ...] = (SG,), window: Window = WINDOW, **more: Any) -> Attribution:
    return attribute(names, window, events, **more)


def test_the_last_write_within_the_window_did_it() -> None:
    first, last = write(10, actor="erik"), write(58, actor="dana")
    found = find(last, first)
    assert (found.event, found.actor) == (last, "dana")
    assert found.reason == (
        f"dana did ec2:AuthorizeSecurityGroupIngress on {SG} at 2026-11-24T09:58:00Z, between 2026-11-24T09:00:00Z and "
        "2026-11-24T10:00:00Z; the last of 2 writes that name it, 1 other actor among them"
    )


def test_a_single_write_is_said_without_more() -> None:
    assert find(write(58)).reason.endswith("2026-11-24T10:00:00Z")


def test_others_are_counted_once_each() -> None:
    found = find(write(1, actor="a"), write(2, actor="a"), write(3, actor="b"), write(4), write(5))
    assert found.reason.endswith("the last of 5 writes that name it, 2 other actors among them")


def test_reads_are_never_evidence() -> None:
    found = find(write(58, read_only=True), write(59, read_only=True))
    assert found.event is None
    assert "the 2 audit events" in found.reason
    assert "only read it, or failed" in found.reason


def test_the_same_name_beats_a_later_one_that_ends_alike() -> None:
    exact, alike = write(10, ARN), write(50, "orders-api")
    assert find(exact, alike, names=(ARN,)).event == exact
    found = find(alike, names=(ARN,))
    assert found.event == alike
    assert "a name that ends alike" in found.reason
    assert find(write(10, ARN), names=("orders-api",)).event is not None


def test_case_does_not_tell_names_apart() -> None:
    assert find(write(10, "Orders-API"), names=("orders-api",)).event


@pytest.mark.parametrize("name", ["main", "default", "4711", "210987654321", "web", "eu-central-1"])
def test_a_common_name_is_no_evidence_but_is_said(name: str) -> None:
    found = find(write(10, name, f"arn:aws:thing:eu-central-1:1:x/{name}"), names=(name,))
    assert found.event is None
    assert repr(name) in found.reason or f"/{name}" in found.reason
    assert "too common to be evidence" in found.reason


@pytest.mark.parametrize(
    ("names", "mentioned", "matches"),
    [
        (("prod/checkout", "checkout"), ("staging/checkout", "checkout", "deployments/staging/checkout"), False),
        (("prod/checkout", "checkout"), ("prod/checkout", "checkout", "deployments/prod/checkout"), True),
        (
            ("deployments/prod/checkout", "prod/checkout"),
            ("prod/checkout", "checkout", "services/prod/checkout"),
            False,
        ),
        (
            ("deployments/prod/checkout", "prod/checkout"),
            ("prod/checkout", "checkout", "deployments/prod/checkout"),
            True,
        ),
        (("prod/checkout",), ("prod/checkout", "checkout", "services/prod/checkout"), True),
        ((ARN, "orders-api"), ("orders-api", ARN.replace("210987654321", "111111111111")), False),
        ((ARN, "orders-api"), ("orders-api", ARN), True),
        ((ARN, "orders-api"), ("orders-api", "arn:aws:ecs:eu-central-1:1:service/orders-api"), False),
        (("orders-api",), ("orders-api", "arn:aws:ecs:eu-central-1:1:service/orders-api"), True),
        (("https://sqs.eu.example/1/orders", "orders"), ("https://queue.example/1/orders",), True),
    ],
)
def test_a_full_name_of_another_thing_speaks_against_the_short_one(
    names: tuple[str, ...], mentioned: tuple[str, ...], *, matches: bool
) -> None:
    assert (find(write(10, *mentioned), names=names).event is not None) is matches


def test_creating_something_else_that_refers_to_it_did_not_change_it() -> None:
    opened = write(10)
    launched = write(30, SG, action="ec2:RunInstances", actor="ci")
    assert find(opened, launched, resource_type="aws_security_group").event == opened
    alone = find(launched, resource_type="aws_security_group")
    assert alone.event is None
    assert "created something else that refers to it" in alone.reason
    assert find(launched).event == launched
    for action, resource_type in (("ec2:CreateTags", "aws_security_group"), ("ec2:CreateRoute", "aws_route_table")):
        assert find(write(10, action=action), resource_type=resource_type).event


def test_a_little_outside_counts_where_nothing_is_inside() -> None:
    inside, after = write(1), write(61)
    assert find(inside, after).event == inside
    found = find(after)
    assert found.event == after
    assert "just outside the window" in found.reason
    before = write(-3)
    assert find(before).event == before
    assert find(write(66)).reason == "no audit event between 2026-11-24T09:00:00Z and 2026-11-24T10:00:00Z"


def test_a_window_without_a_beginning_takes_all_before() -> None:
    window = Window(since=None, until=UNTIL)
    event = write(-100_000)
    found = find(event, window=window)
    assert found.event == event
    assert "before 2026-11-24T10:00:00Z" in found.reason


def test_why_nobody_is_named() -> None:
    assert "no name" in find(write(1), names=()).reason
    assert find(write(1, "sg-00000000")).reason.startswith("none of the 1 audit events")


def test_of_names_too_common_the_last_is_told_whatever_came_first() -> None:
    first, last = write(10, "main"), write(20, "4711")
    told = {find(*events, names=("main", "4711")).reason for events in ((first, last), (last, first))}
    (reason,) = told
    assert "share only the name '4711' with it" in reason


def test_a_window_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="must not end before"):
        Window(since=UNTIL, until=SINCE)


names_of_things = st.sampled_from([SG, "main", "orders", "prod/orders", ARN, "orders-api", "4711"])
events_of_any_kind = st.builds(
    write,
    st.integers(-30, 90),
    names_of_things,
    names_of_things,
    actor=st.sampled_from("abc"),
    read_only=st.booleans(),
)


@given(st.lists(events_of_any_kind, max_size=12), st.lists(names_of_things, max_size=3).map(tuple), st.randoms())
def test_whatever_came_the_choice_holds_its_promises(
    events: list[AuditEvent], names: tuple[str, ...], shuffle: Any
) -> None:
    found = attribute(names, WINDOW, events)
    shuffled = events[:]
    shuffle.shuffle(shuffled)
    assert attribute(names, WINDOW, shuffled) == found
    assert found.reason
    if found.event is None:
        return
    assert not found.event.read_only
    assert WINDOW.holds(found.event.at, NEARBY)
    exact = [
        event
        for event in events
        if not event.read_only and WINDOW.holds(event.at) and set(event.resources) & (set(names) - {"main", "4711"})
    ]
    if exact and not {"prod/orders", ARN} & {*names, *(name for event in events for name in event.resources)}:
        assert found.event.at == max(event.at for event in exact)


def change(name: str, start: float, end: float | None, **more: Any) -> Change:
    ended = None if end is None else SINCE + timedelta(minutes=end)
    given_fields = {"kind": "terraform_apply", **more}
    return Change(id=name, started_at=SINCE + timedelta(minutes=start), ended_at=ended, **given_fields)


def test_applies_touch_the_window_or_do_not() -> None:
    changes = [
        change("late", 61, 62),
        change("over-the-end", 59, 62, actor="dana", commit="9f3c2a1b7d5e4f607182"),
        change("within", 10, 12),
        change("over-the-beginning", -5, 0),
        change("early", -5, -1),
        change("runs", -90, None, status="running"),
        change("end-unknown", -90, None),
        change("deploy", 10, 12, kind="deploy"),
    ]
    found = applies_within(changes, WINDOW)
    assert [one.id for one in found] == ["runs", "over-the-beginning", "within", "over-the-end"]
    assert say_applies(found, WINDOW) == (
        "4 applies of the workspace between 2026-11-24T09:00:00Z and 2026-11-24T10:00:00Z, the last of them over-the-end "
        "(by dana, commit 9f3c2a1b7d5e)"
    )
    assert say_applies(found[2:3], WINDOW).endswith("Z: within")
    assert say_applies((), WINDOW).startswith("no apply of the workspace between")


def test_without_a_beginning_every_apply_before_the_end_touches() -> None:
    found = applies_within([change("old", -99, -98), change("late", 61, 62)], Window(since=None, until=UNTIL))
    assert [one.id for one in found] == ["old"]
