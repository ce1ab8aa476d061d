"""Named queries on events of PagerDuty's webhook: each is taken once, and none after a later one of its incident."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from driftband.store.rows import insert_new
from driftband.store.tables_incidents import pagerduty_events

_e = pagerduty_events.c


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that somebody did in PagerDuty, ``at``. id: the event's there.

    destinations: those that it may have come from; where only one of them knows of the incident, it came from that one.
    """

    id: str
    at: datetime
    destinations: frozenset[str]


def take(connection: Connection, event: Event, incident: str, now: datetime) -> bool:
    """Note an event of an incident; False where it is known, or a later one of the incident was taken before."""
    key = hashlib.blake2b(event.id.encode("utf-8", "replace"), digest_size=20).hexdigest()
    later = (_e.incident == incident) & (_e.at > event.at)
    if connection.execute(select(_e.key).where((_e.key == key) | later).limit(1)).first() is not None:
        return False
    insert_new(connection, pagerduty_events, [{"key": key, "incident": incident, "at": event.at, "received_at": now}])
    return True


def forget(connection: Connection, before: datetime) -> None:
    """Delete what was received before an instant."""
    connection.execute(delete(pagerduty_events).where(_e.received_at < before))
