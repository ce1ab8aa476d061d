"""PagerDuty's webhook: what somebody did there."""

from typing import Protocol

from flask import Blueprint, Response, request

from driftband.web.evidence import PREFIX, answer
from driftband.web.problems import refusals

SIGNED = "pagerduty.take"
"""The endpoint that is guarded by a signature and not by a token."""
SIGNATURE = "X-PagerDuty-Signature"


class PagerDutyInbox(Protocol):
    """Where they go."""

    def refuse(self, body: bytes, signature: str | None) -> str | None:
        """Return why a webhook is not believed, or None where it is."""

    def take(self, body: bytes, signature: str | None) -> str | None:
        """Do what somebody did, and return the incident's id, None where it is none of ours. May raise RefusedError."""


def blueprint(inbox: PagerDutyInbox) -> Blueprint:
    """Return the route."""
    api = Blueprint("pagerduty", __name__, url_prefix=PREFIX)
    refusals(api)

    @api.post("/hooks/pagerduty")
    def take() -> Response:
        incident = inbox.take(request.get_data(), request.headers.get(SIGNATURE))
        return answer({"taken": [] if incident is None else [incident]})

    return api
