"""Scanning with a real Terraform: what comes back, and that nothing of it stays behind."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from driftband.sources.terraform import process
from driftband.sources.terraform.scan import ScanError, Scanned, scan

MAIN = """
terraform {
  required_providers {
    local = { source = "terraform.test/acme/local" }
  }
}
variable "size" {
  default = 20
}
resource "terraform_data" "release" {
  input = "v1"
}
resource "local_file" "pool" {
  filename = "${path.module}/pool.ini"
  content  = "max_connections = ${var.size}\\n"
}
"""
CANARY = "canary-of-the-environment"


@pytest.fixture
def stack(tmp_path: Path, terraform_home: dict[str, str]) -> Path:
    directory = tmp_path / "stack"
    directory.mkdir()
    (directory / "main.tf").write_text(MAIN)
    for command in (["init", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        subprocess.run(["terraform", *command], cwd=directory, env=terraform_home, capture_output=True, check=True)
    return directory


def test_a_scan_tells_drift_state_and_schemas_and_leaves_nothing(
    stack: Path, terraform_home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stack / "pool.ini").write_text("max_connections = 5\n")
    before = sorted(path for path in stack.rglob("*") if path.is_file())
    place = tmp_path / "places"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    seen: list[tuple[str, int, int | None]] = []
    scanned = scan(
        stack,
        normal_plan=True,
        timeout=120,
        environ={**terraform_home, "TF_VAR_size": "21"},
        observe=lambda *told: seen.append(told),
    )
    plan, normal = json.loads(scanned.plan or b""), json.loads(scanned.normal_plan or b"")
    assert [item["address"] for item in plan["resource_drift"]] == ["local_file.pool"]
    assert "resource_changes" not in plan
    assert {item["address"] for item in normal["resource_changes"]} == {"local_file.pool", "terraform_data.release"}
    state = json.loads((stack / "terraform.tfstate").read_text())
    assert (scanned.lineage, scanned.serial) == (state["lineage"], state["serial"])
    assert "terraform.test/acme/local" in json.loads(scanned.schemas or b"")["provider_schemas"]
    assert b'"type":"resource_drift"' in scanned.stream
    assert scanned.warnings == ()
    assert ("refresh", 2, 2) in seen
    assert sorted(path for path in stack.rglob("*") if path.is_file()) == before
    assert list(place.iterdir()) == []


def test_terraform_does_not_see_what_is_ours(tmp_path: Path) -> None:
    scanned = fake(
        tmp_path, 'env > "$PWD/environ"; exit 3', environ={"PATH": "/usr/bin:/bin", "DRIFTBAND_TOKEN": CANARY, "X": "1"}
    )
    assert "Error: init failed (exit 3)" in scanned.stream.decode()
    environ = (tmp_path / "environ").read_text()
    assert CANARY not in environ
    assert "X=1\n" in environ


def fake(place: Path, script: str, timeout: float = 60, environ: dict[str, str] | None = None) -> Scanned:
    tool = place / "terraform"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    return scan(place, tool=str(tool), timeout=timeout, environ=environ or {"PATH": "/usr/bin:/bin"})


def test_a_failed_init_is_a_failed_run_that_says_why(tmp_path: Path, terraform_home: dict[str, str]) -> None:
    (tmp_path / "main.tf").write_text(MAIN.replace("acme/local", "acme/nothing"))
    scanned = scan(tmp_path, timeout=120, environ=terraform_home)
    lines = [json.loads(line) for line in scanned.stream.splitlines()]
    assert (scanned.exit_code, scanned.plan) == (1, None)
    assert [line["type"] for line in lines] == ["version", "diagnostic"]
    assert "Failed to query available provider packages" in lines[1]["diagnostic"]["summary"]


def test_a_state_that_is_locked_is_said_by_the_stream(stack: Path, terraform_home: dict[str, str]) -> None:
    (stack / "main.tf").write_text(
        MAIN
        + 'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "touch began; sleep 30"\n  }\n}\n'
    )
    other = subprocess.Popen(
        ["terraform", "apply", "-auto-approve", "-input=false"],
        cwd=stack,
        env=terraform_home,
        stdout=subprocess.DEVNULL,
    )
    try:
        while not (stack / "began").exists():
            assert other.poll() is None
            time.sleep(0.02)
        scanned = scan(stack, timeout=120, environ=terraform_home)
        unlocked = scan(stack, timeout=120, environ=terraform_home, lock=False)
    finally:
        other.terminate()
        other.wait()
    assert (scanned.exit_code, scanned.plan) == (1, None)
    assert "Error acquiring the state lock" in scanned.stream.decode()
    assert unlocked.plan is not None


def test_arguments_go_to_the_plan(stack: Path, terraform_home: dict[str, str]) -> None:
    scanned = scan(stack, timeout=120, environ=terraform_home, arguments=["-var=size=x", "-no-such-flag"])
    assert scanned.exit_code == 1
    assert b"diagnostic" in scanned.stream


@pytest.mark.slow
def test_at_the_deadline_everything_has_ended(tmp_path: Path) -> None:
    scanned = fake(tmp_path, 'trap "echo given-back > lock; exit 1" INT; sleep 1000 & echo $! > pid; wait', timeout=3)
    assert scanned.exit_code == 1
    assert "the scan's time was over" in scanned.stream.decode()
    assert (tmp_path / "lock").read_text() == "given-back\n"
    with pytest.raises(ProcessLookupError):
        _signal_zero(int((tmp_path / "pid").read_text()))


def _signal_zero(pid: int) -> None:
    for _ in range(500):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            raise ProcessLookupError
        time.sleep(0.01)


@pytest.mark.slow
def test_a_scan_that_is_cancelled_stops_what_it_started(tmp_path: Path) -> None:
    tool = tmp_path / "terraform"
    tool.write_text(
        '#!/bin/sh\ntrap "echo given-back > lock; exit 1" INT\necho $$ > pid\nwhile :; do sleep 0.05; done\n'
    )
    tool.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DRIFTBAND_URL": "http://127.0.0.1:9"}
    scanning = subprocess.Popen(
        [sys.executable, "-m", "driftband", "drift", "scan", str(tmp_path), "--workspace", "w"], env=environ
    )
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert scanning.poll() is None
        time.sleep(0.02)
    scanning.terminate()
    assert scanning.wait() == 143
    assert (tmp_path / "lock").read_text() == "given-back\n"


@pytest.mark.slow
def test_more_output_than_memory_should_hold_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_OUTPUT", 1 << 20)
    with pytest.raises(ScanError, match="init says more than"):
        fake(tmp_path, "yes")


@pytest.mark.slow
def test_a_child_that_keeps_the_pipe_open_does_not_hold_the_scan(tmp_path: Path) -> None:
    scanned = fake(tmp_path, "setsid sleep 60 & exit 1", timeout=30)
    assert "init failed" in scanned.stream.decode()
    assert "time was over" not in scanned.stream.decode()


def test_a_missing_tool_or_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="nowhere is not a directory"):
        scan(tmp_path / "nowhere", timeout=1, environ={})
    with pytest.raises(ScanError, match="no-terraform cannot be run: No such file"):
        scan(tmp_path, tool="/no-terraform", timeout=1, environ={})
