"""Alerts in: the webhooks of Grafana, signed, and of Alertmanager, which cannot sign and shows a write token."""

from collections.abc import Callable, Mapping
from typing import Protocol

from flask import Blueprint, Response, request

from driftband.model.alert import AlertSource
from driftband.web.evidence import PREFIX, answer
from driftband.web.problems import refusals

SIGNED = "alerts.take_grafana"
"""The endpoint that is guarded by a signature and not by a token."""


class Inbox(Protocol):
    """Where alerts go."""

    def refuse(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Return why a webhook of Grafana's is not believed, or None where it is."""

    def take(self, source: AlertSource, body: bytes, headers: Mapping[str, str]) -> int:
        """Keep a webhook for later and return how many alerts it has, 0 where the very same is known. May raise RefusedError."""


def blueprint(inbox: Inbox, count: Callable[[str, int], None]) -> Blueprint:
    """Return the routes; ``count`` is told how many alerts of which source have come in."""
    api = Blueprint("alerts", __name__, url_prefix=PREFIX)
    refusals(api)

    def take(source: AlertSource) -> Response:
        taken = inbox.take(source, request.get_data(), dict(request.headers))
        count(source, taken)
        return answer({"queued": taken}, 202)

    @api.post("/alerts/grafana")
    def take_grafana() -> Response:
        return take("grafana")

    @api.post("/alerts/alertmanager")
    def take_alertmanager() -> Response:
        return take("alertmanager")

    return api
