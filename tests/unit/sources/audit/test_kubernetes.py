"""Audit events of a Kubernetes API server."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from driftband.model.audit import AuditEvent
from driftband.model.moment import parse_moment
from driftband.sources.audit import AuditError, read_audit_events

SAMPLE = Path(__file__).parent / "samples/kubernetes_event_list.json"


@pytest.fixture
def events() -> tuple[AuditEvent, ...]:
    return read_audit_events(SAMPLE.read_bytes())


def one(**changes: Any) -> AuditEvent:
    (event,) = read_audit_events(orjson.dumps(orjson.loads(SAMPLE.read_bytes())["items"][0] | changes))
    return event


def test_a_write_names_its_object_in_three_ways(events: tuple[AuditEvent, ...]) -> None:
    assert events[0] == AuditEvent(
        id="patch-deployments-456",
        at=parse_moment("2026-11-24T09:58:12.123Z"),
        actor="dana@example.com",
        action="patch deployments/scale",
        resources=("prod/checkout", "checkout", "deployments/prod/checkout"),
        source="kubernetes",
    )


def test_only_complete_stages_and_only_what_changed_something_counts(events: tuple[AuditEvent, ...]) -> None:
    assert [(event.action, event.read_only) for event in events] == [
        ("patch deployments/scale", False),
        ("get deployments", True),
        ("delete deployments", True),
        ("update secrets", False),
        ("create jobs", False),
        ("patch deployments", True),
        ("update namespaces", False),
    ]


def test_an_impersonator_is_who_did_it_and_as_whom(events: tuple[AuditEvent, ...]) -> None:
    assert events[3].actor == "system:serviceaccount:ci:deployer (as erik@example.com)"


def test_of_objects_only_a_made_up_name_is_read(events: tuple[AuditEvent, ...]) -> None:
    assert events[4].resources[0] == "prod/migrate-x7k2p"
    assert "Y2FuYXJ5" not in repr(events)


def test_a_namespace_does_not_lie_in_itself(events: tuple[AuditEvent, ...]) -> None:
    assert events[6].resources == ("prod", "namespaces/prod")


def test_items_of_a_list_need_not_say_what_they_are(events: tuple[AuditEvent, ...]) -> None:
    document = orjson.loads(SAMPLE.read_bytes())
    for item in document["items"]:
        del item["kind"], item["apiVersion"]
    assert read_audit_events(orjson.dumps(document)) == events


def test_a_log_file_s_lines_are_taken(events: tuple[AuditEvent, ...]) -> None:
    items = orjson.loads(SAMPLE.read_bytes())["items"]
    assert read_audit_events(b"\n".join(map(orjson.dumps, items)) + b"\n\n") == events


def test_what_has_no_object_names_none() -> None:
    event = one(objectRef=None, requestURI="/healthz")
    assert (event.action, event.resources) == ("patch no object", ())


def test_the_time_of_arrival_stands_in_for_a_missing_one() -> None:
    assert one(stageTimestamp=None, requestReceivedTimestamp="2026-11-24T08:00:00Z").at.hour == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user": {}}, r"^user\.username: expected a text, got nothing"),
        ({"verb": 3}, r"^verb: expected a text, got a number"),
        ({"objectRef": ["x"]}, r"^objectRef: expected a JSON object, got a list"),
        ({"responseStatus": {"code": "200"}}, r"^responseStatus\.code: expected a whole number"),
        ({"stageTimestamp": None, "requestReceivedTimestamp": None}, r"^stageTimestamp: expected an RFC 3339 time"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(changes: Any, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        one(**changes)
