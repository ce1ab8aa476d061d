"""Named queries on runs."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from driftband.model.run import Run
from driftband.store.rows import to_run, youngest
from driftband.store.tables import runs

_c = runs.c


def page(connection: Connection, *, workspace: str | None, after: tuple[datetime, str] | None, limit: int) -> list[Run]:
    """Return runs, the youngest first, from after the cursor."""
    statement = select(runs)
    if workspace is not None:
        statement = statement.where(_c.workspace == workspace)
    return [to_run(row) for row in youngest(connection, statement, _c.at, _c.id, after, limit)]


def between(connection: Connection, start: datetime, end: datetime, workspace: str | None) -> list[Run]:
    """Return what was reported of ``[start, end]`` and, for each workspace and status, last before; in order."""
    counted = _c.superseded.is_(False) if workspace is None else _c.superseded.is_(False) & (_c.workspace == workspace)
    rank = (
        func.row_number()
        .over(partition_by=(_c.workspace, _c.status), order_by=(_c.at.desc(), _c.id.desc()))
        .label("rank")
    )
    before = select(runs, rank).where(counted, _c.at < start).subquery()
    rows = [
        *connection.execute(select(before).where(before.c.rank == 1)).mappings(),
        *connection.execute(select(runs).where(counted, _c.at >= start, _c.at <= end)).mappings(),
    ]
    return [to_run(row) for row in sorted(rows, key=lambda row: (row["at"], row["id"]))]
