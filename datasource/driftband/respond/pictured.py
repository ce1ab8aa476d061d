"""Messages with a picture of what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from driftband.model.notification import Notification
from driftband.respond.outcome import Outcome
from driftband.respond.sender import Pictures, Sender, incident_page


def picture_of(notification: Notification, pictures: Pictures | None) -> bytes | None:
    """Return the picture that a message carries: one that tells of trouble, not of its end."""
    told = notification.deed in ("opened", "updated") and "change" not in notification.incident
    return pictures.png(notification.incident_id) if told and pictures is not None else None


@dataclass(frozen=True)
class Pictured:
    """Gives a destination that fetches pictures the address of ours, before those that came with alerts."""

    sender: Sender
    pictures: Pictures
    external_url: str

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        """Try once, at ``at``."""
        if picture_of(notification, self.pictures) is not None:
            notification = replace(notification, incident=self._with_image(notification))
        return self.sender.deliver(notification, at)

    def _with_image(self, notification: Notification) -> Mapping[str, Any]:
        incident = notification.incident
        context = incident.get("context") or {}
        image = {
            "src": self.pictures.url(notification.incident_id),
            "href": incident_page(self.external_url, incident),
            "alt": str(incident.get("title") or "what was seen, and the change"),
        }
        return {**incident, "context": {**context, "images": [image, *(context.get("images") or ())]}}
