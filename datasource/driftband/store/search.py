"""Finding things by a part of their names: bounded, however much there is.

A part of a text has no index. What is looked through are the youngest ``LOOKED_AT`` of each kind.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from driftband.store.columns import clean
from driftband.store.tables import changes, findings, workspaces
from driftband.store.tables_incidents import incidents

LOOKED_AT = 20_000
MOST_WORDS = 5


def incident_ids(connection: Connection, text: str, limit: int) -> list[str]:
    """Return incidents by id, title, owner or who looks after them, the youngest first."""
    return _ids(connection, incidents, incidents.c.opened_at, ("id", "title", "owner", "acknowledged_by"), text, limit)


def finding_ids(connection: Connection, text: str, limit: int) -> list[str]:
    """Return findings by id, address, signal, workspace, kind or who did it, the youngest first."""
    names = ("id", "address", "signal", "workspace", "kind", "actor")
    return _ids(connection, findings, findings.c.opened_at, names, text, limit)


def change_ids(connection: Connection, text: str, limit: int) -> list[str]:
    """Return changes by id, commit, who did them, workspace or summary, the youngest first."""
    names = ("id", "commit", "actor", "workspace", "summary")
    return _ids(connection, changes, changes.c.started_at, names, text, limit)


def workspace_names(connection: Connection, text: str, limit: int) -> list[str]:
    """Return the names of workspaces."""
    name = workspaces.c.name
    statement = select(name).where(_holds([name], text)).order_by(name).limit(limit)
    return list(connection.execute(statement).scalars())


def _ids(
    connection: Connection, table: Table, at: ColumnElement[datetime], names: Sequence[str], text: str, limit: int
) -> list[str]:
    columns = [table.c[name] for name in names]
    ordered = select(*columns, at.label("at")).order_by(at.desc(), table.c.id.desc())
    young = ordered.limit(LOOKED_AT).subquery()
    statement = select(young.c.id).where(_holds([young.c[name] for name in names], text))
    rows = connection.execute(statement.order_by(young.c.at.desc(), young.c.id.desc()).limit(limit))
    return list(rows.scalars())


def _holds(columns: Sequence[ColumnElement[Any]], text: str) -> ColumnElement[bool]:
    """Whether each word of the text stands in one of the columns, in capitals or not."""
    words = clean(text).split()[:MOST_WORDS]
    return and_(*(or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words))
