"""What ``/openapi.json`` tells: our own API as OpenAPI 3.1 describes one (https://spec.openapis.org/oas/v3.1.0).

The Prometheus API is Prometheus's own, and in its documentation.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from flask import Flask, Response

from driftband.model.change import ChangeKind, ChangeStatus
from driftband.model.finding import Class, Layer, Severity, State
from driftband.model.incident import IncidentState, Verdict
from driftband.model.notification import NotificationState
from driftband.model.run import RunStatus
from driftband.model.verification import VerificationStatus
from driftband.web.evidence import PREFIX
from driftband.web.openapi_bodies import BODIES

Json = dict[str, Any]
Query = Mapping[str, Json]

_TEXT: Json = {"type": "string"}
_MAYBE: Json = {"type": ["string", "null"]}
_TIME: Json = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Json = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_MAP: Json = {"type": "object", "additionalProperties": _TEXT}
_ANY: Json = {"type": "object"}
_NAME: Json = {"type": "string", "minLength": 1, "maxLength": 200}


def _one_of(kind: Any, *more: str) -> Json:
    return {"type": "string", "enum": [*get_args(kind), *more]}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _texts(*names: str) -> Query:
    return dict.fromkeys(names, _TEXT)


def _thing(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*properties]}


def _named(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _page(name: str, of: str) -> Json:
    return _thing(**{name: _list(_named(of)), "next": _MAYBE})


_SCHEMAS: Mapping[str, Json] = {
    "Problem": _thing(title=_TEXT, status={"type": "integer"}),
    "Finding": _thing(
        id=_TEXT, layer=_one_of(Layer), kind=_TEXT, state=_one_of(State), workspace=_TEXT, address=_MAYBE, resource_type=_MAYBE,
        module=_MAYBE, signal=_MAYBE, identity=_MAP, severity=_one_of(Severity), score={"type": "number"}, opened_at=_TIME,
        last_seen_at=_TIME, closed_at=_MAYBE_TIME, window_from=_MAYBE_TIME, reason=_TEXT, attributes=_list(_ANY), actor=_MAYBE,
        evidence=_ANY, reopens=_MAYBE, ignored_by=_MAYBE, unless_ignored=_MAYBE, **{"class": _one_of(Class)},
    ),
    "Run": _thing(
        id=_TEXT, workspace=_TEXT, status=_one_of(RunStatus), tool=_TEXT, at=_TIME, reported_at=_TIME, reason=_TEXT, lineage=_MAYBE,
        serial={"type": ["integer", "null"]}, commit=_MAYBE, superseded={"type": "boolean"}, read=_COUNT, renamed=_list(_ANY),
        errors=_list(_TEXT),
    ),
    "Change": _thing(
        id=_TEXT, kind=_one_of(ChangeKind), status=_one_of(ChangeStatus), started_at=_TIME, ended_at=_MAYBE_TIME, workspace=_MAYBE,
        commit=_MAYBE, actor=_MAYBE, url=_MAYBE, summary=_MAYBE, identity=_MAP, resources=_list(_ANY),
    ),
    "Incident": _thing(
        id=_TEXT, title=_TEXT, state=_one_of(IncidentState), severity=_one_of(Severity), verdict=_one_of(Verdict), opened_at=_TIME,
        acknowledged_at=_MAYBE_TIME, acknowledged_by=_MAYBE, resolved_at=_MAYBE_TIME, identity=_MAP, owner=_MAYBE,
        findings=_list(_TEXT), root=_MAYBE, suspects=_list(_ANY), merged_into=_MAYBE, timeline=_list(_ANY), context=_ANY,
    ),
    "Notification": _thing(
        id=_TEXT, destination=_TEXT, incident=_TEXT, title=_MAYBE, sequence=_COUNT, deed=_TEXT, state=_one_of(NotificationState),
        attempts=_COUNT, made_at=_TIME, next_at=_MAYBE_TIME, sent_at=_MAYBE_TIME, error=_MAYBE,
    ),
    "Ignore": _thing(
        id=_TEXT, workspace=_MAYBE, address=_MAYBE, resource_type=_MAYBE, attribute=_MAYBE, reason=_TEXT, owner=_TEXT,
        created_at=_TIME, expires_at=_MAYBE_TIME,
    ),
    "Verification": _thing(
        change=_TEXT, status=_one_of(VerificationStatus), reason=_TEXT, since=_TIME, until=_MAYBE_TIME, evaluated_until=_MAYBE_TIME,
        signals=_ANY, findings=_list(_ANY), others=_COUNT,
    ),
}  # fmt: skip

_MOMENT: Json = {
    "type": "string",
    "pattern": r"^(|(19[7-9]\d|[2-9]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(Z|[+-]0\d:[0-5]\d))$",
    "description": "RFC 3339, from 1970 on; empty for none.",
}
_REPORT: Mapping[str, Json] = {
    "run": {**_TEXT, "maxLength": 200}, "lineage": {**_TEXT, "maxLength": 200}, "commit": {**_TEXT, "maxLength": 200},
    "serial": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 10**18 - 1}, {"const": ""}]}, "started_at": _MOMENT,
    "adopt": {"type": "string", "enum": ["true", "false"]},
}  # fmt: skip
_PAGED: Mapping[str, Json] = {
    "limit": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 1000}, {"const": ""}]},
    "cursor": _TEXT,
}
_SPAN: Mapping[str, Json] = {"since": _MOMENT, "until": _MOMENT}
_TAKEN = _thing(taken=_list(_TEXT))
_QUEUED = _thing(queued=_COUNT)


def _operation(
    summary: str,
    answer: Json | None,
    *statuses: int,
    needs: Sequence[str] = (),
    body: str | None = None,
    query: Query | None = None,
) -> Json:
    """Return an operation. needs: arguments that are required. body: its name in ``BODIES``."""
    content = {} if answer is None else {"content": {"application/json": {"schema": answer}}}
    responses: Json = {str(status): {"description": "Done.", **content} for status in statuses or (200,)}
    problem = {"application/problem+json": {"schema": _named("Problem")}}
    responses["default"] = {"description": "Why not, for a person.", "content": problem}
    told: Json = {"summary": summary, "responses": responses}
    if query:
        told["parameters"] = [
            {"name": name, "in": "query", "required": name in needs, "schema": schema} for name, schema in query.items()
        ]
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": BODIES[body]}}}
    return told


_INCIDENT, _FINDING, _CHANGE = _named("Incident"), _named("Finding"), _named("Change")
OPERATIONS: Mapping[tuple[str, str], Json] = {
    ("post", "/drift-reports"): _operation(
        "Take a drift report.",
        _thing(run=_named("Run"), opened=_COUNT, still_open=_COUNT, closed=_COUNT, accepted=_COUNT, findings=_list(_FINDING)),
        200, 201, needs=["workspace"], body="report", query={"workspace": _NAME, **_REPORT},
    ),
    ("get", "/runs"): _operation("List runs.", _page("runs", "Run"), query={"workspace": _TEXT, **_PAGED}),
    ("get", "/findings"): _operation(
        "List findings.", _page("findings", "Finding"), query={
            "state": _one_of(State, "all"), "layer": _one_of(Layer, ""), "class": _one_of(Class, ""), **_texts("workspace", "kind", "severity",
            "address", "signal"), **_SPAN, **_PAGED,
        },
    ),
    ("get", "/findings/{finding_id}"): _operation("Show a finding and its story.", _FINDING),
    ("post", "/findings/{finding_id}/accept"): _operation("Accept a finding.", _FINDING, body="acceptance"),
    ("post", "/changes"): _operation("Record a change.", _CHANGE, 200, 201, body="change"),
    ("get", "/changes"): _operation(
        "List changes.", _page("changes", "Change"), query={**_texts("workspace", "kind", "status", "commit"), **_SPAN, **_PAGED},
    ),
    ("get", "/changes/{change_id}"): _operation("Show a change.", _CHANGE),
    ("get", "/verification"): _operation(
        "Tell whether all stayed calm after a change.", _named("Verification"), needs=["change", "seconds"],
        query={"change": {**_TEXT, "minLength": 1}, "seconds": {"type": "integer", "minimum": 1, "maximum": 604_800}},
    ),
    ("post", "/inventory"): _operation(
        "Take a state for the inventory.", _thing(workspace=_TEXT, resources=_COUNT), 201, needs=["workspace"], body="state",
        query={"workspace": _NAME, **_REPORT},
    ),
    ("get", "/inventory"): _operation(
        "Show an inventory.", _thing(resources=_list(_ANY)), needs=["workspace"], query={"workspace": _NAME}
    ),
    ("post", "/audit-events"): _operation(
        "Take audit events.", _thing(events=_COUNT, attributed=_COUNT), 201, body="audit_events"
    ),
    ("post", "/hooks/atlantis"): _operation("Take a webhook of Atlantis.", _TAKEN, body="webhook"),
    ("post", "/hooks/hcp-terraform"): _operation("Take a notification of HCP Terraform.", _TAKEN, body="webhook"),
    ("post", "/hooks/pagerduty"): _operation("Take a webhook of PagerDuty, signed.", _TAKEN, body="webhook"),
    ("post", "/alerts/grafana"): _operation("Take a webhook of Grafana's alerting, signed.", _QUEUED, 202, body="webhook"),
    ("post", "/alerts/alertmanager"): _operation("Take a webhook of Alertmanager.", _QUEUED, 202, body="webhook"),
    ("get", "/incidents"): _operation(
        "List incidents.", _page("incidents", "Incident"), query={
            "state": _one_of(IncidentState, "all", ""), "severity": _one_of(Severity, ""), "verdict": _one_of(Verdict, ""), "owner": _TEXT, **_SPAN, **_PAGED,
        },
    ),
    ("get", "/incidents/{incident_id}"): _operation("Show an incident.", _INCIDENT),
    ("post", "/incidents/{incident_id}/ack"): _operation("Acknowledge an incident.", _INCIDENT, body="person"),
    ("post", "/incidents/{incident_id}/resolve"): _operation("Resolve an incident.", _INCIDENT, body="person"),
    ("get", "/notifications"): _operation(
        "List notifications.", _page("notifications", "Notification"), query={"state": _one_of(NotificationState, ""), **_texts("destination", "incident"), **_PAGED},
    ),
    ("post", "/notifications/retry"): _operation(
        "Let dead notifications be tried again.", _thing(retried=_COUNT), body="retry"
    ),
    ("get", "/ignores"): _operation(
        "List ignore rules.", _thing(ignores=_list(_named("Ignore")), proposals=_list(_ANY))
    ),
    ("post", "/ignores"): _operation("Add an ignore rule.", _named("Ignore"), 200, 201, body="ignore"),
    ("delete", "/ignores/{rule_id}"): _operation("Take an ignore rule back.", None, 204),
}  # fmt: skip


def document(version: str, url: str, *, guarded: bool) -> Json:
    """Return the document. url: of the service. guarded: whether tokens are wanted."""
    paths: dict[str, Json] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(f"{PREFIX}{path}", {})[method] = operation
    for path, operations in paths.items():
        if "{" in path:
            name = path.partition("{")[2].partition("}")[0]
            operations["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {**_TEXT, "minLength": 1}}
            ]
    components: Json = {"schemas": dict(_SCHEMAS)}
    told: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "driftband",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": components,
    }
    if guarded:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        told["security"] = [{"token": []}]
    return told


def add_openapi(app: Flask, text: bytes) -> None:
    """Add the route; ``text`` is what it answers."""

    @app.get("/openapi.json")
    def openapi() -> Response:
        return Response(text, content_type="application/json")
