"""The server scans by itself: real Terraform with a real provider, found, attributed, annotated and closed again."""

import json
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftband.app_evidence import Evidence, open_evidence
from driftband.app_scans import scan_workspace
from driftband.config import Config, load
from driftband.web.listing import Wanted

from .driftband_server import DriftbandServer
from .grafana_server import Grafana
from .terraform_provider import TIME, TIME_VERSION, add_provider, build_time

EVERY = Wanted({}, None, None, None, 100)
MAIN = """
terraform {
  required_providers {
    local = { source = "terraform.test/acme/local" }
  }
}
variable "secret" {
  sensitive = true
  default   = "canary-of-the-secret-file"
}
resource "terraform_data" "release" {
  input = { version = "v1", tags = { service = "checkout" } }
}
resource "local_file" "pool" {
  filename = "${path.module}/pool.ini"
  content  = "max_connections = 20\\n"
}
resource "local_file" "secret" {
  filename          = "${path.module}/secret.ini"
  sensitive_content = var.secret
}
"""


@pytest.fixture
def stack(tmp_path: Path, terraform_home: dict[str, str]) -> Path:
    directory = tmp_path / "stack"
    directory.mkdir()
    (directory / "main.tf").write_text(MAIN)
    for command in (["init", "-input=false"], ["apply", "-auto-approve"]):
        subprocess.run(["terraform", *command], cwd=directory, env=terraform_home, check=True, capture_output=True)
    return directory


def configured(tmp_path: Path, path: Path, environ: dict[str, str], **more: Any) -> Config:
    workspace = {"name": "test/stack", "path": str(path), "environment": environ, **more}
    settings = {"DRIFTBAND_PROMETHEUS__URL": "sample:", "DRIFTBAND_STORE": f"sqlite:///{tmp_path}/ledger.db"}
    return load(None, {**settings, "DRIFTBAND_WORKSPACES": json.dumps([workspace])})


@pytest.fixture
def evidence(tmp_path: Path, stack: Path, terraform_home: dict[str, str]) -> Iterator[tuple[Evidence, Config]]:
    config = configured(tmp_path, stack, terraform_home)
    opened = open_evidence(config)
    yield opened, config
    opened.database.close()


def test_drift_by_hand_is_found_and_closed_after_the_revert(
    stack: Path, terraform_home: dict[str, str], evidence: tuple[Evidence, Config]
) -> None:
    ledger, config = evidence
    workspace = config.workspaces[0]
    clean = scan_workspace(workspace, ledger)
    assert (clean.run.status, clean.run.read, clean.run.serial) == ("clean", 3, clean.run.serial)
    assert len(clean.run.lineage) == 36
    (stack / "pool.ini").write_text("max_connections = 3\n")
    drifted = scan_workspace(workspace, ledger)
    assert drifted.run.status == "drifted"
    assert [(f.address, f.kind, f.class_) for f in drifted.findings] == [
        ("local_file.pool", "deleted_outside", "drift")
    ]
    subprocess.run(
        ["terraform", "apply", "-auto-approve"], cwd=stack, env=terraform_home, check=True, capture_output=True
    )
    over = scan_workspace(workspace, ledger)
    assert (over.run.status, over.findings) == ("clean", ())
    assert b"canary-of-the-secret-file" not in b"".join(p.read_bytes() for p in stack.parent.glob("ledger.db*"))


def test_an_archive_is_scanned_like_a_folder(
    tmp_path: Path, stack: Path, terraform_home: dict[str, str], evidence: tuple[Evidence, Config]
) -> None:
    ledger, _ = evidence
    shutil.rmtree(stack / ".terraform")
    archive = tmp_path / "stack.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(stack, arcname="stack")
    taken = scan_workspace(configured(tmp_path, archive, terraform_home).workspaces[0], ledger)
    assert (taken.run.status, taken.run.read) == ("clean", 3)


def test_a_scan_that_cannot_begin_is_a_failed_run(
    tmp_path: Path, stack: Path, terraform_home: dict[str, str], evidence: tuple[Evidence, Config]
) -> None:
    ledger, _ = evidence
    archive = tmp_path / "stack.zip"
    archive.write_bytes(b"no archive")
    taken = scan_workspace(configured(tmp_path, archive, terraform_home).workspaces[0], ledger)
    assert (taken.run.status, "the scan cannot begin" in taken.run.reason) == ("failed", True)
    shutil.rmtree(stack / ".terraform")
    (stack / "main.tf").write_text("resource {")
    broken = scan_workspace(configured(tmp_path, stack, terraform_home).workspaces[0], ledger)
    assert broken.run.status == "failed"
    assert "init failed" in broken.run.reason


def eventually(what: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.5)
    return found


ROTATING = """
terraform {
  required_providers {
    time = { source = "terraform.test/acme/time" }
  }
}
resource "time_static" "born" {}
resource "time_rotating" "key" {
  rotation_rfc3339 = "%s"
}
"""


@pytest.mark.slow
def test_a_time_that_has_come_is_drift_until_it_is_ignored_or_renewed(
    tmp_path: Path, terraform_home: dict[str, str], pytestconfig: pytest.Config
) -> None:
    assert pytestconfig.cache is not None
    add_provider(pytestconfig.cache.mkdir("terraform-providers"), TIME, TIME_VERSION, build_time)
    directory = tmp_path / "stack"
    directory.mkdir()

    def applied(rotation: datetime) -> None:
        (directory / "main.tf").write_text(ROTATING % rotation.strftime("%Y-%m-%dT%H:%M:%SZ"))
        for command in (["init", "-input=false"], ["apply", "-auto-approve"]):
            subprocess.run(["terraform", *command], cwd=directory, env=terraform_home, check=True, capture_output=True)

    config = configured(tmp_path, directory, terraform_home, normal_plan=False)
    ledger = open_evidence(config)
    rotation = datetime.now(UTC) + timedelta(seconds=20)
    applied(rotation)
    assert scan_workspace(config.workspaces[0], ledger).run.status == "clean"
    time.sleep(max((rotation - datetime.now(UTC)).total_seconds() + 1, 0))
    expired = scan_workspace(config.workspaces[0], ledger)
    assert [(f.address, f.kind, f.class_) for f in expired.findings] == [
        ("time_rotating.key", "deleted_outside", "drift")
    ]
    ledger.ignore({"resource_type": "time_rotating", "reason": "keys rotate", "owner": "platform", "expires_at": None})
    assert scan_workspace(config.workspaces[0], ledger).run.status == "clean"
    applied(rotation + timedelta(hours=1))
    assert scan_workspace(config.workspaces[0], ledger).findings == ()
    assert [f.state for f in ledger.findings(EVERY)] == ["closed"]
    ledger.database.close()


@pytest.mark.slow
def test_the_service_scans_attributes_annotates_and_closes(
    tmp_path: Path, stack: Path, terraform_home: dict[str, str], grafana: Grafana
) -> None:
    workspace = {"name": "test/stack", "path": str(stack), "every": "1s", "environment": terraform_home}
    settings = {
        "prometheus": {"url": "sample:"},
        "workspaces": [workspace],
        "grafana": {"url": grafana.url, "token": grafana.token("Editor")},
    }
    with DriftbandServer(tmp_path, **settings) as server:

        def findings(state: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = server.get("/driftband/v1/findings", state=state).json()["findings"]
            return found

        eventually(lambda: server.get("/driftband/v1/runs").json()["runs"])
        now = datetime.now(UTC).isoformat(timespec="seconds")
        event = {"at": now, "actor": "mallory", "action": "file:write", "resources": ["local_file.pool"]}
        (stack / "pool.ini").write_text("max_connections = 3\n")
        assert server.post("/driftband/v1/audit-events", {"events": [event]}) == 201
        (found,) = eventually(lambda: findings("open"))
        assert (found["kind"], found["actor"]) == ("deleted_outside", "mallory"), found["evidence"]
        change = {
            "id": "run-1",
            "kind": "terraform_apply",
            "started_at": now,
            "workspace": "test/stack",
            "actor": "dana",
        }
        assert server.post("/driftband/v1/changes", change) == 201
        tagged = eventually(lambda: grafana.ask("GET", "/api/annotations?tags=driftband"))
        assert [a["text"].count("dana") for a in tagged] == [1]
        again = ["terraform", "apply", "-auto-approve"]
        subprocess.run(again, cwd=stack, env=terraform_home, check=True, capture_output=True)
        assert eventually(lambda: findings("closed"))[0]["id"] == found["id"]
