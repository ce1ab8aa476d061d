"""The destination ``webhook``: CloudEvents 1.0 in JSON, signed, to any address.

The signature is hex HMAC-SHA256 of ``<timestamp>:<body>`` by the shared secret; the timestamp is that of the attempt, in
epoch seconds. The event's ``id`` is the notification's key: who has seen it has the event already.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

import orjson

from driftband.model.moment import show_moment
from driftband.model.notification import Notification
from driftband.respond.outcome import Delivered, Failed, Outcome, plainly, refusal
from driftband.respond.post import post
from driftband.respond.sender import Setup


def cloud_event(notification: Notification, external_url: str) -> bytes:
    """Return the event in JSON; the same notification gives the same bytes."""
    event = {
        "specversion": "1.0",
        "id": notification.id,
        "source": external_url,
        "type": f"driftband.incident.{notification.deed}",
        "subject": notification.incident_id,
        "time": show_moment(notification.made_at),
        "datacontenttype": "application/json",
        "data": dict(notification.incident),
    }
    return orjson.dumps(event)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return what ``X-Driftband-Signature`` says."""
    return hmac.new(secret.encode(), timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Webhook:
    """Sends events; any 2xx is taken for an acceptance."""

    setup: Setup

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        """Send the event, signed as of ``at``."""
        body = cloud_event(notification, self.setup.external_url)
        timestamp = str(int(at.timestamp()))
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "X-Driftband-Timestamp": timestamp,
            "X-Driftband-Signature": signature(self.setup.secret, timestamp, body),
        }
        answer = post(self.setup.address, "", body, headers)
        if isinstance(answer, Failed):
            return answer
        if 200 <= answer.status < 300:  # noqa: PLR2004 - the successes
            return Delivered()
        words = answer.body[:2000].decode(errors="replace")
        return refusal(answer, at, plainly(words, self.setup.secrets()))
