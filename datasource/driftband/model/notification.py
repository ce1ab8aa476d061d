"""Notifications: one message owed to one destination."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from driftband.model.incident import Deed

NotificationState = Literal["waiting", "sent", "dead"]


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A message. id: the key that makes it once in effect at the receiver. incident: the form of SHAPES.md, as it was.

    sequence: of the incident's messages to this destination; they go in this order. next_at: not before then. error: why
    the last attempt failed, without secrets.
    """

    id: str
    destination: str
    incident_id: str
    sequence: int
    deed: Deed
    incident: Mapping[str, Any]
    made_at: datetime
    state: NotificationState = "waiting"
    attempts: int = 0
    next_at: datetime
    sent_at: datetime | None = None
    error: str | None = None
