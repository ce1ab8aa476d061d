"""The outbox as the relay sees it. Each step is a transaction of its own: what is sent is settled after it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Exists, or_, select, update

from driftband.model.notification import Notification
from driftband.store.database import Database
from driftband.store.notifications import to_notification
from driftband.store.rows import upsert
from driftband.store.tables_incidents import destination_pauses, notifications

_n = notifications.c
_p = destination_pauses.c
_LONGEST_ERROR = 1000


@dataclass(frozen=True)
class StoredOutbox:
    """The outbox in the store."""

    database: Database

    def due(self, now: datetime, limit: int) -> Sequence[Notification]:
        """Return heads, the longest waiting first: of an incident's waiting ones to a destination only the first.

        Those whose ``next_at`` has come, and those that were only held (no attempts yet) while a later one is due. Those of
        paused destinations are left out. limit: of each destination, so that what one leaves lying hides no other's.
        """
        found: list[Notification] = []
        with self.database.read() as connection:
            named = select(_n.destination).where(_n.state == "waiting").distinct()
            paused = set(connection.execute(select(_p.destination).where(_p.until > now)).scalars())
            for destination in sorted(set(connection.execute(named).scalars()) - paused):
                found += _heads(connection, destination, now, limit)
        return sorted(found, key=lambda one: (one.next_at, one.made_at, one.id))

    def waiting(self, destination: str, incident_id: str) -> Sequence[Notification]:
        """Return all waiting ones of an incident to a destination, in their order."""
        mine = (_n.incident_id == incident_id, _n.destination == destination, _n.state == "waiting")
        with self.database.read() as connection:
            rows = connection.execute(select(notifications).where(*mine).order_by(_n.sequence)).mappings()
            return [to_notification(row) for row in rows]

    def standing(self, destination: str, resolved_since: datetime) -> Sequence[Notification]:
        """Return the last sent notification of each incident to a destination.

        Not of those incidents whose last one is ``resolved`` and was sent before ``resolved_since``.
        """
        stands = or_(_n.deed != "resolved", _n.sent_at >= resolved_since)
        last = (_n.state == "sent", _n.destination == destination, stands, ~_another("sent", later=True))
        with self.database.read() as connection:
            rows = connection.execute(select(notifications).where(*last).order_by(_n.made_at, _n.id)).mappings()
            return [to_notification(row) for row in rows]

    def sent(self, notification_id: str, at: datetime) -> None:
        """Settle: it has arrived."""
        self._change(notification_id, attempts=_n.attempts + 1, state="sent", sent_at=at, error=None)

    def failed(self, notification_id: str, at: datetime, error: str, next_at: datetime) -> None:
        """Count an attempt, and try again at ``next_at``. error: without secrets."""
        del at
        self._change(notification_id, attempts=_n.attempts + 1, next_at=next_at, error=error[:_LONGEST_ERROR])

    def dead(self, notification_id: str, at: datetime, error: str) -> None:
        """Settle: it will never arrive as it is, a person has to look. error: without secrets."""
        del at
        self._change(notification_id, attempts=_n.attempts + 1, state="dead", error=error[:_LONGEST_ERROR])

    def hold(self, notification_id: str, until: datetime) -> None:
        """Set ``next_at``; no attempt was made."""
        self._change(notification_id, next_at=until)

    def _change(self, notification_id: str, **values: Any) -> None:
        mine = (_n.id == notification_id, _n.state == "waiting")
        with self.database.write(beside=True) as connection:
            connection.execute(update(notifications).where(*mine).values(**values))

    def paused_until(self, destination: str) -> datetime | None:
        """Return until when a destination is left alone; None where it is not."""
        with self.database.read() as connection:
            return connection.execute(select(_p.until).where(_p.destination == destination)).scalar()

    def pause(self, destination: str, until: datetime) -> None:
        """Leave a destination alone until then; it survives a restart."""
        with self.database.write(beside=True) as connection:
            upsert(connection, destination_pauses, [{"destination": destination, "until": until}])


def _heads(connection: Connection, destination: str, now: datetime, limit: int) -> list[Notification]:
    mine = (_n.state == "waiting", _n.destination == destination, ~_another("waiting", later=False))
    ready = select(notifications).where(*mine, _n.next_at <= now).order_by(_n.next_at, _n.made_at, _n.id)
    held = select(notifications).where(
        *mine, _n.next_at > now, _n.attempts == 0, _another("waiting", later=True, due=now)
    )
    rows = [row for part in (ready, held) for row in connection.execute(part.limit(limit)).mappings()]
    return [to_notification(row) for row in rows[:limit]]


def _another(state: str, *, later: bool, due: datetime | None = None) -> Exists:
    """Whether there is another of the same incident to the same destination, before or after it."""
    other = notifications.alias()
    conditions = [
        other.c.incident_id == _n.incident_id,
        other.c.destination == _n.destination,
        other.c.state == state,
        other.c.sequence > _n.sequence if later else other.c.sequence < _n.sequence,
    ]
    if due is not None:
        conditions.append(other.c.next_at <= due)
    return select(other.c.id).where(*conditions).exists()
