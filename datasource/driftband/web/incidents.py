"""Incidents and what is owed of them, and what people do to them. Format: SHAPES in docs/incidents.md."""

from collections.abc import Sequence
from typing import Any, Protocol

from flask import Blueprint, Response, request

from driftband.model.incident import Incident
from driftband.model.notification import Notification
from driftband.model.refusal import RefusedError
from driftband.web.bodies import json_object, text
from driftband.web.evidence import PREFIX, answer
from driftband.web.listing import Wanted, known_alone, paged, wanted
from driftband.web.problems import refusals

STATES = ("open", "acknowledged", "resolved")
CHOICES = {
    "severity": ("info", "warning", "error", "critical"),
    "verdict": ("explained", "unexplained"),
}
_NOTIFICATION_STATES = ("waiting", "sent", "dead")
_PAGE = ("limit", "cursor")
_ARGUMENTS = {
    "list_incidents": ("state", "severity", "verdict", "owner", "since", "until", *_PAGE),
    "list_notifications": ("state", "destination", "incident", *_PAGE),
}


class Incidents(Protocol):
    """What the API stands on. Every method may raise RefusedError."""

    def page(self, part: Wanted, states: Sequence[str]) -> list[Incident]:
        """Return incidents, one more than wanted where there are more."""

    def one(self, incident_id: str) -> Incident:
        """Return an incident."""

    def acknowledge(self, incident_id: str, by: str) -> Incident:
        """Let somebody look after an incident."""

    def resolve(self, incident_id: str, by: str) -> Incident:
        """Let somebody say that an incident is over."""

    def notifications(self, part: Wanted) -> list[Notification]:
        """Return notifications, one more than wanted where there are more."""

    def retry(self, notification_id: str | None) -> int:
        """Let dead notifications be tried again; all of them without an id."""


def blueprint(incidents: Incidents) -> Blueprint:
    """Return the routes of incidents and notifications."""
    api = Blueprint("incidents", __name__, url_prefix=PREFIX)
    refusals(api)

    @api.before_request
    def refuse_unknown_arguments() -> None:
        known_alone(request.args, _ARGUMENTS.get(str(request.endpoint).removeprefix("incidents."), ()))

    _incidents(api, incidents)
    _notifications(api, incidents)
    return api


def _incidents(api: Blueprint, incidents: Incidents) -> None:
    @api.get("/incidents")
    def list_incidents() -> Response:
        part = wanted(request.args, ("severity", "verdict", "owner"), CHOICES)
        listed = incidents.page(part, states_of(request.args.get("state", "")))
        return answer(paged("incidents", listed, part.limit, "opened_at"))

    @api.get("/incidents/<incident_id>")
    def show_incident(incident_id: str) -> Response:
        return answer(incidents.one(incident_id).json())

    @api.post("/incidents/<incident_id>/ack")
    def acknowledge(incident_id: str) -> Response:
        return answer(incidents.acknowledge(incident_id, _by()).json())

    @api.post("/incidents/<incident_id>/resolve")
    def resolve(incident_id: str) -> Response:
        return answer(incidents.resolve(incident_id, _by()).json())


def states_of(state: str) -> Sequence[str]:
    """Return the states that a list is asked for. Raises RefusedError."""
    if state not in ("", "all", *STATES):
        raise RefusedError(f"state must be one of {', '.join(STATES)}, all; without it, those that are not resolved")
    return (state,) if state in STATES else STATES if state == "all" else ("open", "acknowledged")


def _notifications(api: Blueprint, incidents: Incidents) -> None:
    @api.get("/notifications")
    def list_notifications() -> Response:
        part = wanted(request.args, ("state", "destination", "incident"), {"state": _NOTIFICATION_STATES})
        if "incident" in part.equal:
            part.equal["incident_id"] = part.equal.pop("incident")
        return answer(paged("notifications", incidents.notifications(part), part.limit, "made_at"))

    @api.post("/notifications/retry")
    def retry() -> Response:
        fields = json_object(("id", "all"))
        every: Any = fields.get("all", False)
        if not isinstance(every, bool) or every == ("id" in fields):
            raise RefusedError('expected {"id": "..."} of a dead notification, or {"all": true}')
        return answer({"retried": incidents.retry(None if every else text(fields, "id"))})


def _by() -> str:
    """Return who does it. A button may send no body; the record says then that nobody is named."""
    fields = json_object(("by",)) if request.get_data() else {}
    return text(fields, "by", required=False).strip() or "somebody"
