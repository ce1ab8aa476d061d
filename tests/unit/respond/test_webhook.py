"""The signed webhook, against a receiver that verifies it."""

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from driftband.respond.destinations import sender
from driftband.respond.outcome import Delivered, Failed
from driftband.respond.post import Address
from driftband.respond.sender import Sender, Setup
from driftband.respond.webhook import signature

from .memory_outbox import START, incident, owed
from .stand_ins import SECRET, Reply, Webhook


@pytest.fixture
def receiver() -> Iterator[Webhook]:
    with Webhook() as server:
        yield server


def to(url: str, secret: str = SECRET) -> Sender:
    return sender("webhook", Setup(name="hook", address=Address(url=url), secret=secret))


def test_events_are_cloud_events_that_carry_the_incident(receiver: Webhook) -> None:
    for sequence, deed in enumerate(["opened", "updated", "acknowledged", "resolved"], start=1):
        assert to(f"{receiver.url}/x?y=1").deliver(owed(sequence, deed), START) == Delivered()
    assert receiver.faults == []
    types = [event["type"].rpartition(".")[2] for event in receiver.events.values()]
    assert types == ["opened", "updated", "acknowledged", "resolved"]
    first = receiver.events["incident-1:1:oncall"]
    assert (first["data"], first["source"]) == (incident(), "http://127.0.0.1:8088")
    assert {asked.path for asked in receiver.asked} == {"/x?y=1"}


def test_the_signature_is_that_of_the_documents(receiver: Webhook) -> None:
    to(receiver.url).deliver(owed(), START)
    (asked,) = receiver.asked
    assert asked.headers["x-driftband-timestamp"] == str(int(START.timestamp())) == "1795514400"
    by_hand = hmac.new(SECRET.encode(), b"1795514400:" + asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-driftband-signature"] == by_hand == signature(SECRET, "1795514400", asked.body)
    assert isinstance(to(receiver.url, "another").deliver(owed(), START), Failed)


def test_the_same_again_is_once_in_effect(receiver: Webhook) -> None:
    receiver.replies = [Reply(cut=True, accept=True)]
    assert isinstance(to(receiver.url).deliver(owed(), START), Failed)
    assert to(receiver.url).deliver(owed(), START) == Delivered()
    assert len(receiver.events) == 1
    assert receiver.asked[0].body == receiver.asked[1].body


def test_hostile_text_stays_json(receiver: Webhook) -> None:
    hostile = '"}\r\nX-Injected: 1\r\n\r\n<script>\u2028\x00${IFS}`id`'
    assert to(receiver.url).deliver(owed(incident=incident(title=hostile)), START) == Delivered()
    assert json.loads(receiver.asked[0].body)["data"]["title"] == hostile
    assert "x-injected" not in receiver.asked[0].headers


def test_an_error_repeats_neither_secret_nor_address(receiver: Webhook) -> None:
    receiver.replies = [
        Reply(status=500, body=b"no /hunter-path here, hunter-query=1, hunter-user:hunter-word, hunter-secret")
    ]
    url = receiver.url.replace("://", "://hunter-user:hunter-word@") + "/hunter-path?hunter-query=1"
    way = to(url, "hunter-secret")
    outcome = way.deliver(owed(), START)
    assert isinstance(outcome, Failed)
    assert "hunter" not in outcome.error + repr(way)
    assert receiver.asked[0].headers["authorization"] == "Basic aHVudGVyLXVzZXI6aHVudGVyLXdvcmQ="
