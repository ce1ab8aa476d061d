"""The destination ``apprise``: chat and the rest, by apprise's own URLs (``slack://...``, ``mailtos://...``, ``json://...``).

Apprise runs in a process of its own, for each message anew: see ``apprise_process``.

Chats know no keys: where a message was taken and the answer was lost, it stands there twice.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftband.model.notification import Notification
from driftband.respond.apprise_process import AppriseError, ask
from driftband.respond.message import message
from driftband.respond.outcome import Answer, Delivered, Failed, Outcome, refusal
from driftband.respond.pictured import picture_of
from driftband.respond.sender import Setup

WITHIN = 60.0
_TYPES = {"info": "info", "warning": "warning"}


@dataclass(frozen=True)
class Chat:
    """Sends plain text through apprise."""

    setup: Setup
    within: float = WITHIN

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        """Send one message."""
        title, body = message(notification, self.setup.external_url)
        asked = {
            "url": self.setup.address.url,
            "title": title,
            "body": body,
            "type": _type(notification),
            "link": self.setup.external_url,
        }
        if (drawn := picture_of(notification, self.setup.pictures)) is not None and self.setup.pictures is not None:
            link = self.setup.pictures.url(notification.incident_id)
            asked |= {"picture": base64.b64encode(drawn).decode(), "picture_link": link}
        try:
            return _judged(ask(asked, self.within), at)
        except AppriseError as error:
            if error.late:
                return Failed(error="did not answer in time; it may have the message all the same", unreached=True)
            return Failed(error="apprise could not be run; is there memory for another process?")


def _judged(told: dict[str, Any], at: datetime) -> Outcome:
    if told.get("ok") is True:
        return Delivered()
    if told.get("bad") is True:
        return Failed(error="apprise does not know this kind of address, or it lacks a part; see url", permanent=True)
    status = told.get("status")
    if not isinstance(status, int):
        return Failed(error="could not be reached, or did not take the message", unreached=True)
    answer = Answer(status=status, headers={"retry-after": str(told.get("retry_after") or "")}, body=b"")
    return refusal(answer, at)


def _type(notification: Notification) -> str:
    if notification.deed in {"acknowledged", "resolved"}:
        return "success" if notification.deed == "resolved" else "info"
    return _TYPES.get(str(notification.incident.get("severity")), "failure")
