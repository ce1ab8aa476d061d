"""The gate of CI: how things stand after a change."""

from datetime import timedelta
from typing import Protocol

from flask import Blueprint, Response, request

from driftband.model.refusal import RefusedError
from driftband.model.verification import Verification
from driftband.web.evidence import PREFIX, answer
from driftband.web.listing import known_alone
from driftband.web.problems import refusals

FOR_CI = "verification.verify"
"""The endpoint that a write token may read too: it is CI that asks, and that has no other."""
ARGUMENTS = ("change", "seconds")
LONGEST = 7 * 86_400


class Gate(Protocol):
    """What knows."""

    def verify(self, change_id: str, lasts: timedelta) -> Verification:
        """Return how things stand, until ``lasts`` after the change's end. Raises UnknownError."""


def blueprint(gate: Gate) -> Blueprint:
    """Return the route."""
    api = Blueprint("verification", __name__, url_prefix=PREFIX)
    refusals(api)

    @api.get("/verification")
    def verify() -> Response:
        known_alone(request.args, ARGUMENTS)
        return answer(gate.verify(_change(), timedelta(seconds=_seconds())).json())

    return api


def _change() -> str:
    change: str = request.args.get("change", "")
    if not change:
        raise RefusedError("?change= is needed: the id of a change")
    return change


def _seconds() -> int:
    text = request.args.get("seconds", "")
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:9]) <= LONGEST:
        raise RefusedError(f"?seconds= must be a whole number from 1 to {LONGEST}")
    return int(text)
