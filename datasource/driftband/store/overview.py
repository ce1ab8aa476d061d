"""What people look at first: how the workspaces stand, the worst of what is open, and the last changes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, case, select

from driftband.model.change import Change
from driftband.model.finding import ALARMING, Class, Finding, Severity
from driftband.model.run import Run
from driftband.model.standing import SEVERITIES, Standing
from driftband.store import changes
from driftband.store.database import Database
from driftband.store.rows import to_finding, to_run
from driftband.store.runs import last_before
from driftband.store.tables import findings, runs, workspaces

_f, _r, _w = findings.c, runs.c, workspaces.c
_rank = case({severity: rank for rank, severity in enumerate(SEVERITIES)}, value=_f.severity, else_=len(SEVERITIES))
_quiet = case((_f["class"].in_(ALARMING), 0), else_=1)


@dataclass(frozen=True)
class StoredOverview:
    """Reads the overview. Every method raises UnavailableError where the store does not answer."""

    database: Database

    def workspaces(self) -> list[Standing]:
        """Return how each workspace stands, by name."""
        with self.database.read() as connection:
            names = list(connection.execute(select(_w.name).order_by(_w.name)).scalars())
            last, whole, counts = _last(connection), _whole(connection), _counts(connection)
        return [
            Standing(name=name, last=last.get(name), whole=whole.get(name), open=counts.get(name, {})) for name in names
        ]

    def open_findings(self, limit: int, *, workspace: str = "", alarming: bool = False) -> Sequence[Finding]:
        """Return open configuration findings: first what counts as drift, then the worst, then the youngest."""
        wanted = [_f.state == "open", _f.layer == "configuration"]
        if workspace:
            wanted.append(_f.workspace == workspace)
        if alarming:
            wanted.append(_f["class"].in_(ALARMING))
        statement = select(findings).where(*wanted).order_by(_quiet, _rank, _f.opened_at.desc(), _f.id).limit(limit)
        with self.database.read() as connection:
            return [to_finding(row) for row in connection.execute(statement).mappings()]

    def last_changes(self, limit: int) -> Sequence[Change]:
        """Return the youngest changes."""
        with self.database.read() as connection:
            return changes.page(connection, equal={}, since=None, until=None, after=None, limit=limit)


def _last(connection: Connection) -> dict[str, Run]:
    return _by_workspace(connection, last_before(None))


def _whole(connection: Connection) -> dict[str, Run]:
    joined = workspaces.outerjoin(runs, and_(_r.workspace == _w.name, _r.id == _w.last_complete_run))
    return _by_workspace(connection, select(runs).select_from(joined))


def _by_workspace(connection: Connection, statement: Select[Any]) -> dict[str, Run]:
    rows = connection.execute(statement).mappings()
    return {row["workspace"]: to_run(row) for row in rows if row["id"] is not None}


def _counts(connection: Connection) -> dict[str, Counter[tuple[Class, Severity]]]:
    found: dict[str, Counter[tuple[Class, Severity]]] = {}
    statement = select(_f.workspace, _f["class"], _f.severity).where(_f.state == "open", _f.layer == "configuration")
    # Counted here: to have them in groups, SQLite would walk along all that has ever been found.
    for workspace, class_, severity in connection.execute(statement):
        found.setdefault(workspace, Counter())[class_, severity] += 1
    return dict(found)
