"""Webhooks of PagerDuty, as its documentation shows them."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.respond.pagerduty_webhook import PagerDutyHookError, Told, read, verify

SECRET = "secret-of-the-subscription"


def event(kind: str = "incident.acknowledged", **more: Any) -> dict[str, Any]:
    return {
        "event": {
            "id": "5ac64822-4adc-4fda-ade0-410becf0de4f",
            "event_type": kind,
            "resource_type": "incident",
            "occurred_at": "2026-11-24T10:05:22.169Z",
            "agent": {"id": "PLH1HKV", "summary": "Dana Engineer", "type": "user_reference"},
            "client": {"name": "PagerDuty"},
            "data": {"id": "PGR0VU2", "type": "incident", "status": "acknowledged", "incident_key": "incident-1"},
            **more,
        }
    }


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


def signed(content: bytes, secret: str = SECRET) -> str:
    return "v1=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def test_a_signature_by_one_of_the_secrets_is_good() -> None:
    content = body(event())
    good = signed(content)
    for header in (good, f"v1={'0' * 64},{good}", f"v0=x, {good}", good.upper().replace("V1", "v1")):
        assert verify(content, header, ["another", SECRET])


@pytest.mark.parametrize(
    "header", [None, "", "v1=", "v2=x", signed(b"another body"), signed(b"x", "another"), "v1=\u00fc", "," * 9999]
)
def test_anything_else_is_not(header: str | None) -> None:
    assert not verify(b"x", header, [SECRET])


def test_without_a_secret_nothing_is_verified() -> None:
    assert not verify(b"x", signed(b"x", ""), [""])
    assert not verify(b"x", signed(b"x", ""), [])


def test_acknowledged_and_resolved_are_read() -> None:
    at = datetime(2026, 11, 24, 10, 5, 22, 169_000, tzinfo=UTC)
    told = Told(
        key="incident-1", act="acknowledge", by="Dana Engineer", at=at, event_id="5ac64822-4adc-4fda-ade0-410becf0de4f"
    )
    assert read(body(event())) == told
    resolved = read(body(event("incident.resolved", agent=None)))
    assert resolved is not None
    assert (resolved.act, resolved.by) == ("resolve", "PagerDuty")


@pytest.mark.parametrize(
    "document",
    [
        event("incident.triggered"),
        event("pagey.ping", data={"message": "Hello", "type": "ping"}),
        event("service.updated", data=None, agent=None),
        event(agent={"type": "events_api_v2_inbound_integration_reference", "summary": "driftband"}),
        event(data={"id": "P", "incident_key": None}),
    ],
)
def test_what_does_nothing_here_is_nothing(document: dict[str, Any]) -> None:
    assert read(body(document)) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", body({}), body({"event": []}), body({"event": {}}), body(event(data=None)),
     body(event(occurred_at="yesterday")), body(event(id=7))],
)  # fmt: skip
def test_what_is_no_event_is_refused(content: bytes) -> None:
    with pytest.raises(PagerDutyHookError):
        read(content)


@settings(deadline=None, derandomize=True)
@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(
    st.sampled_from(["event", "event_type", "data", "agent", "incident_key", "type", "id", "occurred_at"]), inner)))  # fmt: skip
def test_any_json_is_read_or_refused(document: Any) -> None:
    try:
        told = read(body(document))
    except PagerDutyHookError:
        return
    assert told is None or told.key


def test_a_hostile_name_is_one_line() -> None:
    told = read(body(event(agent={"summary": "Dana\r\nresolved by: nobody\x00", "type": "user_reference"})))
    assert told is not None
    assert told.by == "Dana resolved by: nobody"
