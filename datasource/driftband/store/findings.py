"""Named queries on findings and their transitions."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
)

from driftband.model.finding import Finding, Transition
from driftband.store.rows import chunks, of_finding, of_transition, to_finding, together, upsert, youngest
from driftband.store.spans import bounds, not_ended_before
from driftband.store.tables import findings, transitions

_c = findings.c
_t = transitions.c
_STORY = select(transitions).where(_t.finding.in_(bindparam("ids", expanding=True))).order_by(_t.finding, _t.at, _t.id)
_FEW = frozenset({"id", "address", "signal"})
"""Columns of which one value has few findings: their own indexes are better than one on time."""


def held(connection: Connection, workspace: str) -> list[Finding]:
    """Return the configuration findings of a workspace that are open or accepted."""
    statement = select(findings).where(
        _c.workspace == workspace, _c.state.in_(("open", "accepted")), _c.layer == "configuration"
    )
    return [to_finding(row) for row in connection.execute(statement).mappings()]


def by_ids(connection: Connection, ids: Iterable[str]) -> list[Finding]:
    """Return findings in the order of ``ids``; those that are gone are left out."""
    found: dict[str, Finding] = {}
    wanted = list(ids)
    for some in chunks(wanted):
        for row in connection.execute(select(findings).where(_c.id.in_(some))).mappings():
            found[row["id"]] = to_finding(row)
    return [found[i] for i in wanted if i in found]


def last_closed(connection: Connection, workspace: str, addresses: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the last closed finding by address and kind."""
    found: dict[tuple[str, str], str] = {}
    for some in chunks(dict.fromkeys(addresses)):
        # Chosen and sorted here: asked for that, SQLite would walk along all that the workspace ever had.
        columns = (_c.address, _c.kind, _c.id, _c.closed_at, _c.opened_at)
        statement = select(*columns).where(_c.workspace == workspace, _c.address.in_(some))
        rows = [row for row in connection.execute(statement) if row.closed_at is not None]
        rows.sort(key=lambda row: (row.closed_at, row.opened_at))
        found.update({(row.address, row.kind): row.id for row in rows})
    return found


def save(connection: Connection, moved: Sequence[Finding], steps: Sequence[Transition]) -> None:
    """Write findings and their steps."""
    for some in chunks(moved):
        upsert(connection, findings, [of_finding(f) for f in some])
    for some in chunks(steps):
        connection.execute(insert(transitions), [of_transition(t) for t in some])


def page(
    connection: Connection,
    *,
    equal: dict[str, str],
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Finding]:
    """Return findings, the youngest first, from after the cursor.

    equal: columns with the value they must have. since, until: findings that were there at some time in between.
    """
    conditions = {name: _c[name] == value for name, value in equal.items()}
    if equal.get("state") == "closed" and ("workspace" not in equal or since is not None):
        # Nearly all are closed: an index on that must not be taken for a good one.
        conditions["state"] = _c.closed_at.is_not(None)
    statement: Select[Any] = select(findings).where(*conditions.values())
    if until is not None:
        statement = statement.where(_c.opened_at <= until)
    parts = (
        [statement]
        if since is None
        else [
            statement.where(p).params(**bounds(since))
            for p in _there_after(equal.get("state"), few=not _FEW.isdisjoint(equal))
        ]
    )
    found = [to_finding(row) for p in parts for row in youngest(connection, p, _c.opened_at, _c.id, after, limit)]
    return sorted(found, key=lambda f: (f.opened_at, f.id), reverse=True)[:limit]


def overlapping(
    connection: Connection,
    start: datetime,
    end: datetime,
    equal: dict[str, str],
    limit: int,
    *more: ColumnElement[bool],
) -> list[tuple[Finding, list[Transition]]]:
    """Return findings that were open at some time in ``[start, end]``, with their steps in order.

    Of more than ``limit`` at least as many. more: conditions beside ``equal``.
    """
    statement = (_overlapping if more else _kept_overlapping)(tuple(equal), *more)
    wanted = {f"its_{name}": value for name, value in equal.items()}
    found = connection.execute(statement, {**bounds(start), **wanted, "end": end, "limit": limit}).mappings()
    rows = [to_finding(row) for row in found]
    steps = story(connection, [f.id for f in rows])
    return [(f, steps.get(f.id, [])) for f in rows]


def _overlapping(columns: tuple[str, ...], *more: ColumnElement[bool]) -> CompoundSelect[Any]:
    few = bool(more) or not _FEW.isdisjoint(columns)
    narrowed = [_c[name] == bindparam(f"its_{name}") for name in columns]
    limit = bindparam("limit", type_=Integer)
    return together(
        select(findings).where(there, _c.opened_at <= bindparam("end"), *narrowed, *more).limit(limit)
        for there in _there_after(None, few=few)
    )


_kept_overlapping = lru_cache(maxsize=128)(_overlapping)
"""Kept, since to build a statement and to find its SQL take longer than to run it."""


def _there_after(state: str | None, *, few: bool) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of which a finding that closed after a start, or not at all, meets one; see ``bounds``.

    state: the one that is wanted, if only one. few: whether other conditions leave few.
    """
    if few:
        yield or_(_c.closed_at.is_(None), _c.closed_at > bindparam("start"))
        return
    if state != "closed":
        yield _c.span.is_(None)
    if state in (None, "closed"):
        yield from not_ended_before(_c.span, _c.opened_at, _c.closed_at)


def story(connection: Connection, ids: Iterable[str]) -> dict[str, list[Transition]]:
    """Return the steps of findings, in order."""
    found: dict[str, list[Transition]] = {}
    for some in chunks(ids):
        for row in connection.execute(_STORY, {"ids": some}).mappings():
            found.setdefault(row["finding"], []).append(
                Transition(
                    finding=row["finding"],
                    at=row["at"],
                    state=row["state"],
                    class_=row["class"],
                    reason=row["reason"],
                    run=row["run"],
                )
            )
    return found


def last_steps(connection: Connection, ids: Iterable[str]) -> dict[str, datetime]:
    """Return when each finding last took a step."""
    t = transitions.c
    found: dict[str, datetime] = {}
    for some in chunks(ids):
        statement = select(t.finding, func.max(t.at).label("last")).where(t.finding.in_(some)).group_by(t.finding)
        found |= {row.finding: row.last for row in connection.execute(statement)}
    return found


def matching(connection: Connection, *conditions: ColumnElement[bool]) -> list[Finding]:
    """Return the findings that meet all conditions."""
    return [to_finding(row) for row in connection.execute(select(findings).where(and_(*conditions))).mappings()]


def count_open(connection: Connection) -> dict[tuple[str, str, str], int]:
    """Return how many findings are open by layer, class and severity."""
    statement = (
        select(_c.layer, _c["class"], _c.severity, func.count())
        .where(_c.state == "open")
        .group_by(_c.layer, _c["class"], _c.severity)
    )
    return {(layer, class_, severity): count for layer, class_, severity, count in connection.execute(statement)}
