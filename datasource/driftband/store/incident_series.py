"""The intervals behind driftband_incident and driftband_incident_info: what an incident was, version by version."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from driftband.model.interval import Interval
from driftband.model.moment import to_ms
from driftband.store.tables_incidents import incident_versions, incidents

_v = incident_versions.c
_OWN = ("title", "severity", "verdict", "suspect", "suspect_commit")


def incident_series(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_incident: labels as they were first announced, the number of findings while it is unresolved."""
    for row in _versions(connection, start, end, equal, limit):
        if row["state"] != "resolved":
            yield _interval(row, row["announced"], float(row["findings"]))


def incident_info(
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


def _versions(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[RowMapping]:
    narrowed = [_v.incident == equal["incident"]] if "incident" in equal else []
    columns = select(incident_versions, incidents.c.announced).join(incidents, incidents.c.id == _v.incident)
    for still in (_v.valid_to.is_(None), _v.valid_to > start):
        statement = columns.where(still, _v.valid_from <= end, *narrowed).order_by(_v.id).limit(limit)
        yield from connection.execute(statement).mappings().all()


def _interval(row: RowMapping, labels: Mapping[str, str], value: float) -> Interval:
    began, until = row["valid_from"], row["valid_to"]
    return Interval(
        {**labels, "incident": row["incident"]}, to_ms(began), None if until is None else to_ms(until), value
    )
