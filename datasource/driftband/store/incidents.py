"""Named queries on incidents, their findings and their timelines."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from driftband.model.incident import Entry, Incident
from driftband.store.incident_rows import announced_of, of_incident, to_incident, version_of
from driftband.store.rows import chunks, upsert, youngest
from driftband.store.tables_incidents import incident_entries, incident_findings, incident_versions, incidents

_i = incidents.c
_e = incident_entries.c
_f = incident_findings.c
_v = incident_versions.c
UNRESOLVED = ("open", "acknowledged")
MOST_PAST = 100


def by_ids(connection: Connection, ids: Iterable[str]) -> list[Incident]:
    """Return incidents in the order of ``ids``; those that are gone are left out."""
    wanted = list(dict.fromkeys(ids))
    found = {i.id: i for some in chunks(wanted) for i in _matching(connection, _i.id.in_(some))}
    return [found[i] for i in wanted if i in found]


def of_findings(connection: Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the ids of the incidents that findings belong to, by finding."""
    found: dict[str, list[str]] = {}
    for some in chunks(dict.fromkeys(ids)):
        statement = select(_f.finding, _f.incident).where(_f.finding.in_(some)).order_by(_f.finding, _f.incident)
        for finding, incident in connection.execute(statement):
            found.setdefault(finding, []).append(incident)
    return found


def known(connection: Connection, since: datetime, also: Collection[str]) -> list[Incident]:
    """Return what a finding may belong to, the oldest first: what is unresolved, was resolved at ``since`` or later, or ``also``.

    And the last ``MOST_PAST`` resolved ones, so that a new one can be told to be like them.
    """
    last = select(_i.id).where(_i.state == "resolved").order_by(_i.opened_at.desc(), _i.id.desc()).limit(MOST_PAST)
    ids = {*also, *connection.execute(last).scalars()}
    recent = _matching(connection, or_(_i.state.in_(UNRESOLVED), _i.resolved_at >= since))
    rest = by_ids(connection, ids - {i.id for i in recent})
    return sorted((*recent, *rest), key=lambda i: (i.opened_at, i.id))


def unresolved(connection: Connection) -> list[Incident]:
    """Return the incidents that are open or acknowledged."""
    return _matching(connection, _i.state.in_(UNRESOLVED))


def page(
    connection: Connection,
    *,
    states: Collection[str],
    equal: Mapping[str, str],
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Incident]:
    """Return incidents of some states, the youngest first, from after the cursor.

    equal: columns with the value they must have. since, until: incidents that were unresolved at some time in between.
    """
    statement = select(_i.id).where(_i.state.in_(states), *(_i[name] == value for name, value in equal.items()))
    if since is not None:
        statement = statement.where(or_(_i.resolved_at.is_(None), _i.resolved_at > since))
    if until is not None:
        statement = statement.where(_i.opened_at <= until)
    return by_ids(connection, [row["id"] for row in youngest(connection, statement, _i.opened_at, _i.id, after, limit)])


def _matching(connection: Connection, condition: ColumnElement[bool]) -> list[Incident]:
    rows = connection.execute(select(incidents).where(condition)).mappings().all()
    members: dict[str, list[str]] = {}
    entries: dict[str, list[Entry]] = {}
    for some in chunks([row["id"] for row in rows]):
        held = select(_f.incident, _f.finding).where(_f.incident.in_(some)).order_by(_f.incident, _f.position)
        for incident, finding in connection.execute(held):
            members.setdefault(incident, []).append(finding)
        told = select(incident_entries).where(_e.incident.in_(some)).order_by(_e.incident, _e.id)
        for row in connection.execute(told).mappings():
            entry = Entry(at=row["at"], what=row["what"], reason=row["reason"])
            entries.setdefault(row["incident"], []).append(entry)
    return [to_incident(row, members.get(row["id"], []), entries.get(row["id"], [])) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How incidents are written. now: when. url: where a person reads about an incident, before its id.

    commits: of the changes that may be suspected, by id. shown_for: how long after its end an incident is still told of.
    """

    now: datetime
    url: str
    shown_for: timedelta
    commits: Mapping[str, str] = field(default_factory=dict)


def save(connection: Connection, before: Incident | None, after: Incident, telling: Telling) -> None:
    """Write an incident, the lines that its timeline has gained, and its new version where it says something new."""
    if before is None:
        announced = announced_of(after, telling.commits, f"{telling.url}{after.id}")
    else:
        announced = connection.execute(select(_i.announced).where(_i.id == after.id)).scalar_one()
    upsert(connection, incidents, [of_incident(after, announced)])
    _hold(connection, after.id, () if before is None else before.findings, after.findings)
    told = 0 if before is None else len(before.timeline)
    lines = [{"incident": after.id, "at": e.at, "what": e.what, "reason": e.reason} for e in after.timeline[told:]]
    for some in chunks(lines):
        connection.execute(insert(incident_entries), some)
    _add_versions(connection, before, after, telling)


def _hold(connection: Connection, incident: str, before: Sequence[str], after: Sequence[str]) -> None:
    places = {finding: position for position, finding in enumerate(before)}
    for some in chunks(set(before) - set(after)):
        connection.execute(delete(incident_findings).where(_f.incident == incident, _f.finding.in_(some)))
    moved = [
        {"incident": incident, "finding": finding, "position": position}
        for position, finding in enumerate(dict.fromkeys(after))
        if places.get(finding) != position
    ]
    for some in chunks(moved):
        upsert(connection, incident_findings, some)


def _add_versions(connection: Connection, before: Incident | None, after: Incident, telling: Telling) -> None:
    now = version_of(after, telling.commits)
    if before is None:
        first = {**now, "state": "open"} if after.state == "resolved" else now
        connection.execute(insert(incident_versions).values(**first, valid_from=after.opened_at))
    last = connection.execute(
        select(incident_versions).where(_v.incident == after.id).order_by(_v.id.desc()).limit(1)
    ).mappings().one()  # fmt: skip
    if all(last[name] == value for name, value in now.items() if name not in _KEPT or value):
        return
    since = telling.now if after.resolved_at is None or last["state"] == "resolved" else after.resolved_at
    since = max(since, last["valid_from"])
    connection.execute(update(incident_versions).where(_v.id == last["id"]).values(valid_to=since))
    until: Any = since + telling.shown_for if after.state == "resolved" else None
    connection.execute(insert(incident_versions).values(**now, valid_from=since, valid_to=until))


_KEPT = ("suspect_commit",)
"""What is not known any more does not make a new version: the change may be forgotten before its incident."""


def forget(connection: Connection, before: datetime, limit: int) -> None:
    """Delete what was resolved before an instant."""
    old = list(connection.execute(select(_i.id).where(_i.resolved_at < before).limit(limit)).scalars())
    for some in chunks(old):
        for table in (incident_findings, incident_entries, incident_versions):
            connection.execute(delete(table).where(table.c.incident.in_(some)))
        connection.execute(delete(incidents).where(_i.id.in_(some)))
