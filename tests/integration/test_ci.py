"""What runs in CI, whole: real Terraform with a real provider, the verbs as a shell calls them, a real driftband."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from .driftband_server import DriftbandServer

pytestmark = pytest.mark.slow  # a real Terraform applies each time

READ, WRITE = "read-token-of-the-tests", "write-token-of-the-tests"
CANARY = "canary-of-the-secret-file"
MAIN = """
terraform {
  required_providers {
    local = { source = "terraform.test/acme/local" }
  }
}
variable "size" {
  default = 20
}
variable "secret" {
  sensitive = true
  default   = "canary-of-the-secret-file"
}
resource "terraform_data" "release" {
  input = "v1"
}
resource "local_file" "pool" {
  filename = "${path.module}/pool.ini"
  content  = "max_connections = ${var.size}\\n"
}
resource "local_file" "secret" {
  filename          = "${path.module}/secret.ini"
  sensitive_content = var.secret
}
"""
JOB = {
    "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/infra", "GITHUB_RUN_ID": "4711",
    "GITHUB_SHA": "9f3c2a1b9f3c2a1b9f3c2a1b9f3c2a1b9f3c2a1b", "GITHUB_ACTOR": "dana", "GITHUB_JOB": "apply",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DriftbandServer]:
    folder = tmp_path_factory.mktemp("driftband")
    settings = {
        "prometheus": {"url": "sample:"},
        "store": f"sqlite:///{folder / 'ledger.db'}",
        "access": {"read_tokens": [READ], "write_tokens": [WRITE]},
    }
    with DriftbandServer(folder, **settings) as started:
        yield started


@dataclass(frozen=True)
class Stack:
    """A root module with its state, and what stands around it."""

    directory: Path
    environ: dict[str, str]

    def terraform(self, *arguments: str) -> bytes:
        done = subprocess.run(
            ["terraform", *arguments], cwd=self.directory, env=self.environ, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def driftband(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "driftband", *arguments]
        done = subprocess.run(
            command, cwd=self.directory, env={**self.environ, **environ}, capture_output=True, text=True, check=False
        )
        for said in (done.stdout, done.stderr):
            assert CANARY not in said
            assert WRITE not in said
            assert "Traceback" not in said
        return done

    def scan(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return self.driftband("drift", "scan", ".", "--workspace", self.workspace, *arguments, **environ)

    @property
    def workspace(self) -> str:
        return f"test/{self.directory.parent.name}"


@pytest.fixture
def stack(tmp_path: Path, terraform_home: dict[str, str], server: DriftbandServer) -> Stack:
    directory = tmp_path / "stack"
    directory.mkdir()
    (directory / "main.tf").write_text(MAIN)
    made = Stack(directory, {**terraform_home, "DRIFTBAND_URL": server.url, "DRIFTBAND_TOKEN": WRITE})
    made.terraform("init", "-input=false")
    return made


def ask(server: DriftbandServer, path: str, **query: str) -> Any:
    answer = requests.get(
        f"{server.url}/driftband/v1/{path}", params=query, headers={"Authorization": f"Bearer {READ}"}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def nothing_secret(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in {".db", ".db-wal", ".log", ".spool"}:
            assert CANARY.encode() not in path.read_bytes(), path


def test_drift_is_found_told_and_closed_and_the_apply_stands_beside_it(stack: Stack, server: DriftbandServer) -> None:
    stack.terraform("plan", "-input=false", "-out=plan.tfplan")
    (stack.directory / "plan.json").write_bytes(stack.terraform("show", "-json", "plan.tfplan"))
    (stack.directory / "apply.jsonl").write_bytes(stack.terraform("apply", "-input=false", "-json", "plan.tfplan"))
    log = ("--plan", "plan.json", "--apply-log", "apply.jsonl", "--workspace", stack.workspace)
    recorded = stack.driftband("change", "record", *log, "--identity", "service=checkout", **JOB)
    assert (recorded.returncode, recorded.stderr) == (0, "")
    again = stack.driftband("change", "record", *log, "--identity", "service=checkout", **JOB)
    assert again.returncode == 0
    (change,) = ask(server, "changes", workspace=stack.workspace)["changes"]
    assert (change["id"], change["actor"]) == (f"github-4711-1-apply:terraform_apply:{stack.workspace}", "dana")
    assert change["url"] == "https://github.com/acme/infra/actions/runs/4711/attempts/1"
    touched = {(r["address"], *r["actions"]) for r in change["resources"]}
    assert touched == {(name, "create") for name in ("local_file.pool", "local_file.secret", "terraform_data.release")}

    clean = stack.scan("--plan")
    assert (clean.returncode, clean.stderr) == (0, "")
    assert clean.stdout == f"{stack.workspace}: no drift\n"

    pool = stack.directory / "pool.ini"
    declared = pool.read_text()
    pool.write_text("max_connections = 5\n")
    found = stack.scan("--plan", "--json")
    assert found.returncode == 2
    (finding,) = ask(server, "findings", workspace=stack.workspace)["findings"]
    assert (finding["address"], finding["class"], finding["severity"]) == (
        "local_file.pool",
        "drift",
        finding["severity"],
    )
    assert finding["id"] in found.stdout
    told = stack.scan()
    assert told.returncode == 2
    assert f"{stack.workspace}: drift in 1 resource\n- local_file.pool: " in told.stdout
    assert f"since {finding['opened_at']}" in told.stdout

    pool.write_text(declared)
    assert stack.scan("--plan").returncode == 0
    assert ask(server, "findings", workspace=stack.workspace)["findings"] == []
    (closed,) = ask(server, "findings", workspace=stack.workspace, state="closed")["findings"]
    assert closed["id"] == finding["id"]
    runs = ask(server, "runs", workspace=stack.workspace)["runs"]
    state = json.loads((stack.directory / "terraform.tfstate").read_text())
    assert {run["lineage"] for run in runs} == {state["lineage"]}
    assert {run["serial"] for run in runs} == {state["serial"]}
    nothing_secret(server.log.parent)


def test_a_secret_that_drifts_is_told_without_it(stack: Stack, server: DriftbandServer) -> None:
    stack.terraform("apply", "-auto-approve", "-input=false")
    assert stack.scan().returncode == 0
    (stack.directory / "secret.ini").write_text(f"{CANARY}-changed")
    spool = stack.directory / "reports.spool"
    kept = stack.scan("--spool", str(spool), "--wait", "200ms", DRIFTBAND_URL="http://127.0.0.1:9")
    assert kept.returncode == 2
    assert f"kept in {spool}" in kept.stderr
    nothing_secret(stack.directory)
    assert stack.scan("--spool", str(spool)).returncode == 2
    assert not spool.exists()
    assert [f["address"] for f in ask(server, "findings", workspace=stack.workspace)["findings"]] == [
        "local_file.secret"
    ]
    nothing_secret(server.log.parent)


def test_a_pending_change_is_no_drift(stack: Stack, server: DriftbandServer) -> None:
    stack.terraform("apply", "-auto-approve", "-input=false")
    assert stack.scan("--plan", "--", "-var=size=21").returncode == 0
    classes = {f["class"] for f in ask(server, "findings", workspace=stack.workspace)["findings"]}
    assert classes == {"pending"}


def test_a_failed_scan_is_a_failed_run_and_closes_nothing(stack: Stack, server: DriftbandServer) -> None:
    stack.terraform("apply", "-auto-approve", "-input=false")
    (stack.directory / "pool.ini").write_text("max_connections = 5\n")
    assert stack.scan().returncode == 2
    broken = stack.directory / "broken.tf"
    broken.write_text('resource "terraform_data" "x" {\n  input = no_such.thing\n}\n')
    failed = stack.scan()
    assert failed.returncode == 1
    assert f"{stack.workspace}: the run failed" in failed.stdout
    broken.write_text('terraform {\n  required_providers {\n    x = { source = "terraform.test/acme/none" }\n  }\n}\n')
    failed = stack.scan()
    assert failed.returncode == 1
    assert "init failed" in failed.stdout
    assert len(ask(server, "findings", workspace=stack.workspace)["findings"]) == 1


def test_a_report_of_what_ci_has_and_one_that_is_refused(stack: Stack, server: DriftbandServer) -> None:
    stack.terraform("apply", "-auto-approve", "-input=false")
    stack.terraform("plan", "-refresh-only", "-input=false", "-out=plan.tfplan")
    (stack.directory / "plan.json").write_bytes(stack.terraform("show", "-json", "plan.tfplan"))
    report = ("drift", "report", "plan.json", "--workspace", stack.workspace)
    assert [stack.driftband(*report, "--json").returncode for _ in range(2)] == [0, 0]
    assert len(ask(server, "runs", workspace=stack.workspace)["runs"]) == 1
    (stack.directory / "pool.ini").write_text("max_connections = 5\n")
    stack.terraform("plan", "-refresh-only", "-input=false", "-out=plan.tfplan")
    (stack.directory / "plan.json").write_bytes(stack.terraform("show", "-json", "plan.tfplan"))
    run = ask(server, "runs", workspace=stack.workspace)["runs"][0]["id"]
    other = stack.driftband(*report, "--run", run)
    assert other.returncode == 1
    assert "not reported: the server refuses this (409)" in other.stderr
    refused = stack.driftband(*report, DRIFTBAND_TOKEN=READ)
    assert refused.returncode == 1
    assert "refuses the token in DRIFTBAND_TOKEN (403)" in refused.stderr
    assert stack.driftband(*report).returncode == 2


def test_deployments_begin_and_end_under_one_id(stack: Stack, server: DriftbandServer) -> None:
    deploy = ("change", "record", "--kind", "deploy", "--identity", "service=checkout", "--workspace", stack.workspace)
    assert (
        stack.driftband(*deploy, "--status", "running", "--started-at", "2026-11-24T10:00:00Z", **JOB).returncode == 0
    )
    ended = ("--started-at", "2026-11-24T10:00:00Z", "--ended-at", "2026-11-24T10:02:00Z")
    assert stack.driftband(*deploy, *ended, **JOB).returncode == 0
    (change,) = ask(server, "changes", workspace=stack.workspace)["changes"]
    assert (change["status"], change["ended_at"]) == ("succeeded", "2026-11-24T10:02:00Z")
    assert os.environ.get("DRIFTBAND_TOKEN") is None
