"""Named queries on runs."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, select, tuple_

from driftband.model.run import COMPLETE, KEYS_END, Run
from driftband.store.columns import Moment
from driftband.store.rows import RUN_COLUMNS, to_run
from driftband.store.tables import runs, workspaces

_c, _own = runs.c, runs.alias().c
_read = [_c[name] for name in RUN_COLUMNS]


def page(connection: Connection, *, workspace: str | None, after: tuple[datetime, str] | None, limit: int) -> list[Run]:
    """Return runs, the youngest first, from after the cursor. Several workspaces may have runs of one key and time."""
    statement = select(runs)
    if workspace is not None:
        statement = statement.where(_c.workspace == workspace)
    if after is not None:
        key, _, place = after[1].partition(KEYS_END)
        statement = statement.where(tuple_(_c.at, _c.id, _c.workspace) < (after[0], key, place))
    ordered = statement.order_by(_c.at.desc(), _c.id.desc(), _c.workspace.desc()).limit(limit)
    return [to_run(row) for row in connection.execute(ordered).mappings()]


def between(connection: Connection, start: datetime, end: datetime, workspace: str | None) -> list[Run]:
    """Return what was reported of ``[start, end]`` and, of each workspace, its last run and last complete one before."""
    wanted = {"start": start, "end": end, "its_workspace": workspace}
    found = {
        (row["workspace"], row["id"]): to_run(row)
        for statement in _between(in_one=workspace is not None)
        for row in connection.execute(statement, wanted).mappings()
        if row["id"] is not None
    }
    return sorted(found.values(), key=lambda run: (run.at, run.id))


@lru_cache
def _between(*, in_one: bool) -> tuple[Select[Any], ...]:
    start = bindparam("start", type_=Moment)
    during = select(*_read).where(_c.superseded.is_(False), _c.at >= start, _c.at <= bindparam("end"))
    last, complete = last_before(start), last_before(start, _own.status.in_(COMPLETE))
    if not in_one:
        return last, complete, during
    its: BindParameter[str] = bindparam("its_workspace")
    return *(each.where(workspaces.c.name == its) for each in (last, complete)), during.where(_c.workspace == its)


def last_before(start: BindParameter[datetime] | None, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Return the last run of each workspace, before ``start`` where that is given: one step into the index for each.

    A workspace without one gives an empty row: the outer join holds the order, in which SQLite would else be mistaken.
    """
    earlier = select(_own.id).where(_own.workspace == workspaces.c.name, *conditions)
    if start is not None:
        earlier = earlier.where(_own.superseded.is_(False), _own.at < start)
    last = earlier.order_by(_own.at.desc(), _own.id.desc()).limit(1).correlate(workspaces).scalar_subquery()
    joined = workspaces.outerjoin(runs, and_(_c.workspace == workspaces.c.name, _c.id == last))
    return select(*_read).select_from(joined)
