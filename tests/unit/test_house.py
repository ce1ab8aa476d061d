"""What holds for the repository as a whole."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def read_yaml(path: str) -> Any:
    return yaml.safe_load(read(path))


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_hashes_and_no_hosts(lock: str) -> None:
    text = read(lock)
    assert "://" not in text
    assert not re.search(r"^\s*--(index-url|extra-index-url|find-links|trusted-host)", text, re.MULTILINE)
    pinned = re.findall(r"^[a-z0-9][^\n]*==[^\n]*\\\n +--hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)) > 0


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_every_dependency(lock: str) -> None:
    dependencies = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    names = {re.split(r"[<>=!~; \[]", dependency)[0].lower() for dependency in dependencies}
    assert names <= set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", read(lock), re.MULTILINE))


def test_what_runs_is_what_is_tested() -> None:
    tested = set(re.findall(r"^[a-z0-9][^\s]*==[^\s]+", read("requirements-dev.lock"), re.MULTILINE))
    assert set(re.findall(r"^[a-z0-9][^\s]*==[^\s]+", read("requirements.lock"), re.MULTILINE)) <= tested


def test_ci_calls_the_targets_that_the_makefile_has() -> None:
    called = re.findall(r"^make (\S+)$", read(".ci/run"), re.MULTILINE)
    assert called == ["lint", "test", "test-all"]
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert {*called, "demo", "bench", "lock"} <= targets
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_make_says_what_is_wrong_without_a_python(tmp_path: Path) -> None:
    environ = {**os.environ, "PATH": "/nonexistent"}
    command = ["/usr/bin/make", "demo", f"VENV={tmp_path / 'venv'}", "SHELL=/bin/sh"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Python 3.11 or newer" in done.stderr


def test_decisions_are_numbered_and_complete() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for path in DECISIONS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: "), path.name
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], path.name


def test_the_data_source_is_provisioned_as_bands_need_it() -> None:
    (source,) = read_yaml("provisioning/datasources/driftband.yaml")["datasources"]
    assert (source["type"], source["uid"], source["url"]) == ("prometheus", "driftband", "$DRIFTBAND_URL")
    assert source["jsonData"]["incrementalQuerying"] is False
    assert {"prometheusType", "prometheusVersion"} <= source["jsonData"].keys()
    assert source["secureJsonData"] == {"httpHeaderValue1": "Bearer $DRIFTBAND_READ_TOKEN"}


def test_alerting_leaves_the_users_policies_alone() -> None:
    files = sorted((ROOT / "provisioning/alerting").glob("*.yaml"))
    found = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")).keys() - {"apiVersion"} for path in files}
    assert found == {
        "contact-point": {"contactPoints"}, "drift": {"groups"}, "driftband": {"groups"}, "itself": {"groups"},
        "messages": {"templates"},
    }  # fmt: skip
    assert "policies" in read_yaml("provisioning/optional/notification-policies.yaml")


def test_compose_publishes_on_loopback_only_and_mounts_what_is_there() -> None:
    services = read_yaml("docker-compose.yml")["services"]
    assert services.keys() == {"backfill", "evidence", "world", "prometheus", "driftband", "grafana"}
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for volume in service.get("volumes", []):
            assert not volume.startswith("./") or (ROOT / volume.split(":")[0]).exists()
    for job in read_yaml("docker/prometheus.yml")["scrape_configs"]:
        (target,) = job["static_configs"][0]["targets"]
        assert target.partition(":")[0] in {"127.0.0.1", *services}
    environment = services["grafana"]["environment"]
    wanted = {f"DRIFTBAND_{name}" for name in ("URL", "READ_TOKEN", "WEBHOOK_SECRET", "DASHBOARDS")}
    assert wanted <= environment.keys()
