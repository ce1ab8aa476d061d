"""Many at the same time, on both stores: nothing is counted twice, nothing is lost."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier
from typing import Any

from sqlalchemy import func, select

from driftband.store.database import Database
from driftband.store.leases import hold
from driftband.store.tables_watching import leases
from driftband.store.workspaces import lock_workspace

from .evidence_api import B2, A, Api, B, C, capture, now
from .ledger_content import contradictions
from .postgres_server import PostgresServer

MANY = 12
RED, BLUE = capture(B), capture(C)


def _at_once(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def _statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_the_same_report_is_one_run(api: Api) -> None:
    answers = _at_once(*[lambda: api.post("/drift-reports", RED, workspace="once/same", run="k")] * MANY)
    assert _statuses(answers) == {201: 1, 200: MANY - 1}
    assert len({answer.text for answer in answers}) == 1
    assert len(api.get("/runs", workspace="once/same")["runs"]) == 1
    assert len(api.findings("once/same", state="all")) == 2


def test_the_same_report_under_many_keys_opens_once(api: Api) -> None:
    calls = [lambda n=n: api.report(RED, "once/keys", run=f"k{n}") for n in range(MANY)]
    answers = _at_once(*calls)
    assert sum(answer["opened"] for answer in answers) == 2
    assert sorted(answer["still_open"] for answer in answers) == [0, *[2] * (MANY - 1)]
    assert len(api.findings("once/keys", state="all")) == 2


def test_of_two_bodies_under_one_key_one_is_taken(api: Api) -> None:
    calls = [
        lambda body=body: api.post("/drift-reports", body, workspace="once/key", run="k") for body in (RED, BLUE) * 4
    ]
    answers = _at_once(*calls)
    assert _statuses(answers) == {201: 1, 200: 3, 409: 4}
    assert len(api.findings("once/key")) in (2, 4)


def test_workspaces_do_not_disturb_each_other(api: Api) -> None:
    calls = [lambda n=n: api.report(BLUE, f"once/apart/{n}", run="k") for n in range(MANY)]
    assert [answer["opened"] for answer in _at_once(*calls)] == [4] * MANY


def test_the_same_change_is_new_once(api: Api) -> None:
    change = {"id": "once", "kind": "deploy", "started_at": "2026-11-24T10:00:00Z", "summary": "one"}
    answers = _at_once(*[lambda: api.post("/changes", change)] * MANY)
    assert _statuses(answers) == {201: 1, 200: MANY - 1}


def test_the_same_audit_event_is_kept_once(api: Api) -> None:
    event = {"id": "e", "at": "2026-11-24T10:00:00Z", "actor": "dana", "action": "x", "resource": "orders"}
    assert _statuses(_at_once(*[lambda: api.post("/audit-events", event)] * MANY)) == {201: MANY}


def test_one_who_writes_alone_waits_for_the_others(database: Database) -> None:
    done: list[str] = []

    def alone() -> None:
        with database.write():
            done.append("alone")

    with ThreadPoolExecutor(1) as pool:
        with database.write(beside=True):
            waiting = pool.submit(alone)
            with suppress(TimeoutError):
                waiting.result(timeout=0.3)
            done.append("beside")
        waiting.result(timeout=30)
    assert done == ["beside", "alone"]


def test_reports_of_different_workspaces_do_not_wait_on_postgresql(postgres: PostgresServer) -> None:
    database, both = Database(postgres.new_database()), Barrier(2)

    def report(workspace: str) -> None:
        with database.write(beside=True) as connection:
            lock_workspace(connection, workspace)
            both.wait(timeout=30)

    _at_once(lambda: report("one"), lambda: report("other"))
    database.close()


def test_one_who_reads_sees_one_state_of_things(database: Database) -> None:
    at = now()
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(leases)).scalar() == 0
        assert hold(database, "a", "me", at, timedelta(minutes=1))
        assert connection.execute(select(func.count()).select_from(leases)).scalar() == 0
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(leases)).scalar() == 1


def test_who_reports_accepts_ignores_and_applies_at_once_leaves_no_contradiction(api: Api) -> None:
    workspace, start = "once/all", now() - timedelta(hours=10)

    def report() -> None:
        for n in range(30):
            name = (B, B2, A, C, A)[n % 5]
            api.report(name, workspace, run=f"run-{n}", started_at=start + timedelta(minutes=n))

    def accept() -> None:
        for _ in range(25):
            for finding in api.get("/findings", workspace=workspace)["findings"]:
                answer = api.post(f"/findings/{finding['id']}/accept", {"by": "dana", "reason": "fine"})
                assert answer.status_code in (200, 409)

    def ignore() -> None:
        for n in range(15):
            rule = api.post(
                "/ignores", {"workspace": workspace, "address": f"*shard[{n % 3}]", "reason": f"r{n}", "owner": "o"}
            ).json()
            assert api.ask("DELETE", f"/ignores/{rule['id']}").status_code == 204

    def apply() -> None:
        for n in range(30):
            at = start + timedelta(minutes=n)
            api.change(id=f"{workspace}/{n}", kind="terraform_apply", workspace=workspace, started_at=at, ended_at=at)

    _at_once(report, accept, ignore, apply)
    assert contradictions(api.store) == []
    last = api.report(A, workspace, run="last", started_at=start + timedelta(hours=1))
    assert last["run"]["status"] == "clean"
    assert api.open(workspace) == {}
