"""The verbs as a shell sees them: exit codes, what goes to stdout, what goes to stderr."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from driftband import cli

GOOD = "prometheus: {url: 'http://dana:hunter22-of-dana@127.0.0.1:9'}\naccess: {read_tokens: [hunter22-of-the-file]}\n"
BAD = "prometheus: {url: 'sample:'}\nbands:\n  stepp: 5m\naccess: {read_tokens: [hunter22]}\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", "LISTEN", "PROMETHEUS__URL"):
        monkeypatch.delenv(f"DRIFTBAND_{name}", raising=False)


def run(*arguments: str, **environ: str) -> Result:
    result = CliRunner().invoke(cli.main, list(arguments), env=environ)
    assert "Traceback" not in result.output
    assert "hunter22" not in result.output
    return result


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Any) -> None:
    module = ModuleType(name)
    vars(module).update(functions)
    parent, _, child = name.rpartition(".")
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(importlib.import_module(parent), child, module, raising=False)


def test_the_version_is_printed() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("driftband ")


@pytest.mark.parametrize("arguments", [["no-such-verb"], ["serve", "--no-such-option"], ["dashboards", "build", "x"]])
def test_wrong_usage_is_an_error_and_not_drift(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Usage: " in result.stderr


def test_the_effective_configuration_is_printed_without_secrets() -> None:
    Path("mine.yaml").write_text(GOOD)
    result = run("check-config", "--config", "mine.yaml", DRIFTBAND_BANDS__STEP="1m")
    assert result.exit_code == 0
    shown = yaml.safe_load(result.stdout)
    assert shown["bands"]["step"] == "1m"
    assert shown["prometheus"]["url"] == "http://127.0.0.1:9"
    assert shown["prometheus"]["basic_auth"] == {"username": "<secret>", "password": "<secret>"}
    as_json = run("check-config", "--config", "mine.yaml", "--json", DRIFTBAND_BANDS__STEP="1m")
    assert json.loads(as_json.stdout) == {"status": "ok", "config": shown}


@pytest.mark.parametrize("verb", ["check-config", "serve"])
def test_all_that_is_wrong_with_the_configuration_is_printed(verb: str) -> None:
    Path("bad.yaml").write_text(BAD)
    result = run(verb, "--config", "bad.yaml")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert 'bad.yaml:3: bands.stepp: unknown key; did you mean "step"?' in result.stderr
    assert "bad.yaml:4: access.read_tokens[0]: expected at least 16 characters" in result.stderr


def test_problems_are_printed_as_json() -> None:
    Path("bad.yaml").write_text(BAD)
    result = run("check-config", "--config", "bad.yaml", "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["status"] == "error"
    assert {
        "origin": "bad.yaml:3",
        "path": "bands.stepp",
        "message": 'unknown key; did you mean "step"?',
    } in answer["problems"]


@pytest.mark.parametrize("how", ["option", "variable", "default"])
def test_the_file_is_the_named_one_or_the_usual_one(how: str) -> None:
    name = "driftband.yaml" if how == "default" else "other.yaml"
    Path(name).write_text("prometheus: {url: 'sample:'}\nlisten: 127.0.0.1:1234\n")
    result = run(
        "check-config",
        *(["--config", name] if how == "option" else []),
        **({"DRIFTBAND_CONFIG": name} if how == "variable" else {}),
    )
    assert yaml.safe_load(result.stdout)["listen"] == "127.0.0.1:1234"


def test_without_a_file_the_environment_is_enough() -> None:
    assert run("check-config", DRIFTBAND_PROMETHEUS__URL="sample:").exit_code == 0
    result = run("check-config")
    assert result.exit_code == 1
    assert "prometheus: is required and missing" in result.stderr


def test_serve_hands_the_configuration_on(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    stand_in(monkeypatch, "driftband.app", serve=served.append)
    Path("driftband.yaml").write_text(GOOD)
    assert run("serve", DRIFTBAND_LISTEN="127.0.0.1:4321").exit_code == 0
    assert [config.port for config in served] == [4321]


def test_demo_hands_the_environment_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    stand_in(monkeypatch, "driftband.app", demo=lambda environ: seen.append(environ["DRIFTBAND_LISTEN"]))
    assert run("demo", DRIFTBAND_LISTEN="127.0.0.1:4321").exit_code == 0
    assert seen == ["127.0.0.1:4321"]


def test_a_bad_environment_of_the_demo_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def demo(environ: dict[str, str]) -> None:
        from driftband.config import load  # noqa: PLC0415

        load(None, {"DRIFTBAND_PROMETHEUS__URL": "sample:", **environ})

    stand_in(monkeypatch, "driftband.app", demo=demo)
    result = run("demo", DRIFTBAND_LISTEN="here")
    assert result.exit_code == 1
    assert "environment DRIFTBAND_LISTEN: listen: expected host:port" in result.stderr


def test_dashboards_are_built_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []
    stale = ["bands.json"]
    stand_in(monkeypatch, "driftband.grafana.dashboards", build=built.append, check=lambda _: stale)
    assert run("dashboards", "build", "--out", "there").exit_code == 0
    assert built == [Path("there")]
    result = run("dashboards", "build", "--check")
    assert result.exit_code == 1
    assert "bands.json" in result.stderr
    stale.clear()
    assert run("dashboards", "build", "--check").exit_code == 0
    assert built == [Path("there")]


def test_dashboards_that_cannot_be_written_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(out: Path) -> None:
        raise PermissionError(13, "Permission denied", str(out))

    stand_in(monkeypatch, "driftband.grafana.dashboards", build=build)
    result = run("dashboards", "build", "--out", "there")
    assert result.exit_code == 1
    assert "there: Permission denied" in result.stderr


def test_the_doctor_fails_on_a_bad_configuration() -> None:
    Path("bad.yaml").write_text(BAD)
    result = run("doctor", "--config", "bad.yaml")
    assert result.exit_code == 1
    assert result.stdout.startswith("fail  configuration: bad.yaml:3: bands.stepp: unknown key")
    assert "-> mend these" in result.stdout


def test_the_doctor_lists_what_it_found() -> None:
    assert run("doctor", DRIFTBAND_PROMETHEUS__URL="sample:").exit_code == 0
    result = run("doctor", "--json", DRIFTBAND_PROMETHEUS__URL="http://dana:hunter22@127.0.0.1:9")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)["findings"]
    assert [(found["name"], found["status"]) for found in findings] == [
        ("configuration", "ok"),
        ("source", "fail"),
        ("store", "ok"),
    ]
    assert findings[1]["message"] == "http://127.0.0.1:9 refuses the connection"
    assert findings[1]["mend"]


def test_starting_imports_nothing_heavy() -> None:
    heavy = {"flask", "grafana_client", "numpy", "pandas", "prophet", "pydantic", "requests", "yaml"}
    code = "import sys, driftband.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "driftband", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("driftband ")
