"""Named queries on notifications: what is owed, and what people see of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, or_, select, update

from driftband.model.incident import Deed, Incident
from driftband.model.notification import Notification, owed
from driftband.model.refusal import ConflictError, UnknownError
from driftband.store.rows import chunks, insert_new, youngest
from driftband.store.tables_incidents import incidents, notifications

_n = notifications.c
_FIELDS = (
    "id", "destination", "incident_id", "sequence", "deed", "incident", "made_at", "state", "attempts", "next_at", "sent_at", "error",
)  # fmt: skip


def owe(
    connection: Connection,
    incident: Incident,
    deed: Deed,
    fits: Sequence[str],
    now: datetime,
    known_at: Collection[str] = (),
) -> None:
    """Write what is owed of a deed to each destination; fits: those whose matchers the incident meets.

    known_at: where it may have been done. If only one of them holds the incident, it knows already: that is on record as
    sent, and of what it was still owed nothing is sent that its end has overtaken. Where one may be on its way there just now,
    the end is sent after it.
    """
    last = _last(connection, incident.id)
    told = {name for name, (_, before) in last.items() if before != "resolved"}
    knowing = {name for name in known_at if name in (last if deed == "opened" else told)}
    known = knowing if len(knowing) == 1 else set()
    if deed == "resolved":
        known -= _overtake(connection, incident.id, known, now)
    _add(connection, incident, owed(deed, [*fits, *known], told), last, now, known)


def owe_first(connection: Connection, incident: Incident, destinations: Sequence[str], now: datetime) -> None:
    """Write that destinations are to hear of an incident that do not know it yet."""
    last = _last(connection, incident.id)
    _add(connection, incident, [(name, "opened") for name in destinations], last, now)


def _add(
    connection: Connection,
    incident: Incident,
    deeds: Iterable[tuple[str, Deed]],
    last: Mapping[str, tuple[int, Deed]],
    now: datetime,
    known: Collection[str] = (),
) -> None:
    announced = connection.execute(select(incidents.c.announced).where(incidents.c.id == incident.id)).scalar()
    message = {**incident.json(), "announced": announced or {}}
    made = []
    for destination, deed in deeds:
        sequence = last[destination][0] + 1 if destination in last else 1
        made.append(
            Notification(
                id=f"{incident.id}:{sequence}:{destination}",
                destination=destination,
                incident_id=incident.id,
                sequence=sequence,
                deed=deed,
                incident=message,
                made_at=now,
                next_at=now,
                state="sent" if destination in known else "waiting",
                sent_at=now if destination in known else None,
            )
        )
    for some in chunks(made):
        connection.execute(insert(notifications), [_row(n) for n in some])


def _row(notification: Notification) -> dict[str, Any]:
    return {name: getattr(notification, name) for name in _FIELDS}


def _overtake(connection: Connection, incident: str, destinations: Collection[str], now: datetime) -> set[str]:
    """Settle what waits: sent after the end it would open the incident there again. Return where one may be on its way."""
    waits = (_n.incident_id == incident, _n.destination.in_(destinations), _n.state == "waiting")
    tried = select(_n.destination).where(*waits, or_(_n.attempts > 0, _n.next_at <= now))
    going = set(connection.execute(tried).scalars())
    connection.execute(update(notifications).where(*waits).values(state="sent", sent_at=now, error=None))
    return going


def add_new(connection: Connection, made: Iterable[Notification]) -> None:
    """Write notifications, leaving those that are there already as they are."""
    insert_new(connection, notifications, [_row(n) for n in made])


def _last(connection: Connection, incident: str) -> dict[str, tuple[int, Deed]]:
    """Return the number and the deed of the last notification to each destination."""
    rank = func.row_number().over(partition_by=_n.destination, order_by=_n.sequence.desc()).label("rank")
    ranked = select(_n.destination, _n.sequence, _n.deed, rank).where(_n.incident_id == incident).subquery()
    rows = connection.execute(select(ranked).where(ranked.c.rank == 1))
    return {row.destination: (row.sequence, row.deed) for row in rows}


def page(
    connection: Connection, *, equal: Mapping[str, str], after: tuple[datetime, str] | None, limit: int
) -> list[Notification]:
    """Return notifications, the youngest first, from after the cursor."""
    statement = select(notifications).where(*(_n[name] == value for name, value in equal.items()))
    return [to_notification(row) for row in youngest(connection, statement, _n.made_at, _n.id, after, limit)]


def retry(connection: Connection, notification_id: str, now: datetime) -> None:
    """Let the relay try a dead notification again.

    Raises:
        UnknownError: where there is none of this id.
        ConflictError: where it is not dead, or a later one of its incident has arrived: it would undo what that one did.
    """
    row = connection.execute(select(notifications).where(_n.id == notification_id)).mappings().first()
    if row is None:
        raise UnknownError(f"there is no notification {notification_id[:100]!r}")
    if row["state"] != "dead":
        raise ConflictError(f"the notification is {row['state']}; only dead ones are tried again")
    if not _revive(connection, now, _n.id == notification_id):
        raise ConflictError("a later notification of its incident has arrived there; sent now it would undo that one")


def retry_all(connection: Connection, now: datetime) -> int:
    """Let the relay try all dead notifications again that have not been overtaken; return how many."""
    return _revive(connection, now)


def _revive(connection: Connection, now: datetime, *conditions: Any) -> int:
    later = notifications.alias("later")
    overtaken = (
        select(later.c.id)
        .where(
            later.c.incident_id == _n.incident_id,
            later.c.destination == _n.destination,
            later.c.state == "sent",
            later.c.sequence > _n.sequence,
        )
        .exists()
    )
    values = {"state": "waiting", "attempts": 0, "next_at": now, "error": None}
    statement = update(notifications).where(_n.state == "dead", ~overtaken, *conditions).values(values)
    return connection.execute(statement).rowcount


def told_at(connection: Connection, incidents: Iterable[str]) -> dict[str, dict[str, datetime]]:
    """Return when each destination that holds an incident for unresolved was last told that it opened, by incident."""
    found: dict[str, dict[str, datetime]] = {}
    for some in chunks(incidents):
        statement = select(_n.incident_id, _n.destination, _n.deed, _n.made_at).where(_n.incident_id.in_(some))
        for row in connection.execute(statement.order_by(_n.incident_id, _n.destination, _n.sequence)):
            told = found.setdefault(row.incident_id, {})
            if row.deed == "opened":
                told[row.destination] = row.made_at
            elif row.deed == "resolved":
                told.pop(row.destination, None)
    return found


def untold(connection: Connection) -> list[str]:
    """Return the ids of open incidents that no destination holds for unresolved."""
    later = notifications.alias()
    over = select(later.c.id).where(
        later.c.incident_id == _n.incident_id,
        later.c.destination == _n.destination,
        later.c.sequence >= _n.sequence,
        later.c.deed == "resolved",
    )
    held = select(_n.id).where(_n.incident_id == incidents.c.id, ~over.exists())
    statement = select(incidents.c.id).where(incidents.c.state == "open", ~held.exists()).order_by(incidents.c.id)
    return list(connection.execute(statement).scalars())


def count(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many notifications are waiting or dead, by destination and state."""
    statement = (
        select(_n.destination, _n.state, func.count())
        .where(_n.state.in_(("waiting", "dead")))
        .group_by(_n.destination, _n.state)
    )
    return {(destination, state): number for destination, state, number in connection.execute(statement)}


def forget(connection: Connection, before: datetime, limit: int) -> None:
    """Delete what was settled before an instant."""
    settled = or_(_n.sent_at < before, and_(_n.state == "dead", _n.made_at < before))
    old = list(connection.execute(select(_n.id).where(_n.state != "waiting", settled).limit(limit)).scalars())
    for some in chunks(old):
        connection.execute(delete(notifications).where(_n.id.in_(some)))


def to_notification(row: RowMapping) -> Notification:
    """Return the notification of a row."""
    return Notification(**{name: row[name] for name in _FIELDS})
