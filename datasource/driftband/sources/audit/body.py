"""A body of audit events: told apart by their form, one or many of them, all taken or none."""

from collections.abc import Iterator
from typing import Any

from driftband.model.audit import AuditEvent
from driftband.sources.audit import cloudtrail, kubernetes, plain
from driftband.sources.audit.errors import AuditError
from driftband.sources.fields import Fields, read_json

MOST_EVENTS = 10_000
"""Events of one body."""


def read_audit_events(body: bytes) -> tuple[AuditEvent, ...]:
    """Read the events of a body, in their order.

    One event, a list of events, or JSON lines, each event in any of these forms; ``{"Records": [...]}`` as CloudTrail
    writes to S3; an ``EventList`` as a Kubernetes API server sends; ``{"events": [...]}``.

    - CloudTrail: what EventBridge delivers (``detail-type`` "AWS API Call via CloudTrail" and its sisters), or a record.
    - Kubernetes: ``Event`` of ``audit.k8s.io``; of its stages only ``ResponseComplete``, the others tell less.
    - Anything else: ``{"id"?, "at", "actor", "action", "resources": [...] or "resource": "...", "source"?, "read_only"?}``.

    Raises:
        AuditError: for a body that is none of them, or has more than ``MOST_EVENTS`` events.
    """
    found = list(_events(body))
    if len(found) > MOST_EVENTS:
        raise AuditError(f"expected at most {MOST_EVENTS} events in one body, got {len(found)}; send them in parts")
    return tuple(event for fields in found if (event := _read(fields)) is not None)


def _events(body: bytes) -> Iterator[Fields]:
    if _is_lines(body):
        for number, line in enumerate(body.split(b"\n"), start=1):
            if line.strip():
                yield from _unfold(_line(line, number), f"line {number}")
        return
    yield from _unfold(read_json(body, AuditError), "")


def _is_lines(body: bytes) -> bool:
    """Whether the first line is a whole object and another one begins after it: an audit log file is written so."""
    first, _, rest = body.strip().partition(b"\n")
    return first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{")


def _line(line: bytes, number: int) -> Any:
    try:
        return read_json(line, AuditError)
    except AuditError:
        raise AuditError(f"line {number}: expected a JSON object") from None


def _unfold(document: Any, place: str) -> Iterator[Fields]:
    if isinstance(document, list):
        for index, event in enumerate(document):
            yield Fields.of(event, f"{place}[{index}]", AuditError)
        return
    fields = Fields.of(document, place, AuditError)
    for name in ("Records", "events"):
        if name in fields.raw:
            yield from fields.objects(name)
            return
    if fields.raw.get("kind") == "EventList":
        for event in fields.objects("items"):
            # Within a list Kubernetes may leave out what its items are.
            yield Fields({**event.raw, "apiVersion": fields.raw.get("apiVersion")}, event.place, AuditError)
        return
    yield fields


def _read(fields: Fields) -> AuditEvent | None:
    if "detail-type" in fields.raw:
        return cloudtrail.read_delivered(fields)
    if str(fields.raw.get("apiVersion", "")).startswith("audit.k8s.io/"):
        return kubernetes.read_event(fields)
    if "eventSource" in fields.raw or "eventName" in fields.raw:
        return cloudtrail.read_record(fields)
    return plain.read_event(fields)
