"""The verbs of CI against a strict server on a real socket: exit codes, what is sent, what is said, what is kept."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from driftband import cli

from .stand_in import TOKEN, Reply, StandIn

CAPTURES = Path(__file__).parents[2] / "captures"
DRIFTED = CAPTURES / "b_attr_drift/plan.json"
CANARIES = (b"pgadmin", b"hunter2", b"VCgJIVHXZKYf8", b"md5359885b1dcdeb732e10bfe1a1118e2db", TOKEN.encode())
NOWHERE = "http://127.0.0.1:9"
FINDING = {
    "id": "f1", "layer": "configuration", "kind": "attribute_changed", "class": "drift", "state": "open", "severity": "warning",
    "address": 'module.role["orders"].postgresql_role.this', "opened_at": "2026-11-24T10:00:00Z",
    "window_from": "2026-11-24T09:00:00Z", "actor": "dana",
    "attributes": [
        {"path": "connection_limit", "before": 20, "after": 3, "sensitive": False},
        {"path": "password", "sensitive": True},
    ],
    "evidence": {"query": None, "link": "https://driftband.example/findings/f1"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILD_TAG", "DRIFTBAND_URL", "DRIFTBAND_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def run(server: StandIn | str, *arguments: object, stdin: bytes | None = None, **environ: str) -> Result:
    url = server if isinstance(server, str) else server.url
    result = CliRunner().invoke(
        cli.main,
        [str(argument) for argument in arguments],
        env={"DRIFTBAND_URL": url, "DRIFTBAND_TOKEN": TOKEN, **environ},
        input=stdin,
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    no_canary(result.stdout_bytes + result.stderr_bytes)
    return result


def no_canary(content: bytes) -> None:
    for canary in CANARIES:
        assert canary not in content, canary


def wait(server: StandIn | str) -> str:
    return "200ms" if server == NOWHERE else "30s"


def report(server: StandIn | str, file: object = DRIFTED, *arguments: object, **more: Any) -> Result:
    return run(server, "drift", "report", file, "--workspace", "prod/db", "--wait", wait(server), *arguments, **more)


def test_a_report_is_redacted_sent_and_told(stand_in: StandIn) -> None:
    stand_in.status, stand_in.findings = "drifted", [FINDING]
    result = report(stand_in, DRIFTED, "--lineage", "l", "--serial", "7", "--commit", "9f3c2a1")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "prod/db: drift in 1 resource",
        '- module.role["orders"].postgresql_role.this: attribute changed (warning)',
        "  . connection_limit: 20 -> 3",
        "  . password: changed (sensitive)",
        "  since 2026-11-24T10:00:00Z (not yet at 2026-11-24T09:00:00Z), by dana",
        "  https://driftband.example/findings/f1",
        f"{stand_in.url}/driftband/v1/findings?workspace=prod%2Fdb",
    ]
    ((path, query, body),) = stand_in.taken
    assert path == "/driftband/v1/drift-reports"
    assert {name: query[name] for name in ("workspace", "lineage", "serial", "commit")} == {
        "workspace": "prod/db", "lineage": "l", "serial": "7", "commit": "9f3c2a1",
    }  # fmt: skip
    no_canary(body)
    assert {item["address"] for item in json.loads(body)["resource_drift"]}


@pytest.mark.parametrize("capture", sorted(path.name for path in CAPTURES.iterdir() if (path / "plan.json").exists()))
def test_no_secret_of_a_capture_is_sent_kept_or_said(stand_in: StandIn, capture: str, tmp_path: Path) -> None:
    schema = CAPTURES / "m_misc/providers_schema.json"
    for name in ("plan.json", "stream.jsonl"):
        report(stand_in, CAPTURES / capture / name, "--schema", schema)
        report(NOWHERE, CAPTURES / capture / name, "--schema", schema, "--spool", tmp_path / "spool", "--json")
        record(NOWHERE, "--plan", CAPTURES / capture / "plan.json", "--spool", tmp_path / "spool")
    assert len(stand_in.taken) == 2
    for _, _, body in stand_in.taken:
        no_canary(body)
    no_canary((tmp_path / "spool").read_bytes())


def test_the_same_file_twice_is_one_run_and_the_key_can_be_given(stand_in: StandIn) -> None:
    for arguments in ((), (), ("--run", "mine")):
        assert report(stand_in, DRIFTED, *arguments).exit_code == 0
    keys = [query["run"] for _, query, _ in stand_in.taken]
    assert keys[0] == keys[1] != keys[2] == "mine"


def test_a_report_comes_from_stdin_too(stand_in: StandIn) -> None:
    assert report(stand_in, "-", stdin=DRIFTED.read_bytes()).exit_code == 0
    report(stand_in)
    assert stand_in.taken[0] == stand_in.taken[1]


@pytest.mark.parametrize(
    ("status", "findings", "code"),
    [
        ("clean", [], 0), ("drifted", [FINDING], 2), ("partial", [FINDING], 2), ("partial", [], 1),
        ("failed", [], 1), ("locked", [], 1), ("suspect", [], 1),
    ],
)  # fmt: skip
def test_exit_codes(stand_in: StandIn, status: str, findings: list[dict[str, Any]], code: int) -> None:
    stand_in.status, stand_in.findings = status, findings
    result = report(stand_in)
    assert (result.exit_code, result.stderr) == (code, "")
    assert report(stand_in, DRIFTED, "--json").exit_code == code


def test_json_is_the_servers_answer(stand_in: StandIn) -> None:
    stand_in.status, stand_in.findings = "drifted", [FINDING]
    answer = json.loads(report(stand_in, DRIFTED, "--json").stdout)
    assert (answer["run"]["status"], answer["findings"]) == ("drifted", [FINDING])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b'{"format_version": "2.0"}',
        b'{"a": 1}',
        b"\xff\xfe",
        DRIFTED.read_bytes()[:-9],
        b"[" * 99_999,
    ],
    ids=["empty", "text", "list", "major", "else", "binary", "cut", "deep"],
)
def test_refused_input_is_an_error_and_nothing_is_sent_or_kept(
    stand_in: StandIn, content: bytes, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(content)
    result = report(stand_in, bad, "--spool", tmp_path / "spool")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{bad}: " in result.stderr
    assert stand_in.requests == []
    assert not (tmp_path / "spool").exists()


def test_a_file_that_is_not_there_or_too_large_is_told(stand_in: StandIn, tmp_path: Path) -> None:
    assert "nowhere.json: No such file" in report(stand_in, "nowhere.json").stderr
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(300 << 20)
    result = report(stand_in, tmp_path / "huge")
    assert result.exit_code == 1
    assert "larger than 256 MiB" in result.stderr


def test_a_report_that_the_server_refuses_is_an_error_that_says_why(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.replies = [Reply(status=409, body={"title": "Conflict", "detail": "another body under this run key"})]
    result = report(stand_in, DRIFTED, "--spool", tmp_path / "spool")
    assert result.exit_code == 1
    assert "not reported: the server refuses this (409): Conflict: another body under this run key" in result.stderr
    assert not (tmp_path / "spool").exists()


def test_without_a_server_a_report_fails_or_is_kept_and_judged_by_itself(stand_in: StandIn, tmp_path: Path) -> None:
    result = report(NOWHERE)
    assert result.exit_code == 1
    assert "not reported: the server at DRIFTBAND_URL cannot be reached" in result.stderr
    spool = tmp_path / "spool"
    for capture, code in (("b_attr_drift", 2), ("a_clean_refresh_only", 0), ("g1_provider_unreachable", 1)):
        kept = report(NOWHERE, CAPTURES / capture / "plan.json", "--spool", spool)
        assert kept.exit_code == code, capture
        assert f"kept in {spool}" in kept.stderr
    assert "connection_limit: 20 -> 3" in report(NOWHERE, DRIFTED, "--spool", spool).stdout
    assert json.loads(report(NOWHERE, DRIFTED, "--spool", spool, "--json").stdout)["spooled"] is True
    sent = report(stand_in, CAPTURES / "h_state_locked/stream.jsonl", "--spool", spool)
    assert f"sent 5 from {spool}" in sent.stderr
    assert len(stand_in.taken) == 6
    assert not spool.exists()


def test_a_hostile_report_gives_no_commands_to_the_terminal_or_the_ci(stand_in: StandIn) -> None:
    stand_in.status = "drifted"
    stand_in.findings = [
        {
            **FINDING,
            "address": "::set-output name=x::y",
            "attributes": [{"path": "\x1b]0;x\x07", "before": "\x1b[2J", "after": "\n::error::"}],
        }
    ]
    for line in report(stand_in).stdout.splitlines():
        assert line.isprintable()
        assert not line.lstrip().startswith("::")


def record(server: StandIn | str, *arguments: object, **environ: str) -> Result:
    return run(server, "change", "record", "--wait", wait(server), *arguments, **environ)


APPLY = ("--plan", CAPTURES / "e_normal_plan_drift_and_changes/plan.json")
GITHUB = {
    "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/infra", "GITHUB_RUN_ID": "4711",
    "GITHUB_SHA": "9f3c2a1b9f3c2a1b9f3c2a1b9f3c2a1b9f3c2a1b", "GITHUB_ACTOR": "dana",
}  # fmt: skip


def test_an_apply_is_recorded_with_what_the_ci_tells(stand_in: StandIn) -> None:
    log = CAPTURES / "l_apply_stream/apply_ok_12s.jsonl"
    result = record(stand_in, "--apply-log", log, "--workspace", "prod/db", **GITHUB)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("recorded github-4711-1:terraform_apply:prod/db: terraform_apply, succeeded; ")
    change = json.loads(stand_in.taken[0][2])
    assert (change["commit"], change["actor"]) == (GITHUB["GITHUB_SHA"], "dana")
    assert change["url"] == "https://github.com/acme/infra/actions/runs/4711/attempts/1"
    assert change["started_at"] < change["ended_at"]
    assert change["resources"]
    record(stand_in, "--apply-log", log, "--workspace", "prod/db", **GITHUB)
    assert stand_in.taken[0] == stand_in.taken[1]


def test_a_plan_tells_the_values_and_no_secret(stand_in: StandIn) -> None:
    assert record(stand_in, *APPLY, "--id", "1").exit_code == 0
    ((_, _, body),) = stand_in.taken
    no_canary(body)
    assert '"path":"connection_limit","before":3,"after":25' in body.decode()


def test_the_versions_of_installed_modules_are_told(stand_in: StandIn, tmp_path: Path) -> None:
    place = tmp_path / "stack/.terraform/modules"
    place.mkdir(parents=True)
    (place / "modules.json").write_text('{"Modules": [{"Key": "", "Dir": "."}, {"Key": "role", "Version": "1.2.3"}]}')
    record(stand_in, *APPLY, "--directory", tmp_path / "stack", "--id", "1")
    touched = json.loads(stand_in.taken[0][2])["resources"]
    assert {item["module_version"] for item in touched if item["module"] == "role"} == {"1.2.3"}


def test_a_failed_apply_is_recorded_as_failed(stand_in: StandIn) -> None:
    record(stand_in, "--apply-log", CAPTURES / "l2_apply_errored/apply.jsonl", "--id", "1")
    assert json.loads(stand_in.taken[0][2])["status"] == "failed"


def test_a_deployment_is_recorded(stand_in: StandIn) -> None:
    result = record(
        stand_in, "--kind", "deploy", "--id", "d1", "--identity", "service=checkout", "--identity", "env=a=b", "--actor", "erin",
        "--started-at", "2026-11-24T11:00:00+01:00", "--ended-at", "2026-11-24T10:05:00Z", "--status", "failed", "--json",
    )  # fmt: skip
    assert result.exit_code == 0
    change = json.loads(stand_in.taken[0][2])
    assert change == {
        "id": "d1", "kind": "deploy", "status": "failed", "actor": "erin", "identity": {"service": "checkout", "env": "a=b"},
        "started_at": "2026-11-24T10:00:00Z", "ended_at": "2026-11-24T10:05:00Z",
    }  # fmt: skip
    assert json.loads(result.stdout) == change


def test_an_apply_does_not_fail_for_a_server_that_is_away_unless_asked(tmp_path: Path) -> None:
    result = record(NOWHERE, *APPLY)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "the change was not recorded: the server at DRIFTBAND_URL cannot be reached" in result.stderr
    assert record(NOWHERE, *APPLY, "--strict").exit_code == 1
    spool = tmp_path / "spool"
    kept = record(NOWHERE, *APPLY, "--spool", spool)
    assert kept.exit_code == 0
    assert f"kept in {spool}" in kept.stderr
    assert record(NOWHERE, *APPLY, "--spool", spool, "--strict").exit_code == 1
    assert json.loads(record(NOWHERE, *APPLY, "--spool", spool, "--json").stdout)["recorded"] is False
    no_canary(spool.read_bytes())
    assert record(NOWHERE, *APPLY, "--spool", tmp_path / "no/folder").exit_code == 0


def test_what_the_server_refuses_is_always_an_error(stand_in: StandIn) -> None:
    stand_in.replies = [Reply(status=400, body={"title": "Bad Request", "detail": "started_at is in the future"})]
    result = record(stand_in, "--kind", "deploy")
    assert result.exit_code == 1
    assert "not recorded: the server refuses this (400): Bad Request: started_at is in the future" in result.stderr
    assert record(stand_in, "--kind", "deploy", DRIFTBAND_TOKEN="another").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["change", "record", "--identity", "x"], "--identity: expected NAME=VALUE"),
        (["change", "record", "--started-at", "yesterday"], "--started-at: expected an RFC 3339 time"),
        (
            ["change", "record", "--started-at", "2026-11-24T10:00:00Z", "--ended-at", "2026-11-24T09:00:00Z"],
            "must not be before",
        ),
        (["change", "record", "--apply-log", "/dev/null"], "the document is empty"),
        (["change", "record", "--wait", "0s"], "--wait: expected more than 0s"),
        (["change", "record", "--wait", "soon"], "--wait: expected a duration"),
        (["drift", "scan", "nowhere", "--workspace", "w"], "nowhere is not a directory"),
        (["drift", "scan", ".", "--workspace", "w", "--timeout", "x"], "--timeout: expected a duration"),
        (["change", "record", "--server", "ftp://x"], "DRIFTBAND_URL or --server: expected http"),
        (["change", "record", "--server", "http://dana:hunter22@x"], "must not carry user:password"),
        (["tags"], "give --workspace or --identity"),
        (["tags", "--identity", "service=" + "x" * 300], "longer than 256"),
    ],
)
def test_wrong_usage_is_told(stand_in: StandIn, arguments: list[str], message: str) -> None:
    result = run(stand_in, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert stand_in.requests == []


def test_a_server_must_be_named_unless_there_is_a_spool(tmp_path: Path) -> None:
    result = run("", "change", "record", "--kind", "deploy")
    assert result.exit_code == 1
    assert "no server is named: set DRIFTBAND_URL" in result.stderr
    kept = run("", "change", "record", "--kind", "deploy", "--spool", tmp_path / "spool")
    assert kept.exit_code == 0
    assert "no server is named (DRIFTBAND_URL); kept in" in kept.stderr


def test_tags_are_written(stand_in: StandIn) -> None:
    result = run(
        stand_in, "tags", "--workspace", "prod/db", "--identity", "service=checkout", "--format", "otel", **GITHUB
    )
    assert result.stdout == (
        f"OTEL_RESOURCE_ATTRIBUTES=service.name=checkout,driftband.workspace=prod/db,vcs.ref.head.revision={GITHUB['GITHUB_SHA']}\n"
    )
    everything = run(stand_in, "tags", "--workspace", "prod/db").stdout
    assert [
        line for line in everything.splitlines() if line in {"# terraform", "# otel", "# prometheus", "# kubernetes"}
    ]
    assert "driftband_commit" not in run(stand_in, "tags", "--workspace", "w", "--format", "terraform", **GITHUB).stdout
    document = json.loads(run(stand_in, "tags", "--workspace", "prod/db", "--commit", "abc1234", "--json").stdout)
    assert document["terraform"]["tags"] == {"driftband_workspace": "prod/db", "driftband_commit": "abc1234"}
    assert stand_in.requests == []


def test_the_version_does_not_wait_for_what_the_verbs_need() -> None:
    heavy = {"requests", "pandas", "numpy", "flask", "sqlalchemy", "yaml", "msgspec", "pydantic"}
    script = f"import driftband.cli, sys; sys.exit(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() in {"", "[]"}
