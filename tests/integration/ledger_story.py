"""What tests of the ledger tell: a workspace, its resource, and the reports about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from driftband.model.attribute import AttributeDiff
from driftband.model.finding import Finding
from driftband.model.interval import Interval
from driftband.model.moment import to_ms
from driftband.model.report import Drifted, Planned, Report, Resource
from driftband.model.run import About, Taken
from driftband.store import findings
from driftband.store.database import Database
from driftband.store.inventory import Identities
from driftband.store.ledger import take_report
from driftband.store.series import intervals

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROLE = 'module.role["report.ro"].postgresql_role.this'


class Ledger:
    """A workspace told as a story: each run an hour after the one before."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOON
        self.identities = Identities(names=("service", "env"), workspaces={"prod/db": {"env": "prod"}})
        self._runs = 0

    def report(self, report: Report, **about: Any) -> Taken:
        self._runs += 1
        self.now += timedelta(hours=1)
        facts = About(**{"workspace": "prod/db", "run": f"run-{self._runs}", **about})
        return take_report(self.database, report, facts, self.identities, self.now)

    def open(self) -> list[Finding]:
        with self.database.read() as connection:
            return sorted(findings.held(connection, "prod/db"), key=lambda f: (f.address, f.kind))

    def series(self, name: str, **equal: str) -> list[Interval]:
        return intervals(self.database, name, 0, to_ms(self.now), equal, 100)

    def story(self, finding: str) -> list[tuple[str, str]]:
        with self.database.read() as connection:
            return [(s.state, s.class_) for s in findings.story(connection, [finding])[finding]]

    def every(self) -> list[Finding]:
        with self.database.read() as connection:
            found = findings.page(connection, equal={}, since=None, until=None, after=None, limit=1000)
        return sorted(found, key=lambda f: (f.opened_at, f.address))


def resource(address: str = ROLE, **attributes: Any) -> Resource:
    return Resource(
        address=address,
        resource_type=address.rsplit(".", 2)[-2],
        module="role" if address.startswith("module.") else "",
        attributes={"id": "report", "connection_limit": 5, **attributes},
        tags={"service": "orders"},
    )


def drifted(path: str = "connection_limit", before: Any = 5, after: Any = 3, address: str = ROLE) -> Drifted:
    attributes = (AttributeDiff(path=path, before=before, after=after),)
    kind = address.rsplit(".", 2)[-2]
    return Drifted(address=address, resource_type=kind, module="role", action="update", attributes=attributes)


def deleted(address: str = ROLE) -> Drifted:
    return Drifted(address=address, resource_type="postgresql_role", module="role", action="delete")


def planned(path: str = "connection_limit", before: Any = 3, after: Any = 5, address: str = ROLE) -> Planned:
    attributes = (AttributeDiff(path=path, before=before, after=after),)
    return Planned(
        address=address, resource_type="postgresql_role", module="role", actions=("update",), attributes=attributes
    )


PLAN = Report(source="plan", tool="terraform", resources=(resource(),), read=1)
"""A refresh-only plan of one role, as declared."""


def plan(*drift: Drifted, **changes: Any) -> Report:
    return replace(PLAN, drift=drift, **changes)
