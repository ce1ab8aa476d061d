"""The intervals behind the series of incidents: what an incident was, version by version, and how long things took."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, RowMapping, Select, bindparam, func, select

from driftband.model.interval import Interval
from driftband.model.moment import to_ms
from driftband.store.rows import chunks
from driftband.store.tables import findings
from driftband.store.tables_incidents import incident_findings, incident_versions, incidents

_v = incident_versions.c
_OWN = ("title", "severity", "verdict", "suspect", "suspect_commit")


def unresolved(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_incident: labels as they were first announced, the number of findings while it is unresolved."""
    for row in _versions(connection, start, end, equal, limit):
        if row["state"] != "resolved":
            yield _interval(row, row["announced"], float(row["findings"]))


def info(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_incident_info: labels as they were at the time, resolved ones for a while too."""
    for row in _versions(connection, start, end, equal, limit):
        score = row["suspect_score"]
        labels = {
            **row["identity"],
            **{name: row[name] for name in _OWN},
            "url": row["announced"].get("url", ""),
            "state": row["state"],
            "suspect_score": "" if score is None else f"{score:.2f}",
        }
        yield _interval(row, labels, 1.0)


def opened(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_incident_opened_timestamp_seconds: resolved ones for a while too."""
    for row in _versions(connection, start, end, equal, limit):
        yield _interval(row, row["announced"], row["opened_at"].timestamp())


def detected_after(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_incident_detected_after_seconds: from the last instant at which all was known to be well."""
    rows = list(_versions(connection, start, end, equal, limit))
    well = _last_well(connection, {row["incident"] for row in rows})
    for row in rows:
        if row["incident"] in well:
            seconds = (row["opened_at"] - well[row["incident"]]).total_seconds()
            yield _interval(row, row["announced"], max(seconds, 0.0))


def resolved_after(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_incident_resolved_after_seconds: for a while, once it is resolved."""
    for row in _versions(connection, start, end, equal, limit):
        if row["state"] == "resolved":
            yield _interval(row, row["announced"], (row["valid_from"] - row["opened_at"]).total_seconds())


def _last_well(connection: Connection, ids: Iterable[str]) -> dict[str, datetime]:
    """Return the last instant at which none of an incident's findings was there, as far as one is known."""
    f = findings.c
    found: dict[str, datetime] = {}
    for some in chunks(sorted(ids)):
        joined = select(incident_findings.c.incident, func.min(f.window_from).label("well"))
        joined = joined.join(findings, f.id == incident_findings.c.finding).group_by(incident_findings.c.incident)
        rows = connection.execute(joined.where(incident_findings.c.incident.in_(some)))
        found |= {row.incident: row.well for row in rows if row.well is not None}
    return found


def _versions(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[RowMapping]:
    wanted = {"start": start, "end": end, "limit": limit, "its_incident": equal.get("incident")}
    for statement in _touching(one="incident" in equal):
        yield from connection.execute(statement, wanted).mappings().all()


@lru_cache
def _touching(*, one: bool) -> tuple[Select[Any], ...]:
    narrowed = [_v.incident == bindparam("its_incident")] if one else []
    columns = select(incident_versions, incidents.c.announced, incidents.c.opened_at).join(
        incidents, incidents.c.id == _v.incident
    )
    there = columns.where(_v.valid_from <= bindparam("end"), *narrowed).order_by(_v.id)
    limited = there.limit(bindparam("limit", type_=Integer))
    return limited.where(_v.valid_to.is_(None)), limited.where(_v.valid_to > bindparam("start"))


def _interval(row: RowMapping, labels: Mapping[str, str], value: float) -> Interval:
    began, until = row["valid_from"], row["valid_to"]
    return Interval(
        {**labels, "incident": row["incident"]}, to_ms(began), None if until is None else to_ms(until), value
    )
