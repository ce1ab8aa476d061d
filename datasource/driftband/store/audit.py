"""Named queries on audit events: found again by the last part of the names that they mention."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from driftband.model.audit import AuditEvent
from driftband.store.columns import clean
from driftband.store.rows import chunks, insert_new, of_audit, to_audit
from driftband.store.tables import audit_events, audit_resources

MOST = 5_000


def tail(name: str) -> str:
    """Return what ARNs, links and names of one thing end with."""
    return clean(re.split(r"[/:]", name.rstrip("/:"))[-1].casefold()[:200])


def add(connection: Connection, events: Sequence[AuditEvent]) -> list[AuditEvent]:
    """Write events and return those that were not known."""
    fresh: list[AuditEvent] = []
    for some in chunks({event.id: event for event in events}.values()):
        ids = select(audit_events.c.id).where(audit_events.c.id.in_([event.id for event in some]))
        known = set(connection.execute(ids).scalars())
        fresh += [event for event in some if event.id not in known]
    for some in chunks(fresh):
        insert_new(connection, audit_events, [of_audit(event) for event in some])
    mentions = {
        (tail(name), event.at, event.id): None for event in fresh if not event.read_only for name in event.resources
    }
    for some in chunks(name for name in mentions if name[0]):
        rows = [{"resource": resource, "at": at, "event": event} for resource, at, event in some]
        insert_new(connection, audit_resources, rows)
    return fresh


def naming(connection: Connection, names: Iterable[str], start: datetime, end: datetime) -> list[AuditEvent]:
    """Return the writes of ``[start, end]`` that may mean one of ``names``, the youngest first where there are many."""
    r = audit_resources.c
    found: dict[str, AuditEvent] = {}
    for some in chunks({tail(name) for name in names}):
        ids = select(r.event).where(r.resource.in_(some), r.at >= start, r.at <= end).order_by(r.at.desc()).limit(MOST)
        for part in chunks(dict.fromkeys(connection.execute(ids).scalars())):
            rows = connection.execute(select(audit_events).where(audit_events.c.id.in_(part))).mappings()
            found |= {row["id"]: to_audit(row) for row in rows}
    return list(found.values())
