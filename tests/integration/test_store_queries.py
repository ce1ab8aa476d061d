"""Each named query uses an index, on both stores: with 200,000 findings and what belongs to them, none reads a table whole."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from driftband.detect.attribution import NEARBY
from driftband.model.finding import Finding
from driftband.store import attribution, audit, changes, findings, ignores, inventory, overview, runs, series, tidying
from driftband.store.database import Database
from driftband.store.tables import findings as table

from .large_store import fill

pytestmark = pytest.mark.slow

COUNT = 200_000
END = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = END - timedelta(days=400)
LONG_AGO = END - timedelta(days=200)
LARGE = {
    "findings",
    "transitions",
    "runs",
    "resources",
    "changes",
    "applied_identities",
    "audit_events",
    "audit_resources",
}
MOST_READ = COUNT // 10
"""Rows that a query may read in vain on PostgreSQL, which tells."""
MOST_STEPS = 200
"""Thousands of steps of SQLite's machine for one query: some ten for each row that it reads."""

Query = Callable[[Connection], Any]


@pytest.fixture(scope="module", params=["sqlite", "sqlite without statistics", "postgresql"])
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if "sqlite" in request.param:
        url = f"sqlite:///{tmp_path_factory.mktemp('large')}/ledger.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    database = Database(url)
    fill(database, COUNT, END, analysed="without" not in request.param)
    yield database
    database.close()


def _page(**more: Any) -> Query:
    wanted = {"equal": {}, "since": None, "until": None, "after": None, "limit": 101, **more}
    return lambda c: findings.page(c, **wanted)


def _changes(**more: Any) -> Query:
    wanted = {"equal": {}, "since": None, "until": None, "after": None, "limit": 101, **more}
    return lambda c: changes.page(c, **wanted)


def _series(name: str, start: datetime = END - HOUR, end: datetime = END, **equal: str) -> Query:
    return lambda c: list(series._FIND[name](c, start, end, equal, 20_001))


OPEN = {"state": "open"}
AFTER = (LONG_AGO, "f5")
ADDRESS = 'a_thing.x["7"]'
QUERIES: dict[str, Query] = {
    "findings.held": lambda c: findings.held(c, "w/7"),
    "findings.by_ids": lambda c: findings.by_ids(c, [f"f{n}" for n in range(300)]),
    "findings.last_closed": lambda c: findings.last_closed(c, "w/7", [f'a_thing.x["{n}"]' for n in range(50)]),
    "findings.story": lambda c: findings.story(c, [f"f{n}" for n in range(300)]),
    "findings.last_steps": lambda c: findings.last_steps(c, [f"f{n}" for n in range(300)]),
    "findings.count_open": findings.count_open,
    "page": _page(equal=OPEN),
    "page of all": _page(),
    "page after": _page(after=AFTER),
    "page of open after": _page(equal=OPEN, after=AFTER),
    "page of a workspace": _page(equal={**OPEN, "workspace": "w/7"}),
    "page of all of a workspace": _page(equal={"workspace": "w/7"}),
    "page of all of a workspace after": _page(equal={"workspace": "w/7"}, after=AFTER),
    "page of an address": _page(equal={"workspace": "w/7", "address": ADDRESS}),
    "page of an address anywhere": _page(equal={"address": ADDRESS}),
    "page of a severity": _page(equal={"severity": "critical"}),
    "page of open of a class": _page(equal={**OPEN, "class": "ignored"}),
    "page of a kind": _page(equal={"kind": "deleted_outside"}),
    "page of what nothing is": _page(equal={"kind": "no_such", "state": "closed"}),
    "page since": _page(since=END - HOUR),
    "page of a time": _page(since=LONG_AGO - HOUR, until=LONG_AGO),
    "page of a time of what is closed": _page(equal={"state": "closed"}, since=LONG_AGO - HOUR, until=LONG_AGO),
    "page of a time of a workspace": _page(equal={"workspace": "w/7", "state": "closed"}, since=LONG_AGO - HOUR, until=LONG_AGO),
    "page of a time of a severity": _page(equal={"severity": "critical"}, since=LONG_AGO - HOUR, until=LONG_AGO),
    "page until": _page(until=LONG_AGO),
    "page of open until": _page(equal=OPEN, until=LONG_AGO),
    "page of a signal": _page(equal={"signal": "no_such"}),
    "overlapping now": _series("driftband_drift"),
    "overlapping then": _series("driftband_drift", LONG_AGO - HOUR, LONG_AGO),
    "overlapping in the beginning": _series("driftband_drift", FIRST, FIRST + HOUR),
    "overlapping of an address": _series("driftband_drift", address=ADDRESS),
    "overlapping of an address then": _series("driftband_drift", LONG_AGO - HOUR, LONG_AGO, address=ADDRESS),
    "overlapping of a module": _series("driftband_drift", workspace="w/7", module="m"),
    "overlapping of a workspace": _series("driftband_drift", LONG_AGO - HOUR, LONG_AGO, workspace="w/7"),
    "overlapping of a workspace now": _series("driftband_drift", workspace="w/7"),
    "overlapping of a finding": _series("driftband_drift", finding="f70"),
    "changes now": _series("driftband_change"),
    "changes then": _series("driftband_change", LONG_AGO - HOUR, LONG_AGO),
    "changes in the beginning": _series("driftband_change", FIRST, FIRST + HOUR),
    "changes of a workspace": _series("driftband_change", LONG_AGO - HOUR, LONG_AGO, workspace="w/7"),
    "resources now": _series("driftband_resource_info", workspace="w/7"),
    "resources then": _series("driftband_resource_info", LONG_AGO - HOUR, LONG_AGO, workspace="w/7"),
    "identities now": _series("driftband_identity_info"),
    "identities then": _series("driftband_identity_info", LONG_AGO - HOUR, LONG_AGO),
    "edges told of now": _series("driftband_service_edge"),
    "scan status now": _series("driftband_scan_status"),
    "scan status then": _series("driftband_scan_status", LONG_AGO - HOUR, LONG_AGO),
    "last complete of a workspace": _series("driftband_scan_last_complete_timestamp_seconds", workspace="w/7"),
    "changes.one": lambda c: changes.one(c, "change-7"),
    "changes.during": lambda c: changes.during(c, END - HOUR, END, limit=100, workspace="w/7"),
    "changes.page": _changes(),
    "changes.page after": _changes(after=AFTER),
    "changes.page of a workspace": _changes(equal={"workspace": "w/7"}),
    "changes.page of a commit": _changes(equal={"commit": "c7"}),
    "changes.page of a kind": _changes(equal={"kind": "manual"}),
    "changes.page of a status": _changes(equal={"status": "running"}),
    "changes.page of a time": _changes(since=LONG_AGO - HOUR, until=LONG_AGO),
    "changes.due_for_annotation": lambda c: changes.due_for_annotation(c, 100),
    "runs.page": lambda c: runs.page(c, workspace=None, after=None, limit=101),
    "runs.page after": lambda c: runs.page(c, workspace=None, after=AFTER, limit=101),
    "runs.page of a workspace": lambda c: runs.page(c, workspace="w/7", after=AFTER, limit=101),
    "overview.last": overview._last,
    "overview.whole": overview._whole,
    "overview.counts": overview._counts,
    "inventory.current": lambda c: inventory.current(c, "w/7"),
    "inventory.current of addresses": lambda c: inventory.current(c, "w/7", [ADDRESS]),
    "inventory.in_force": lambda c: inventory.in_force(c, "no_such", END - HOUR, END),
    # Asked by the watcher at its instants, which are minutes old, and hours where it catches up.
    "inventory.in_force hours ago": lambda c: inventory.in_force(c, "no_such", END - 9 * HOUR, END - 8 * HOUR),
    "inventory.known": lambda c: inventory.known(c, "w/7", ADDRESS),
    "audit.naming": lambda c: audit.naming(c, ["thing-7"], LONG_AGO - HOUR, LONG_AGO),
    "attribution": lambda c: attribution.attributed(c, _finding(c)),
    "attribution of events": lambda c: findings.matching(
        c, table.c.state == "open", table.c.layer == "configuration", table.c.actor.is_(None), table.c.opened_at >= END - NEARBY
    ),
    "attribution of a change": lambda c: attribution.after_change(c, "w/7", END - HOUR),
    "ignores.in_force": ignores.in_force,
    "tidying of rules": lambda c: tidying.expire_rules(c, END),
    "tidying of acceptances": lambda c: tidying._expire_acceptances(c, END),
    "tidying of what is old": lambda c: tidying._forget(c, END - timedelta(days=399)),
}  # fmt: skip


def _finding(connection: Connection) -> Finding:
    return findings.by_ids(connection, ["f7"])[0]


@contextmanager
def _heard(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Give the statements that are executed meanwhile."""
    said: list[tuple[str, Any]] = []

    def hear(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many:
            said.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    yield said
    event.remove(database.engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_reads_a_table_whole(large: Database, name: str) -> None:
    with large.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN") if large.is_sqlite else connection.begin()
        with _heard(large) as said:
            QUERIES[name](connection)
        reads = [(statement, values) for statement, values in said if not statement.startswith(("INSERT", "SAVEPOINT"))]
        assert reads
        faults = [
            fault for read in reads for fault in (_of_sqlite if large.is_sqlite else _of_postgres)(connection, *read)
        ]
        connection.exec_driver_sql("ROLLBACK")
    assert not faults, "\n".join(faults)


def _of_sqlite(connection: Connection, statement: str, values: Any) -> Iterator[str]:
    plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    for step in plan:
        scanned = re.match(r"SCAN (\w+)", step)
        if scanned and scanned[1] in LARGE and not ("USING" in step and "LIMIT" in statement):
            yield f"{step}\n   of {statement}\n   {plan}"
    done = [0]
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: done.append(done.pop() + 1), 1000)
    connection.exec_driver_sql(statement, values)
    driver.set_progress_handler(None, 0)
    if done[0] > MOST_STEPS:
        yield f"{done[0]},000 steps\n   of {statement}\n   {plan}"


def _of_postgres(connection: Connection, statement: str, values: Any) -> Iterator[str]:
    (plan,) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values).scalar_one()
    for node in _nodes(plan["Plan"]):
        wasted = node.get("Rows Removed by Filter", 0) * node["Actual Loops"]
        if node.get("Relation Name") in LARGE and (node["Node Type"] == "Seq Scan" or wasted > MOST_READ):
            yield f"{node['Node Type']} of {node['Relation Name']}, {wasted} rows in vain\n   of {statement}"


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)
