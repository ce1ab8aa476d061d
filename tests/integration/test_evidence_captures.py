"""Every capture gives what its row in the captures' README says: over HTTP, and from the command line as CI uses it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .evidence_api import A0, B2, CAPTURES, D2, G1, T2, A, Api, B, C, E, H, capture, serving

ORDERS, BILLING = (f'module.role["{name}"].postgresql_role.this' for name in ("orders", "billing"))
FILE, SHARD, GONE = "local_file.pool", "postgresql_database.shard[1]", "postgresql_database.shard[2]"


@dataclass(frozen=True)
class Row:
    """What a capture is. drift: the changed paths by address, ``deleted`` where it is gone. exit_code: of the command."""

    name: str
    status: str
    drift: dict[str, str] = field(default_factory=dict)
    exit_code: int = 2
    stream: str = ""
    read: int = 11


ALTERED = {ORDERS: "connection_limit", SHARD: "connection_limit"}
ROWS = [
    Row(A0, "clean", exit_code=0, stream="drifted"),
    Row(A, "clean", exit_code=0),
    Row(B, "drifted", ALTERED),
    Row(B2, "drifted", {**ALTERED, FILE: "deleted"}, read=10),
    Row(C, "drifted", {**ALTERED, FILE: "deleted", GONE: "deleted"}, read=9),
    Row(D2, "drifted", {**ALTERED, FILE: "deleted", GONE: "deleted", BILLING: "password"}, read=9),
    Row(E, "drifted", {**ALTERED, FILE: "deleted", BILLING: "password"}, read=9),
    Row(G1, "failed", exit_code=1),
    Row(H, "locked", exit_code=1),
    Row(T2, "drifted", {FILE: "deleted", 'module.role["t_orders"].postgresql_role.this': "connection_limit"}, read=10),
]
PLANS = [row for row in ROWS if row.name != H]


def _drift(answer: dict[str, object]) -> dict[str, str]:
    found = [f for f in answer["findings"] if f["class"] in ("drift", "provisional")]  # type: ignore[attr-defined]
    return {f["address"]: ", ".join(a["path"] for a in f["attributes"]) or "deleted" for f in found}


@pytest.mark.parametrize("row", PLANS, ids=lambda row: row.name)
def test_a_plan(api: Api, row: Row) -> None:
    taken = api.report(row.name, f"plan/{row.name}", commit="9f3c2a1")
    run = taken["run"]
    assert (run["status"], run["read"], taken["opened"]) == (row.status, row.read, len(row.drift))
    assert (run["tool"], run["commit"]) == ("opentofu" if row.name == T2 else "terraform", "9f3c2a1")
    assert _drift(taken) == row.drift
    assert api.drifted(f"plan/{row.name}") == dict.fromkeys(row.drift, "drift")
    if row.status in ("clean", "drifted"):
        known = {r["address"] for r in api.get("/inventory", workspace=f"plan/{row.name}")["resources"]}
        assert known >= row.drift.keys()
        assert len(known) == 11


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_stream_names_addresses_alone(api: Api, row: Row) -> None:
    taken = api.report(capture(row.name, "stream.jsonl"), f"stream/{row.name}")
    assert taken["run"]["status"] == (row.stream or row.status)
    if not row.stream:
        expected = row.drift.keys() | ({GONE} if row.name == E else set())
        assert {f["address"] for f in taken["findings"]} == expected
        assert {f["class"] for f in taken["findings"]} <= {"provisional"}
    assert not any(f["attributes"] for f in taken["findings"])
    assert api.get("/inventory", workspace=f"stream/{row.name}")["resources"] == []


@pytest.mark.parametrize("row", PLANS, ids=lambda row: row.name)
@pytest.mark.parametrize("order", [("stream.jsonl", "plan.json"), ("plan.json", "stream.jsonl")])
def test_a_stream_and_its_plan_are_one_run(api: Api, row: Row, order: tuple[str, str]) -> None:
    workspace = f"both/{row.name}/{order[0]}"
    for kind in order:
        last = api.report(capture(row.name, kind), workspace, run="one")
    (run,) = api.get("/runs", workspace=workspace)["runs"]
    assert (run["status"], run["id"]) == (row.status, "one")
    assert _drift(last) == row.drift
    assert api.drifted(workspace) == dict.fromkeys(row.drift, "drift")
    assert bool(run["errors"]) == (row.name == G1)


def test_what_differs_is_told_with_its_values(api: Api) -> None:
    by_address = {f["address"]: f for f in api.report(D2, "values")["findings"]}
    assert by_address[ORDERS]["attributes"] == [
        {"path": "connection_limit", "before": 20, "after": 3, "sensitive": False}
    ]
    assert by_address[SHARD]["attributes"] == [
        {"path": "connection_limit", "before": 50, "after": 5, "sensitive": False}
    ]
    assert by_address[BILLING]["attributes"] == [{"path": "password", "sensitive": True}]
    assert by_address[BILLING]["severity"] == by_address[GONE]["severity"] == "error"
    assert "local_file reports rewritten content" in by_address[FILE]["reason"]
    assert (by_address[ORDERS]["module"], by_address[SHARD]["module"]) == ("role", None)
    for finding in by_address.values():
        assert finding.keys() >= {
            "id", "layer", "kind", "class", "state", "workspace", "address", "resource_type", "signal", "identity", "severity",
            "score", "opened_at", "last_seen_at", "closed_at", "reason", "attributes", "actor", "evidence",
        }  # fmt: skip
        assert finding["evidence"].keys() >= {"query", "link"}


def test_states_are_inventories(api: Api) -> None:
    for name in ("show_state.json", "state_pull.json"):
        workspace = f"stock/{name}"
        answer = api.post("/inventory", capture("m_misc", name), workspace=workspace, commit="9f3c2a1")
        assert (answer.status_code, answer.json()) == (201, {"workspace": workspace, "resources": 11})
        resources = {r["address"]: r for r in api.get("/inventory", workspace=workspace)["resources"]}
        assert resources[ORDERS]["attributes"]["connection_limit"] == 20
        assert "password" not in resources[ORDERS]["attributes"]
        assert {r["commit"] for r in resources.values()} == {"9f3c2a1"}
        assert len(api.instant(f'driftband_resource_info{{workspace="{workspace}"}}')) == 11


@pytest.fixture(scope="module")
def one_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("driftband")
    with serving(folder, f"sqlite:///{folder}/ledger.db") as api:
        yield api


def _report(api: Api, file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "driftband", "drift", "report", str(file), "--wait", "20s", *arguments]
    environ = {"PATH": "/usr/bin:/bin", "DRIFTBAND_URL": api.server.url}
    return subprocess.run(
        command, env=environ, cwd=file.parent, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_command_says_it_by_its_exit_code(one_api: Api, row: Row) -> None:
    file = CAPTURES / row.name / ("plan.json" if row.name != H else "stream.jsonl")
    done = _report(one_api, file, "--workspace", f"cli/{row.name}", "--json", "--commit", "9f3c2a1")
    assert done.returncode == row.exit_code, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["run"]["status"], answer["run"]["commit"]) == (row.status, "9f3c2a1")
    assert _drift(answer) == row.drift
    again = _report(one_api, file, "--workspace", f"cli/{row.name}", "--json", "--commit", "9f3c2a1")
    assert json.loads(again.stdout) == answer
    assert len(one_api.get("/runs", workspace=f"cli/{row.name}")["runs"]) == 1


def test_the_command_tells_a_person(one_api: Api) -> None:
    done = _report(one_api, CAPTURES / D2 / "plan.json", "--workspace", "cli/person")
    assert done.returncode == 2
    assert "drift in 5 resources" in done.stdout
    assert "connection_limit: 20 -> 3" in done.stdout
    assert "password: changed (sensitive)" in done.stdout


@pytest.mark.parametrize("name", ["version.json", "providers_schema.json", "show_state.json"])
def test_the_command_refuses_what_is_no_report(one_api: Api, name: str) -> None:
    done = _report(one_api, CAPTURES / "m_misc" / name, "--workspace", "cli/none")
    assert (done.returncode, done.stdout) == (1, "")
    assert "this is" in done.stderr


def test_a_partial_run_exits_by_what_it_found(one_api: Api, tmp_path: Path) -> None:
    plan = json.loads(capture(B)) | {"errored": True, "complete": False}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan))
    found = _report(one_api, file, "--workspace", "cli/partial", "--json")
    assert (found.returncode, json.loads(found.stdout)["run"]["status"]) == (2, "partial")
    del plan["resource_drift"]
    file.write_text(json.dumps({**plan, "errored": False}))
    without = _report(one_api, file, "--workspace", "cli/partial", "--json")
    assert (without.returncode, json.loads(without.stdout)["run"]["status"]) == (1, "partial")


def test_an_empty_state_is_suspect(one_api: Api, tmp_path: Path) -> None:
    assert _report(one_api, CAPTURES / B / "plan.json", "--workspace", "cli/empty").returncode == 2
    file = tmp_path / "plan.json"
    empty = {name: value for name, value in json.loads(capture(A)).items() if name not in ("prior_state", "timestamp")}
    file.write_text(json.dumps(empty))
    done = _report(one_api, file, "--workspace", "cli/empty")
    assert (done.returncode, "suspect" in done.stdout) == (1, True)
    assert len(one_api.open("cli/empty")) == 2
