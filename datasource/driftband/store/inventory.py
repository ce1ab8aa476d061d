"""The inventory: each resource's versions over time. A row changes only when what it says does."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from driftband.model.identity import identity_of
from driftband.model.intent import Declared
from driftband.model.report import Renamed, Resource
from driftband.store.rows import chunks, to_resource
from driftband.store.tables import resources


@dataclass(frozen=True, kw_only=True)
class Identities:
    """How identity labels are found. names: the labels. workspaces: labels that a workspace's configuration gives."""

    names: tuple[str, ...]
    workspaces: Mapping[str, Mapping[str, str]]

    def of(self, workspace: str, tags: Mapping[str, str]) -> dict[str, str]:
        """Return the identity labels of a resource: its tags before what is configured for its workspace."""
        return {**self.workspaces.get(workspace, {}), **identity_of(tags, self.names)}


def current(connection: Connection, workspace: str, addresses: Iterable[str] | None = None) -> list[RowMapping]:
    """Return the rows in force of a workspace, or of some addresses of it."""
    statement = select(resources).where(resources.c.workspace == workspace, resources.c.valid_to.is_(None))
    if addresses is None:
        return list(connection.execute(statement).mappings())
    found: list[RowMapping] = []
    for some in chunks(dict.fromkeys(addresses)):
        found += connection.execute(statement.where(resources.c.address.in_(some))).mappings()
    return found


def known(connection: Connection, workspace: str, address: str) -> Resource | None:
    """Return what the inventory has of an address now, or had last."""
    statement = (
        select(resources)
        .where(resources.c.workspace == workspace, resources.c.address == address)
        .order_by(resources.c.valid_to.is_(None).desc(), resources.c.valid_from.desc())
        .limit(1)
    )
    row = connection.execute(statement).mappings().first()
    return None if row is None else to_resource(row)


def in_force(
    connection: Connection, kind: str, start: datetime, end: datetime
) -> list[tuple[Declared, datetime, datetime | None]]:
    """Return the resources of a type that were in force at some time in ``[start, end]``, each with the time in which.

    kind: the type without the version that it may carry.
    """
    r = resources.c
    found = []
    for still in (r.valid_to.is_(None), r.valid_to > start):
        of_kind = or_(r.type == kind, r.type.startswith(f"{kind}_v", autoescape=True))
        for row in connection.execute(select(resources).where(still, r.valid_from <= end, of_kind)).mappings():
            declared = Declared(workspace=row["workspace"], resource=to_resource(row), identity=row["identity"])
            found.append((declared, row["valid_from"], row["valid_to"]))
    return found


def take_stock(
    connection: Connection,
    workspace: str,
    found: Sequence[Resource],
    *,
    at: datetime,
    commit: str,
    identities: Identities,
    renamed: Sequence[Renamed] = (),
) -> None:
    """Make ``found`` the resources of a workspace from ``at`` on; those that are missing are no longer in force.

    What has been told of a later time stays.
    """
    columns = (resources.c.id, resources.c.address, resources.c.digest, resources.c.commit, resources.c.valid_from)
    statement = select(*columns).where(resources.c.workspace == workspace, resources.c.valid_to.is_(None))
    before = {row.address: row for row in connection.execute(statement)}
    earlier = {r.target: before[r.source].commit for r in renamed if r.source in before}
    fresh, ended = [], []
    for resource in found:
        row = _row(workspace, resource, identities)
        old = before.pop(resource.address, None)
        if old is not None and (old.digest == row["digest"] or old.valid_from > at):
            continue
        if old is not None:
            ended.append(old)
        last = old.commit if old is not None else earlier.get(resource.address, "")
        fresh.append({**row, "commit": commit or last, "valid_from": at, "valid_to": None})
    _end(connection, [*ended, *(old for old in before.values() if old.valid_from <= at)], at)
    for some in chunks(fresh):
        connection.execute(insert(resources), some)


def mark_applied(connection: Connection, workspace: str, addresses: Iterable[str], commit: str, at: datetime) -> None:
    """Note the commit of an apply at the resources that it touched."""
    if not commit:
        return
    old = [
        row for row in current(connection, workspace, addresses) if row["commit"] != commit and row["valid_from"] <= at
    ]
    _end(connection, old, at)
    fresh = [{**{k: v for k, v in row.items() if k != "id"}, "commit": commit, "valid_from": at} for row in old]
    for some in chunks(fresh):
        connection.execute(insert(resources), some)


def _end(connection: Connection, rows: Iterable[Any], at: datetime) -> None:
    ids = [row["id"] if isinstance(row, RowMapping) else row.id for row in rows]
    for some in chunks(ids):
        connection.execute(update(resources).where(resources.c.id.in_(some)).values(valid_to=at))


def _row(workspace: str, resource: Resource, identities: Identities) -> dict[str, Any]:
    about = {
        "type": resource.resource_type,
        "module": resource.module,
        "module_version": resource.module_version,
        "provider": resource.provider,
        "identity": identities.of(workspace, resource.tags),
        "tags": dict(resource.tags),
        "attributes": dict(resource.attributes),
    }
    digest = hashlib.blake2b(orjson.dumps(about, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
    return {"workspace": workspace, "address": resource.address, **about, "digest": digest}
