"""Notifications: one message owed to one destination."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from driftband.model.incident import Deed
from driftband.model.moment import show_moment

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

    def json(self) -> dict[str, Any]:
        """Return its form in the list of notifications: what is owed to whom, without the message itself."""
        return {
            "id": self.id,
            "destination": self.destination,
            "incident": self.incident_id,
            "title": self.incident.get("title"),
            "sequence": self.sequence,
            "deed": self.deed,
            "state": self.state,
            "attempts": self.attempts,
            "made_at": show_moment(self.made_at),
            "next_at": show_moment(self.next_at) if self.state == "waiting" else None,
            "sent_at": show_moment(self.sent_at) if self.sent_at else None,
            "error": self.error,
        }


def owed(deed: Deed, fits: Sequence[str], told: Collection[str]) -> list[tuple[str, Deed]]:
    """Return which destinations have to be told of a deed, and as what.

    fits: those whose matchers the incident meets now. told: those that hold it for unresolved: they are told to its end,
    whether or not it still fits. Who hears of it for the first time is told that it opened, and never only of its end.
    """
    fresh = [] if deed == "resolved" else [name for name in dict.fromkeys(fits) if name not in told]
    return [*((name, deed) for name in sorted(told)), *((name, "opened") for name in fresh)]
