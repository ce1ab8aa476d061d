"""Between values and rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, RowMapping, Select, Table, tuple_, union_all
from sqlalchemy.dialects import postgresql, sqlite

from driftband.detect.renaming import LABELS_AT_OPENING
from driftband.model.attribute import AttributeDiff
from driftband.model.audit import AuditEvent
from driftband.model.change import Change, Touched
from driftband.model.finding import Finding, Transition
from driftband.model.ignore import Ignore
from driftband.model.report import Renamed, Resource
from driftband.model.run import Run
from driftband.store.spans import span_of

CHUNK = 400
"""Rows or names in one statement: SQLite binds at most 32,766 values."""


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those of the same primary key."""
    if not rows:
        return
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    keys = [column.name for column in table.primary_key]
    statement = kind.insert(table)
    taken = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys and c.name in rows[0]}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=taken), list(rows))


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving those that are there already as they are."""
    if rows:
        kind = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(kind.insert(table).on_conflict_do_nothing(), list(rows))


def youngest(
    connection: Connection,
    statement: Select[Any],
    at: ColumnElement[datetime],
    key: ColumnElement[str],
    after: tuple[datetime, str] | None,
    limit: int,
) -> Iterable[RowMapping]:
    """Return the youngest rows of a statement by ``at`` and ``key``, from after a cursor of the two."""
    if after is not None:
        statement = statement.where(tuple_(at, key) < after)
    return connection.execute(statement.order_by(at.desc(), key.desc()).limit(limit)).mappings()


def together(parts: Iterable[Select[Any]]) -> CompoundSelect[Any]:
    """Return one statement for the rows of several, each with a limit of its own."""
    return union_all(*(part.subquery().select() for part in parts))


def chunks(items: Iterable[Any]) -> Iterable[list[Any]]:
    """Yield lists of at most ``CHUNK`` items."""
    listed = list(items)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def of_diffs(attributes: Iterable[AttributeDiff]) -> list[dict[str, Any]]:
    """Return attributes as they are kept."""
    return [attribute.json() for attribute in attributes]


def to_diffs(kept: Iterable[Mapping[str, Any]]) -> tuple[AttributeDiff, ...]:
    """Return kept attributes as values."""
    return tuple(
        AttributeDiff(path=k["path"], before=k.get("before"), after=k.get("after"), sensitive=k["sensitive"])
        for k in kept
    )


_FINDING = (
    "id", "layer", "kind", "state", "workspace", "address", "resource_type", "module", "signal", "severity", "score", "opened_at",
    "last_seen_at", "closed_at", "window_from", "reason", "actor", "reopens", "ignored_by", "unless_ignored",
)  # fmt: skip


def of_finding(finding: Finding) -> dict[str, Any]:
    """Return the row of a finding."""
    return {
        **{name: getattr(finding, name) for name in _FINDING},
        "class": finding.class_,
        "span": span_of(finding.opened_at, finding.closed_at),
        "renamed_from": finding.evidence.get(LABELS_AT_OPENING, {}).get("address"),
        "identity": dict(finding.identity),
        "attributes": of_diffs(finding.attributes),
        "evidence": dict(finding.evidence),
    }


def to_finding(row: RowMapping) -> Finding:
    """Return the finding of a row."""
    return Finding(
        **{name: row[name] for name in _FINDING},
        class_=row["class"],
        identity=row["identity"],
        attributes=to_diffs(row["attributes"]),
        evidence=row["evidence"],
    )


def of_transition(transition: Transition) -> dict[str, Any]:
    """Return the row of a transition."""
    return {
        "finding": transition.finding,
        "at": transition.at,
        "state": transition.state,
        "class": transition.class_,
        "reason": transition.reason,
        "run": transition.run,
    }


_RUN = (
    "id", "workspace", "status", "tool", "at", "reported_at", "reason", "lineage", "serial", "commit", "superseded", "read", "opened",
    "still_open", "closed", "accepted",
)  # fmt: skip


RUN_COLUMNS = (*_RUN, "renamed", "errors")
"""What ``to_run`` reads: neither the digests of bodies nor all that was observed."""


def of_run(run: Run, bodies: Mapping[str, str], observed: Sequence[str]) -> dict[str, Any]:
    """Return the row of a run."""
    return {
        **{name: getattr(run, name) for name in _RUN},
        "renamed": [[r.source, r.target] for r in run.renamed],
        "errors": list(run.errors),
        "bodies": dict(bodies),
        "observed": list(observed),
    }


def to_run(row: RowMapping) -> Run:
    """Return the run of a row."""
    return Run(
        **{name: row[name] for name in _RUN},
        renamed=tuple(Renamed(source=s, target=t) for s, t in row["renamed"]),
        errors=tuple(row["errors"]),
    )


_CHANGE = ("id", "kind", "status", "started_at", "ended_at", "workspace", "commit", "actor", "url", "summary")


def of_change(change: Change) -> dict[str, Any]:
    """Return the row of a change, without what only the store knows."""
    return {
        **{name: getattr(change, name) for name in _CHANGE},
        "span": span_of(change.started_at, change.ended_at),
        "identity": dict(change.identity),
        "resources": [touched.json() for touched in change.resources],
    }


def to_change(row: RowMapping) -> Change:
    """Return the change of a row."""
    return Change(
        **{name: row[name] for name in _CHANGE},
        identity=row["identity"],
        resources=tuple(
            Touched(**{**kept, "actions": tuple(kept["actions"]), "attributes": to_diffs(kept["attributes"])})
            for kept in row["resources"]
        ),
    )


_IGNORE = ("id", "workspace", "address", "resource_type", "attribute", "reason", "owner", "created_at", "expires_at")


def of_ignore(rule: Ignore) -> dict[str, Any]:
    """Return the row of an ignore rule."""
    return {name: getattr(rule, name) for name in _IGNORE}


def to_ignore(row: RowMapping) -> Ignore:
    """Return the ignore rule of a row."""
    return Ignore(**{name: row[name] for name in _IGNORE})


_AUDIT = ("id", "at", "actor", "action", "source", "read_only")


def of_audit(event: AuditEvent) -> dict[str, Any]:
    """Return the row of an audit event."""
    return {**{name: getattr(event, name) for name in _AUDIT}, "resources": list(event.resources)}


def to_audit(row: RowMapping) -> AuditEvent:
    """Return the audit event of a row."""
    return AuditEvent(**{name: row[name] for name in _AUDIT}, resources=tuple(row["resources"]))


def to_resource(row: RowMapping) -> Resource:
    """Return the resource of a row."""
    return Resource(
        address=row["address"],
        resource_type=row["type"],
        module=row["module"],
        module_version=row["module_version"],
        provider=row["provider"],
        attributes=row["attributes"],
        tags=row["tags"],
    )
