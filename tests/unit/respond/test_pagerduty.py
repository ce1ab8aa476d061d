"""PagerDuty, against a stand-in that checks every field and limit."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from driftband.model.change import Change, Touched
from driftband.respond.destinations import sender
from driftband.respond.outcome import Delivered, Failed
from driftband.respond.pagerduty_event import LARGEST, dedup_key, incident_event, owed_change
from driftband.respond.post import Address
from driftband.respond.sender import Sender, Setup

from .memory_outbox import START, incident, owed
from .stand_ins import ROUTING_KEY, PagerDuty, Reply

PAGE = "https://driftband.example"


@pytest.fixture
def pagerduty() -> Iterator[PagerDuty]:
    with PagerDuty() as server:
        yield server


def to(server: PagerDuty, key: str = ROUTING_KEY) -> Sender:
    return sender("pagerduty", Setup(name="oncall", address=Address(url=server.url), key=key, external_url=PAGE))


def test_an_incident_is_one_alert_from_trigger_to_resolve(pagerduty: PagerDuty) -> None:
    way = to(pagerduty)
    for sequence, deed in enumerate(["opened", "updated", "acknowledged", "updated", "resolved"], start=1):
        assert way.deliver(owed(sequence, deed), START) == Delivered()
    assert pagerduty.alerts == {"incident-1": ["triggered", "acknowledged", "resolved"]}
    assert pagerduty.pages == 1
    first = pagerduty.asked[0].json
    assert first["payload"] | {"custom_details": {}} == {
        "summary": "checkout is slow",
        "source": "checkout/prod",
        "severity": "error",
        "timestamp": "2026-11-24T10:00:00Z",
        "component": "checkout",
        "group": "payments",
        "class": "explained",
        "custom_details": {},
    }
    assert first["payload"]["custom_details"]["suspects"] == ["run-4711 (87%): it began 2 minutes before"]
    assert first["client_url"] == f"{PAGE}/incidents/incident-1"
    assert [asked.json.get("payload") is None for asked in pagerduty.asked] == [False, False, True, False, True]


def test_one_that_opens_again_pages_again(pagerduty: PagerDuty) -> None:
    for sequence, deed in enumerate(["opened", "resolved", "opened"], start=1):
        to(pagerduty).deliver(owed(sequence, deed), START)
    assert pagerduty.alerts == {"incident-1": ["triggered", "resolved", "triggered"]}


def test_links_and_images_are_those_that_can_be_opened(pagerduty: PagerDuty) -> None:
    context = {
        "links": [{"href": "https://ci.example/4711", "text": "run-4711"}, {"href": "javascript:alert(1)"}, "x"],
        "images": [
            {"src": "https://driftband.example/a.png", "alt": "latency", "href": f"{PAGE}/x"},
            {"src": "http://plain.example/a.png"},
            {"src": "https://a b"},
        ],
    }
    assert to(pagerduty).deliver(owed(incident=incident(context=context)), START) == Delivered()
    event = pagerduty.asked[0].json
    assert [link["href"] for link in event["links"]] == [f"{PAGE}/incidents/incident-1", "https://ci.example/4711"]
    assert [image["src"] for image in event["images"]] == ["https://driftband.example/a.png"]


@pytest.mark.parametrize(
    "more",
    [
        {"title": "x" * 5000},
        {"title": ""},
        {"title": "two\nlines\x00and \u202e signs"},
        {"id": "i" * 300},
        {"identity": {}},
        {"identity": {f"label_{n}": "v" * 400 for n in range(50)}},
        {"context": {"diff": "ü" * 400_000}},
        {"timeline": [{"at": "x" * 9999, "what": None, "reason": "r" * 9999}] * 999},
        {"suspects": [{"change": "c" * 9999, "score": 0.5, "reasons": ["r" * 9999] * 999}]},
        {"severity": "unheard of", "owner": None, "suspects": None, "timeline": None, "context": None},
    ],
    ids=lambda more: next(iter(more)),
)
def test_whatever_an_incident_holds_is_within_the_limits(pagerduty: PagerDuty, more: dict[str, object]) -> None:
    assert to(pagerduty).deliver(owed(incident=incident(**more)), START) == Delivered()
    assert pagerduty.faults == []
    assert len(pagerduty.asked[0].body) <= LARGEST


def test_a_long_id_keeps_one_key() -> None:
    long = "i" * 256
    assert dedup_key(long) == dedup_key(long) != dedup_key(long + "i")
    assert (dedup_key("i" * 255), len(dedup_key(long))) == ("i" * 255, 64)


def test_the_same_notification_is_the_same_event() -> None:
    assert incident_event(owed(), ROUTING_KEY, PAGE) == incident_event(owed(), ROUTING_KEY, PAGE)


def test_changes_are_told_without_their_values(pagerduty: PagerDuty) -> None:
    change = Change(
        id="run-4711",
        kind="terraform_apply",
        started_at=START,
        ended_at=START + timedelta(minutes=2),
        workspace="prod/checkout",
        actor="dana",
        url="https://ci.example/4711",
        summary="pool size",
        resources=(Touched(address="module.db.aws_db_parameter_group.main"),),
    )
    notification = owed_change("oncall", change, START)
    assert notification.json()["title"] == "Terraform apply of prod/checkout succeeded: pool size"
    assert len(owed_change("oncall", replace(change, id="x" * 200), START).incident_id) <= 80
    assert to(pagerduty).deliver(notification, START) == Delivered()
    (event,) = pagerduty.changes
    assert event["payload"]["summary"] == "Terraform apply of prod/checkout succeeded: pool size"
    assert event["payload"]["timestamp"] == "2026-11-24T10:02:00Z"
    assert event["payload"]["custom_details"]["resources"] == ["module.db.aws_db_parameter_group.main"]
    assert event["links"] == [{"href": "https://ci.example/4711", "text": "the run that did it"}]
    assert pagerduty.alerts == {}
    later = owed_change("oncall", replace(change, status="failed"), START + timedelta(hours=1))
    assert (later.id, later.incident_id) == (notification.id, notification.incident_id)


def failure(pagerduty: PagerDuty, reply: Reply) -> Failed:
    pagerduty.replies = [reply]
    outcome = to(pagerduty).deliver(owed(), datetime(2026, 11, 24, 10, tzinfo=UTC))
    assert isinstance(outcome, Failed)
    return outcome


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 410, 413, 422])
def test_refusals_for_good_are_told_from(pagerduty: PagerDuty, status: int) -> None:
    assert failure(pagerduty, Reply(status=status)).permanent


@pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 308, 408, 425, 429, 500, 502, 503, 504, 599])
def test_those_that_pass(pagerduty: PagerDuty, status: int) -> None:
    outcome = failure(pagerduty, Reply(status=status, headers={"Location": "http://127.0.0.1:1/"}))
    assert not outcome.permanent
    assert not outcome.unreached


@pytest.mark.parametrize(
    "body", [b"", b"<html>welcome to the hotel", b"[]", b'{"status": "later"}', b"\xff", b"x" * 200_000]
)
def test_garbage_is_no_acceptance(pagerduty: PagerDuty, body: bytes) -> None:
    assert "not as PagerDuty does" in failure(pagerduty, Reply(status=202, body=body)).error


def test_retry_after_is_read(pagerduty: PagerDuty) -> None:
    assert failure(pagerduty, Reply(status=429, headers={"Retry-After": "90"})).retry_after == timedelta(seconds=90)
    date = {"Retry-After": "Tue, 24 Nov 2026 10:05:00 GMT"}
    assert failure(pagerduty, Reply(status=503, headers=date)).retry_after == timedelta(minutes=5)
    assert failure(pagerduty, Reply(status=429, headers={"Retry-After": "soon"})).retry_after is None
    assert failure(pagerduty, Reply(status=429, headers={"Retry-After": "9" * 12})).retry_after == timedelta(days=1)


def test_a_lost_answer_is_a_failure_that_may_be_none(pagerduty: PagerDuty) -> None:
    outcome = failure(pagerduty, Reply(cut=True, accept=True))
    assert outcome.unreached
    assert "may have the message" in outcome.error
    assert to(pagerduty).deliver(owed(), START) == Delivered()
    assert pagerduty.pages == 1


def test_the_words_of_a_refusal_are_told_without_the_key(
    pagerduty: PagerDuty, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "hunter-and-31-more-signs-of-a-key"
    outcome = to(pagerduty, key).deliver(owed(), START)
    assert isinstance(outcome, Failed)
    assert outcome.error == "answered 400: Event object is invalid; Length of 'routing_key' is incorrect (<secret>)"
    assert "hunter" not in caplog.text + repr(to(pagerduty, key))
    assert json.loads(pagerduty.asked[0].body)["routing_key"] == key
