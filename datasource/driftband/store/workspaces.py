"""What is known of a workspace, and whose turn it is to report on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from driftband.store.rows import insert_new
from driftband.store.tables import workspaces


@dataclass(frozen=True, kw_only=True)
class Known:
    """A workspace before a report."""

    lineage: str
    serial: int | None
    read: int
    last_complete_at: datetime | None
    planned_serial: int | None
    planned: Mapping[str, frozenset[str]] | None


def lock_workspace(connection: Connection, workspace: str) -> Known:
    """Return what is known of a workspace; nobody else reports on it until the transaction ends."""
    insert_new(connection, workspaces, [{"name": workspace, "lineage": "", "serial": None, "read": 0}])
    statement = select(workspaces).where(workspaces.c.name == workspace).with_for_update()
    row = connection.execute(statement).mappings().one()
    planned = None if row["planned"] is None else {a: frozenset(paths) for a, paths in row["planned"].items()}
    return Known(
        lineage=row["lineage"],
        serial=row["serial"],
        read=row["read"],
        last_complete_at=row["last_complete_at"],
        planned_serial=row["planned_serial"],
        planned=planned,
    )
