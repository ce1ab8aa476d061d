"""Incidents written whole: states, stories and what is owed, in one transaction, or nothing of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from driftband.model.incident import Deed, Entry, Incident
from driftband.model.refusal import UnknownError
from driftband.store import findings, incident_progress, incidents, notifications, pagerduty_events, watching
from driftband.store.database import Database
from driftband.store.incidents import Telling
from driftband.store.tables import changes

Fits = Callable[[Mapping[str, Any]], Sequence[str]]
"""Returns the destinations whose matchers an incident meets, by its form of SHAPES.md."""

Escalated = Callable[[Mapping[str, Any], Mapping[str, datetime], datetime], Sequence[str]]
"""Returns who is to be told of an incident now, given when each who knows of it was told that it opened."""


TOLD_WITHIN = timedelta(hours=1)
"""Nobody is told of something new that is older when it is looked at: once it is known to be there still, they are."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What a look decided. revision: of what it read. known: the incidents that it read. seen: the marks that it read.

    steps: (instant, new and changed incidents, (incident's id, what to tell)). until: the last instant that was decided
    at. next_at: when time alone makes a look due.
    """

    revision: int
    known: Sequence[Incident]
    steps: Sequence[tuple[datetime, Sequence[Incident], Sequence[tuple[str, Deed]]]]
    seen: tuple[int, datetime]
    until: datetime
    next_at: datetime


def write(database: Database, decided: Decided, fits: Fits, telling: Telling) -> bool:
    """Write what was decided; False, and nothing is written, where another has written incidents meanwhile."""
    there = {incident.id: incident for incident in decided.known}
    ends = {incident.id: incident for _, moved, _ in decided.steps for incident in moved}
    with database.write() as connection:
        if not incident_progress.claim(connection, decided.revision):
            return False
        for at, moved, deeds in decided.steps:
            for incident in moved:
                incidents.save(connection, there.get(incident.id), incident, replace(telling, now=at))
                there[incident.id] = incident
            for incident_id, deed in deeds:
                # Who knows of it hears its end; nobody is called for what was over before anybody could be.
                late = telling.now - at > TOLD_WITHIN or ends[incident_id].state == "resolved"
                hears = () if late else fits(there[incident_id].json())
                _owe(connection, there[incident_id], deed, hears, telling.now)
        incident_progress.note(connection, decided.seen, decided.until, decided.next_at)
    return True


def _owe(connection: Connection, incident: Incident, deed: Deed, fits: Sequence[str], now: datetime) -> None:
    if deed == "opened" and incident.state == "resolved":
        return  # it came and went at one instant: nobody has to be told
    notifications.owe(connection, incident, deed, fits, now)


def act(
    database: Database,
    incident_id: str,
    deed: Deed,
    step: Callable[[Incident], Incident],
    fits: Fits,
    telling: Telling,
    event: pagerduty_events.Event | None = None,
) -> Incident:
    """Let a person's act change an incident, and tell of it; nothing is told where it changes nothing.

    event: of PagerDuty, where it was done there. One that is known changes nothing.

    Raises:
        UnknownError: where there is no such incident; and what ``step`` raises.
    """
    with database.write() as connection:
        incident_progress.claim_any(connection)
        found = incidents.by_ids(connection, [incident_id])
        if not found:
            raise UnknownError(f"there is no incident {incident_id[:60]!r}")
        if event is not None and not pagerduty_events.take(connection, event, incident_id, telling.now):
            return found[0]
        moved = step(found[0])
        if moved != found[0]:
            incidents.save(connection, found[0], moved, replace(telling, commits=_commits(connection, moved)))
            known_at = () if event is None else event.destinations
            notifications.owe(connection, moved, deed, fits(moved.json()), telling.now, known_at)
    return moved


def escalate(database: Database, escalated: Escalated, telling: Telling) -> None:
    """Tell who is next of open incidents that nobody has acknowledged in time."""
    with database.read() as connection:
        if not _to_escalate(connection, escalated, telling.now):
            return
    with database.write() as connection:
        incident_progress.claim_any(connection)
        for incident, names in _to_escalate(connection, escalated, telling.now):
            entry = Entry(at=telling.now, what="escalated", reason=f"nobody acknowledged it; told: {', '.join(names)}")
            moved = replace(incident, timeline=(*incident.timeline, entry))
            commits = _commits(connection, moved)
            incidents.save(connection, incident, moved, replace(telling, commits=commits))
            notifications.owe_first(connection, moved, names, telling.now)


def tell_late(database: Database, fits: Fits, telling: Telling) -> None:
    """Tell of open incidents that nobody knows of: what began them was long past when it was looked at.

    Those that are still there alone: one of a signal that is being caught up on may be over long since.
    """
    with database.read() as connection:
        if not _to_tell_late(connection, fits, telling.now):
            return
    with database.write() as connection:
        incident_progress.claim_any(connection)
        for incident, names in _to_tell_late(connection, fits, telling.now):
            notifications.owe_first(connection, incident, names, telling.now)


def _to_tell_late(connection: Connection, fits: Fits, now: datetime) -> list[tuple[Incident, Sequence[str]]]:
    unknown = incidents.by_ids(connection, notifications.untold(connection))
    behind = watching.behind(connection, now - TOLD_WITHIN)
    found = []
    for incident in unknown:
        members = findings.by_ids(connection, incident.findings)
        if any(one.alarming and one.signal not in behind for one in members) and (names := fits(incident.json())):
            found.append((incident, names))
    return found


def _to_escalate(connection: Connection, escalated: Escalated, now: datetime) -> list[tuple[Incident, Sequence[str]]]:
    unresolved = incidents.unresolved(connection)
    told = notifications.told_at(connection, [incident.id for incident in unresolved])
    due = ((i, escalated(i.json(), told.get(i.id, {}), now)) for i in unresolved if i.state == "open")
    return [(incident, names) for incident, names in due if names]


def _commits(connection: Connection, incident: Incident) -> dict[str, str]:
    ids = [suspect.change for suspect in incident.suspects]
    rows = connection.execute(select(changes.c.id, changes.c.commit).where(changes.c.id.in_(ids)))
    return {row.id: row.commit for row in rows}
