"""The intervals behind the native series of state: what was so, from when until when, with which labels."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Integer, RowMapping, bindparam, select

from driftband.model.interval import Interval
from driftband.model.moment import from_ms, to_ms
from driftband.model.run import COMPLETE, Run
from driftband.store import changes, finding_series, incident_series, runs
from driftband.store.database import Database
from driftband.store.rows import together
from driftband.store.tables import resources
from driftband.store.tables_watching import watch_progress

FIRST_MS = 0
FAR_MS = to_ms(datetime.fromisoformat("9999-01-01T00:00:00+00:00"))

_TOLD = ("kind", "workspace", "commit", "actor", "url", "summary")
_CHANGE = ("id", "started_at", "ended_at", "identity", *_TOLD)

Find = Callable[[Connection, datetime, datetime, Mapping[str, str], int], Iterable[Interval]]


def intervals(
    database: Database, name: str, start: int, end: int, equal: Mapping[str, str], limit: int
) -> list[Interval]:
    """Return the intervals of a series that touch ``[start, end]`` (epoch ms).

    equal: labels that must have a value; what the store cannot narrow by is left to the caller. About ``limit`` are
    looked for: more than that means that the caller has to refuse.
    """
    low, high = (from_ms(min(max(t, FIRST_MS), FAR_MS)) for t in (start, end))
    with database.read() as connection:
        return list(_FIND[name](connection, low, high, equal, limit))


def _changes(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    workspace = equal.get("workspace")
    for row in changes.rows_during(connection, start, end, limit=limit, workspace=workspace, columns=_CHANGE):
        began, ended = to_ms(row["started_at"]), row["ended_at"]
        yield Interval(_labels_of(row), began, None if ended is None else to_ms(ended), float(began))


def _labels_of(row: RowMapping) -> dict[str, str]:
    return {**row["identity"], "change": row["id"], **{name: row[name] for name in _TOLD}}


def _resource_info(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    narrowed = {name: equal[label] for name, label in _RESOURCE.items() if label in equal}
    wanted = {"start": start, "end": end, "limit": limit, **{f"its_{name}": value for name, value in narrowed.items()}}
    for row in connection.execute(_resources(tuple(narrowed)), wanted).mappings():
        labels = {**row["identity"], **{label: row[name] for name, label in _RESOURCE.items()}}
        until = row["valid_to"]
        yield Interval(labels, to_ms(row["valid_from"]), None if until is None else to_ms(until), 1.0)


@lru_cache
def _resources(narrowed: tuple[str, ...]) -> CompoundSelect[Any]:
    r = resources.c
    columns = select(*(r[name] for name in ("identity", "valid_from", "valid_to", *_RESOURCE)))
    there = columns.where(r.valid_from <= bindparam("end"), *(r[name] == bindparam(f"its_{name}") for name in narrowed))
    limited = there.limit(bindparam("limit", type_=Integer))
    return together([limited.where(r.valid_to.is_(None)), limited.where(r.valid_to > bindparam("start"))])


_RESOURCE = {
    "workspace": "workspace",
    "address": "address",
    "type": "resource_type",
    "module": "module",
    "module_version": "module_version",
    "commit": "commit",
}


def _identity_info(
    connection: Connection, start: datetime, end: datetime, _equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    by_identity: dict[str, list[Mapping[str, object]]] = {}
    for row in changes.identities_until(connection, start, end, limit):
        by_identity.setdefault(row["identity_key"], []).append(row)
    for applied in by_identity.values():
        ends = [row["at"] for row in applied[1:]]
        for row, until in zip(applied, [*ends, None], strict=True):
            labels = {**row["identity"], **{k: row[k] for k in ("workspace", "commit", "module_version", "change")}}  # type: ignore[dict-item]
            if row["at"] != until:
                began, ended = to_ms(row["at"]), None if until is None else to_ms(until)  # type: ignore[arg-type]
                yield Interval(labels, began, ended, 1.0)  # type: ignore[arg-type]


def _last_complete(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], _limit: int
) -> Iterator[Interval]:
    for workspace, found in _runs(connection, start, end, equal).items():
        for run, until in _in_turn([run for run in found if run.status in COMPLETE]):
            yield Interval({"workspace": workspace}, to_ms(run.at), until, to_ms(run.at) / 1000)


def _scan_status(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], _limit: int
) -> Iterator[Interval]:
    for workspace, found in _runs(connection, start, end, equal).items():
        for run, until in _in_turn(found):
            yield Interval({"workspace": workspace, "status": run.status}, to_ms(run.at), until, 1.0)


def _last_evaluated(
    connection: Connection, _start: datetime, end: datetime, equal: Mapping[str, str], _limit: int
) -> Iterator[Interval]:
    # How far it was before, the store does not keep.
    p = watch_progress.c
    narrowed = [p.signal == equal["signal"]] if "signal" in equal else []
    found = connection.execute(select(p.signal, p.evaluated_until).where(p.evaluated_until <= end, *narrowed))
    for signal, until in found:
        yield Interval({"signal": signal}, to_ms(until), None, to_ms(until) / 1000)


def _in_turn(found: Sequence[Run]) -> Iterator[tuple[Run, int | None]]:
    """Yield runs with the time of the next one, None after the last."""
    for run, later in zip_longest(found, found[1:]):
        yield run, None if later is None else to_ms(later.at)


def _runs(connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs.between(connection, start, end, equal.get("workspace")):
        found.setdefault(run.workspace, []).append(run)
    return found


_FIND: Mapping[str, Find] = {
    "driftband_drift": finding_series.drift,
    "driftband_finding_opened_timestamp_seconds": finding_series.opened,
    "driftband_change": _changes,
    "driftband_incident": incident_series.unresolved,
    "driftband_incident_info": incident_series.info,
    "driftband_incident_opened_timestamp_seconds": incident_series.opened,
    "driftband_incident_detected_after_seconds": incident_series.detected_after,
    "driftband_incident_resolved_after_seconds": incident_series.resolved_after,
    "driftband_resource_info": _resource_info,
    "driftband_identity_info": _identity_info,
    "driftband_service_edge": finding_series.edges_told,
    "driftband_scan_last_complete_timestamp_seconds": _last_complete,
    "driftband_scan_status": _scan_status,
    "driftband_watch_last_evaluated_timestamp_seconds": _last_evaluated,
}
