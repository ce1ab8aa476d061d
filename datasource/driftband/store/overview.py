"""What people look at first: how the workspaces stand, the worst of what is open, and the last changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, select

from driftband.model.change import Change
from driftband.model.finding import ALARMING, Class, Finding, Severity
from driftband.model.run import Run
from driftband.model.standing import SEVERITIES, Standing
from driftband.store import changes
from driftband.store.database import Database
from driftband.store.rows import to_finding, to_run
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
    """Return the last run of each workspace, one step into the index for each."""
    own = runs.alias()
    youngest = select(own.c.id).where(own.c.workspace == _w.name).order_by(own.c.at.desc(), own.c.id.desc()).limit(1)
    return _runs(connection, youngest.correlate(workspaces).scalar_subquery())


def _whole(connection: Connection) -> dict[str, Run]:
    return _runs(connection, _w.last_complete_run)


def _runs(connection: Connection, wanted: object) -> dict[str, Run]:
    joined = select(runs).join(workspaces, and_(_r.workspace == _w.name, _r.id == wanted))
    return {row["workspace"]: to_run(row) for row in connection.execute(joined).mappings()}


def _counts(connection: Connection) -> dict[str, dict[tuple[Class, Severity], int]]:
    found: dict[str, dict[tuple[Class, Severity], int]] = {}
    statement = (
        select(_f.workspace, _f["class"], _f.severity, func.count())
        .where(_f.state == "open", _f.layer == "configuration")
        .group_by(_f.workspace, _f["class"], _f.severity)
    )
    for workspace, class_, severity, count in connection.execute(statement):
        found.setdefault(workspace, {})[class_, severity] = count
    return found
