"""The plain form, and bodies of any form."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.audit import AuditEvent
from driftband.model.moment import parse_moment
from driftband.sources.audit import AuditError, read_audit_events
from driftband.sources.audit.body import MOST_EVENTS

SAMPLE = Path(__file__).parent / "samples/plain_events.json"
EVENT = {"at": "2026-11-24T10:00:00Z", "actor": "erik", "action": "ALTER DATABASE", "resource": "shard_1"}


def read(document: Any) -> tuple[AuditEvent, ...]:
    return read_audit_events(orjson.dumps(document))


def test_the_plain_form() -> None:
    first, second = read_audit_events(SAMPLE.read_bytes())
    assert first == AuditEvent(
        id="pg-1",
        at=parse_moment("2026-11-24T09:58:12Z"),
        actor="dana",
        action="ALTER ROLE",
        resources=("orders", "pg-main/orders"),
        source="pgaudit",
    )
    assert (second.resources, second.source, second.read_only) == (("shard_1",), "", False)


def test_one_a_list_and_lines_are_the_same() -> None:
    (event,) = read(EVENT)
    assert read([EVENT]) == read({"events": [EVENT]}) == (event,)
    assert read_audit_events(orjson.dumps(EVENT) + b"\r\n" + orjson.dumps(EVENT)) == (event, event)


def test_ids_are_kept_or_made_of_what_is_said() -> None:
    (event,) = read(EVENT)
    assert (event.id,) == tuple({other.id for other in read([EVENT, EVENT | {"unknown": "field"}])})
    assert read(EVENT | {"actor": "dana"})[0].id != event.id
    assert read(EVENT | {"id": 4711})[0].id == "4711"
    assert read(EVENT | {"read_only": True})[0].read_only


def test_forms_may_be_mixed_in_one_list() -> None:
    delivered = orjson.loads((SAMPLE.parent / "eventbridge_security_group.json").read_bytes())
    assert [event.source for event in read([EVENT, delivered])] == ["", "cloudtrail"]


def test_nothing_is_nothing() -> None:
    assert read([]) == read({"events": []}) == read({"Records": []}) == ()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([EVENT, EVENT | {"actor": None}], r"^\[1\]\.actor: expected a text, got nothing"),
        (
            {"events": [EVENT | {"at": "2026-11-24 10:00"}]},
            r"^events\[0\]\.at: expected an RFC 3339 time with an offset",
        ),
        ({"events": [EVENT | {"action": ""}]}, r"^events\[0\]\.action: expected a text, got an empty text"),
        (EVENT | {"resources": [], "resource": "x"}, "^resources: expected a list of names, or one under resource"),
        (EVENT | {"resources": ["x", 3]}, r"^resources\[1\]: expected a name"),
        (EVENT | {"resource": "x" * 513}, "^resource: expected a name of 1 to 512"),
        (EVENT | {"resource": "a\x00b"}, "^resource: expected a name"),
        (EVENT | {"resources": [str(n) for n in range(201)]}, "^resources: expected at most 200"),
        (EVENT | {"read_only": "no"}, "^read_only: expected true or false, got another text"),
        (EVENT | {"id": ["x"]}, "^id: expected a text, got a list"),
        ({"hello": "world"}, "^at: expected"),
        ("text", "^the body: expected a JSON object, got another text"),
        (None, "^the body: expected a JSON object, got nothing"),
        ([[EVENT]], r"^\[0\]: expected a JSON object, got a list"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(document: Any, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        read(document)


def test_lines_are_counted_as_people_count_them() -> None:
    good, bad = orjson.dumps(EVENT), orjson.dumps(EVENT | {"at": 3})
    with pytest.raises(AuditError, match=r"^line 3\.at: expected"):
        read_audit_events(good + b"\n\n" + bad)
    with pytest.raises(AuditError, match=r"^line 2: expected a JSON object"):
        read_audit_events(good + b"\n{trunc")


def test_errors_repeat_no_value_of_the_body() -> None:
    with pytest.raises(AuditError) as caught:
        read(EVENT | {"at": "canary-value"})
    assert "canary" not in str(caught.value)


def test_too_many_events_are_refused() -> None:
    with pytest.raises(AuditError, match="send them in parts"):
        read([EVENT] * (MOST_EVENTS + 1))


def test_control_characters_never_get_in() -> None:
    (event,) = read(EVENT | {"actor": "a\x00b\nc", "action": "x" * 600})
    assert event.actor == "a b c"
    assert len(event.action) == 512


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0aeventsRdtil-kypVAuo \n', max_size=60).map(str.encode))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    try:
        events = read_audit_events(body)
    except AuditError:
        return
    assert all(event.id for event in events)
