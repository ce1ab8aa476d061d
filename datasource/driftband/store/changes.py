"""Named queries on changes."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    CTE,
    CompoundSelect,
    Connection,
    Integer,
    RowMapping,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)

from driftband.model.change import Change
from driftband.store.rows import chunks, insert_new, of_change, to_change, together, upsert, youngest
from driftband.store.spans import bounds, not_ended_before
from driftband.store.tables import applied_identities, changes

_c = changes.c
INSTANT = timedelta(milliseconds=1)
RUNS_AT_MOST = timedelta(days=1)
"""A change that still runs after so long was never told to have ended."""


def one(connection: Connection, change_id: str) -> Change | None:
    """Return a change, or None."""
    row = connection.execute(select(changes).where(_c.id == change_id)).mappings().first()
    return None if row is None else to_change(row)


def by_ids(connection: Connection, ids: Iterable[str]) -> list[Change]:
    """Return changes; those that are gone are left out."""
    found = []
    for some in chunks(sorted(set(ids))):
        rows = connection.execute(select(changes).where(_c.id.in_(some))).mappings()
        found += [to_change(row) for row in rows]
    return found


def put(connection: Connection, change: Change, now: datetime) -> None:
    """Write a change, new or known."""
    received = connection.execute(select(_c.received_at).where(_c.id == change.id)).scalar()
    row = {**of_change(change), "received_at": received or now, "updated_at": now, "annotated_at": None}
    upsert(connection, changes, [row])


def during(
    connection: Connection, start: datetime, end: datetime, *, limit: int, workspace: str | None = None
) -> list[Change]:
    """Return the changes whose interval touches ``[start, end]``, the oldest first. A running one has no end.

    Of more than ``limit`` at least as many.
    """
    found = rows_during(connection, start, end, limit=limit, workspace=workspace, columns=tuple(_c.keys()))
    return [to_change(row) for row in found]


def rows_during(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    limit: int,
    workspace: str | None = None,
    columns: tuple[str, ...],
) -> list[RowMapping]:
    """Return the same as rows of some columns, ``id`` and ``started_at`` among them."""
    wanted = {"its_workspace": workspace, "running": start - RUNS_AT_MOST, "end": end, "limit": limit}
    statement = _during(columns, in_one=workspace is not None)
    found = connection.execute(statement, {**bounds(start - INSTANT), **wanted}).mappings().all()
    return sorted(found, key=lambda row: (row["started_at"], row["id"]))


@lru_cache
def _during(columns: tuple[str, ...], *, in_one: bool) -> CompoundSelect[Any]:
    running = and_(_c.ended_at.is_(None), _c.started_at >= bindparam("running"))
    # Each report asks for its workspace, of lately: that must not take a statement for each span.
    ended = [_c.ended_at > bindparam("start")] if in_one else not_ended_before(_c.span, _c.started_at, _c.ended_at)
    its = [_c.workspace == bindparam("its_workspace")] if in_one else []
    limit = bindparam("limit", type_=Integer)
    return together(
        select(*(_c[name] for name in columns)).where(one, _c.started_at <= bindparam("end"), *its).limit(limit)
        for one in (running, *ended)
    )


def page(
    connection: Connection,
    *,
    equal: dict[str, str],
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Change]:
    """Return changes, the youngest first, from after the cursor; since and until are of ``started_at``."""
    statement = select(changes).where(*(_c[name] == value for name, value in equal.items()))
    if since is not None:
        statement = statement.where(_c.started_at >= since)
    if until is not None:
        statement = statement.where(_c.started_at <= until)
    return [to_change(row) for row in youngest(connection, statement, _c.started_at, _c.id, after, limit)]


def put_identities(connection: Connection, change: Change, identities: Sequence[tuple[dict[str, str], str]]) -> None:
    """Note what a finished apply was of: each identity with the module version, or an empty one."""
    connection.execute(delete(applied_identities).where(applied_identities.c.change == change.id))
    rows = [
        {
            "change": change.id,
            "identity_key": _key(identity),
            "identity": identity,
            "workspace": change.workspace,
            "commit": change.commit,
            "module_version": version,
            "at": change.ended_at,
        }
        for identity, version in identities
    ]
    insert_new(connection, applied_identities, rows)


def _key(identity: dict[str, str]) -> str:
    return hashlib.blake2b(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def identities_until(connection: Connection, start: datetime, end: datetime, limit: int) -> list[Any]:
    """Return what was applied in ``[start, end]`` and, for each identity, last before; the oldest first."""
    a, own = applied_identities.c, applied_identities.alias().c
    keys = _identity_keys()
    last_at = select(func.max(own.at)).where(own.identity_key == keys.c.key, own.at < start).correlate(keys)
    last = select(applied_identities).join(keys, (a.identity_key == keys.c.key) & (a.at == last_at.scalar_subquery()))
    since = select(applied_identities).where(a.at >= start, a.at <= end).limit(limit)
    rows = [*connection.execute(last.limit(limit)).mappings(), *connection.execute(since).mappings()]
    return sorted(rows, key=lambda row: (row["at"], row["change"]))


def _identity_keys() -> CTE:
    """Return each identity's key, one step into the index for each instead of a walk along it."""
    a, own = applied_identities.c, applied_identities.alias().c
    keys = select(func.min(a.identity_key).label("key")).cte("keys", recursive=True)
    following = select(func.min(own.identity_key)).where(own.identity_key > keys.c.key).correlate(keys)
    return keys.union_all(select(following.scalar_subquery()).where(keys.c.key.is_not(None)))


def due_for_annotation(connection: Connection, limit: int) -> list[tuple[Change, int | None, datetime]]:
    """Return changes that Grafana has not been told of as they are now, the oldest first."""
    statement = select(changes).where(_c.annotated_at.is_(None)).order_by(_c.updated_at).limit(limit)
    return [(to_change(row), row["annotation"], row["updated_at"]) for row in connection.execute(statement).mappings()]


def annotated(connection: Connection, change_id: str, annotation: int, updated_at: datetime) -> None:
    """Note what Grafana has been told; what has been updated meanwhile stays due."""
    this = update(changes).where(_c.id == change_id)
    connection.execute(this.values(annotation=annotation))
    connection.execute(this.where(_c.updated_at == updated_at).values(annotated_at=updated_at))
