"""The destination ``alertmanager``: its API v2. An incident is one alert there, whose labels do not move.

A moving label would be another alert, and a second page: the labels are those of when the incident was first announced
(``announced`` in it); what moves stands in the annotations. An alert is kept firing by sending it again before it would end
(every ``EVERY``, good for ``FIRES_FOR``), and a resolved one is sent for a quarter of an hour, as Prometheus does: an
Alertmanager that was restarted in between knows neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from driftband.model.moment import parse_moment, show_moment
from driftband.model.notification import Notification
from driftband.respond.outcome import Delivered, Failed, Outcome, plainly, refusal
from driftband.respond.post import post
from driftband.respond.sender import Setup, incident_page, one_line, suspects_of, told_of_suspect

EVERY = timedelta(minutes=1)
FIRES_FOR = timedelta(minutes=5)
RESOLVED_FOR = timedelta(minutes=16)
"""A little more than the 15 minutes that are promised, since the last round may be the one that fails."""
ALERT_NAME = "DriftbandIncident"
_AT_ONCE = 500
_NO_LABELS = frozenset({"title", "suspect", "suspect_commit", "url"})
"""Of what was announced: prose, and what a person reads rather than routes by."""


def alert(notification: Notification, at: datetime, external_url: str) -> dict[str, Any]:
    """Return the alert of an incident as it stood when the notification was made, told at ``at``."""
    incident = notification.incident
    resolved = notification.deed == "resolved"
    ended = _moment(incident.get("resolved_at"), notification.made_at)
    started = _moment(incident.get("opened_at"), notification.made_at)
    return {
        "labels": _labels(incident),
        "annotations": _annotations(incident),
        # Without a length it would be refused.
        "startsAt": show_moment(min(started, ended - timedelta(milliseconds=1)) if resolved else started),
        "endsAt": show_moment(min(ended, at) if resolved else at + FIRES_FOR),
        "generatorURL": incident_page(external_url, incident),
    }


@dataclass(frozen=True)
class Alertmanager:
    """Sends alerts, each as often as it takes."""

    setup: Setup

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        """Tell of one incident."""
        return self._send([alert(notification, at, self.setup.external_url)], at)

    def remind(self, standing: Sequence[Notification], at: datetime) -> Outcome:
        """Tell again of the incidents that stand, and of those resolved lately."""
        alerts = [
            alert(one, at, self.setup.external_url)
            for one in standing
            if one.deed != "resolved" or at - _moment(one.incident.get("resolved_at"), one.made_at) <= RESOLVED_FOR
        ]
        for start in range(0, len(alerts), _AT_ONCE):
            outcome = self._send(alerts[start : start + _AT_ONCE], at)
            if isinstance(outcome, Failed):
                return outcome
        return Delivered()

    def _send(self, alerts: Sequence[Mapping[str, Any]], at: datetime) -> Outcome:
        body = orjson.dumps(alerts)
        answer = post(self.setup.address, "/api/v2/alerts", body, {"Content-Type": "application/json"})
        if isinstance(answer, Failed):
            return answer
        if answer.status == 200:  # noqa: PLR2004 - what Alertmanager says
            return Delivered()
        return refusal(answer, at, plainly(answer.body[:2000].decode(errors="replace"), self.setup.secrets()))


def _labels(incident: Mapping[str, Any]) -> dict[str, str]:
    """Return what does not move: without ``announced`` nothing but the incident's id is known not to."""
    announced = incident.get("announced")
    first = announced if isinstance(announced, Mapping) else {}
    given = {
        **{str(name): value for name, value in first.items() if name not in _NO_LABELS},
        "alertname": ALERT_NAME,
        "incident": incident.get("id"),
    }
    return {name: one_line(value, 500) for name, value in given.items() if isinstance(value, str) and value.strip()}


def _annotations(incident: Mapping[str, Any]) -> dict[str, str]:
    suspects = suspects_of(incident)
    given = {
        "summary": one_line(incident.get("title"), 1000),
        "description": "\n".join(f"suspected: {told_of_suspect(one)}" for one in suspects[:3]),
        "state": incident.get("state"),
        "severity": incident.get("severity"),
        "verdict": incident.get("verdict"),
        "owner": incident.get("owner"),
    }
    return {name: value for name, value in given.items() if isinstance(value, str) and value}


def _moment(text: Any, otherwise: datetime) -> datetime:
    try:
        return parse_moment(text)
    except ValueError:
        return otherwise
