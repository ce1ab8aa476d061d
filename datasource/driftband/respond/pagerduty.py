"""The destination ``pagerduty``: Events API v2. One incident is one alert there, by its key."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from driftband.model.notification import Notification
from driftband.respond.outcome import Answer, Delivered, Failed, Outcome, plainly, refusal
from driftband.respond.pagerduty_event import change_event, incident_event
from driftband.respond.post import post
from driftband.respond.sender import Setup

_ACCEPTED = 202


@dataclass(frozen=True)
class PagerDuty:
    """Sends events, and tells refusals for good from those that pass."""

    setup: Setup

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        """Trigger, acknowledge or resolve; or tell of a change, where that is what the notification carries."""
        change = notification.incident.get("change")
        if isinstance(change, dict):
            path, body = "/v2/change/enqueue", change_event(change, self.setup.key)
        else:
            path, body = "/v2/enqueue", incident_event(notification, self.setup.key, self.setup.external_url)
        answer = post(self.setup.address, path, body, {"Content-Type": "application/json"})
        return answer if isinstance(answer, Failed) else self._judged(answer, at)

    def _judged(self, answer: Answer, at: datetime) -> Outcome:
        try:
            said = orjson.loads(answer.body)
        except ValueError:
            said = None
        told = said if isinstance(said, dict) else {}
        if answer.status == _ACCEPTED:
            if told.get("status") == "success":
                return Delivered()
            return Failed(error="answered 202, and not as PagerDuty does; what answers at url?")
        errors = told.get("errors")
        words = [told.get("message"), *(errors if isinstance(errors, list) else [])]
        text = "; ".join(word for word in words if isinstance(word, str))
        return refusal(answer, at, plainly(text, self.setup.secrets()))
