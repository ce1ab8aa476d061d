"""No secret of the captures comes out anywhere: what is kept, shown, logged, answered, spooled or said of an error."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import create_engine, text

from .evidence_api import CAPTURES, Api, E, H, StartApi, capture, refused

pytestmark = pytest.mark.slow  # all captures are told to every kind of store

PLANS = sorted(CAPTURES.glob("*/plan.json"))
STREAMS = sorted(CAPTURES.glob("*/stream.jsonl"))
APPLIES = sorted(CAPTURES.glob("*/*apply*.jsonl"))
WAYS = (
    "/drift-reports", "/inventory", "/changes", "/audit-events", "/hooks/atlantis", "/hooks/hcp-terraform", "/ignores",
)  # fmt: skip
STATES = [CAPTURES / "m_misc" / name for name in ("show_state.json", "state_pull.json")]


def _canaries() -> set[str]:
    """Return the secrets of the captures: those that the README names, and what Terraform itself calls sensitive."""
    found = {"pgadmin", "hunter2", "359885b1dcdeb732e10bfe1a1118e2db"}
    for path in PLANS:
        plan = json.loads(path.read_bytes())
        found |= {plan["output_changes"]["app_password"]["after"], plan["variables"]["pg_password"]["value"]}
        for resource in plan["prior_state"]["values"]["root_module"]["resources"]:
            if resource["type"] == "random_password":
                found |= {resource["values"]["result"], resource["values"]["bcrypt_hash"]}
    return found


CANARIES = _canaries()


def _leaks(content: bytes) -> list[str]:
    forms = {
        canary: {
            canary.encode(),
            json.dumps(canary)[1:-1].encode(),
            quote(canary, safe="").encode(),
            base64.b64encode(canary.encode()).rstrip(b"="),
        }
        for canary in CANARIES
    }
    return [canary for canary, written in forms.items() if any(form in content for form in written)]


@pytest.fixture(scope="module")
def told(start_api: StartApi) -> Api:
    """Return a service that has been told all of the captures, whole and broken, and that has failed besides."""
    api = start_api()
    for path in (*PLANS, *STREAMS, *APPLIES, *STATES):
        body, workspace = path.read_bytes(), f"told/{path.parent.name}"
        broken = {
            "whole": body,
            "truncated": body[: len(body) // 2],
            "late": body[:-3],
            "wrong version": body.replace(b'"format_version":"1.2"', b'"format_version":"pgadmin"'),
            "wrong type": body.replace(b'"pgadmin"', b'["pgadmin"]').replace(
                b'"mode":"managed"', b'"mode":{"pgadmin":1}'
            ),
            "in an object": json.dumps({"plan": body.decode()}).encode(),
            "not UTF-8": body + b"\xff",
        }
        for name, content in broken.items():
            for way in WAYS:
                about = {"workspace": f"{workspace}/{name}"} if way in ("/drift-reports", "/inventory") else {}
                answer = api.post(way, content, **about)
                assert answer.status_code < 500, answer.text
                assert _leaks(answer.content) == [], (path, name, way)
    _fail(api)
    return api


def _fail(api: Api) -> None:
    """Have the service fail in the middle of a report."""
    engine = create_engine(api.store)
    with engine.begin() as connection:
        connection.execute(text("alter table transitions rename to hidden"))
    for path in PLANS:
        answer = api.post("/drift-reports", path.read_bytes(), workspace=f"failed/{path.parent.name}")
        if answer.status_code != 201:
            refused(answer, 503 if "sqlite" in api.store else 500, "its log tells")
            assert (answer.status_code == 503) == ("Retry-After" in answer.headers)
        assert _leaks(answer.content) == []
    with engine.begin() as connection:
        connection.execute(text("alter table hidden rename to transitions"))
    engine.dispose()
    assert "request failed" in api.server.log.read_text()


def test_the_store_keeps_none(told: Api, request: pytest.FixtureRequest) -> None:
    if told.store.startswith("sqlite"):
        file = Path(told.store.removeprefix("sqlite:///"))
        kept = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    else:
        kept = request.getfixturevalue("postgres").dump(told.store)
    assert b"connection_limit" in kept
    assert _leaks(kept) == []


def test_the_log_has_none_even_of_failures(told: Api) -> None:
    log = told.server.log.read_bytes()
    assert b"Traceback" in log
    assert _leaks(log) == []
    assert b"connection_limit" not in log


def test_no_answer_has_one(told: Api) -> None:
    paths = ["/findings?state=all&limit=1000", "/runs?limit=1000", "/changes?limit=1000", "/ignores"]
    paths += [f"/inventory?workspace=told/{path.parent.name}/whole" for path in (*PLANS, *STATES)]
    paths += [f"/findings/{finding['id']}" for finding in told.get("/findings", state="all", limit=1000)["findings"]]
    for path in paths:
        answer = told.ask("GET", path)
        assert answer.status_code == 200
        assert _leaks(answer.content) == [], path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metrics",
        "/readyz",
        "/api/v1/labels",
        "/api/v1/series?match[]=driftband_drift",
        "/api/v1/series?match[]=driftband_change",
        "/api/v1/label/summary/values",
        "/api/v1/label/address/values",
        "/api/v1/query?query=driftband_drift",
        "/api/v1/query?query=driftband_change",
        "/api/v1/query?query=driftband_resource_info",
        "/api/v1/query?query=driftband_identity_info",
        "/api/v1/query?query=driftband_scan_status",
    ],
)
def test_no_page_metric_or_label_has_one(told: Api, path: str) -> None:
    answer = requests.get(told.server.url + path, timeout=60)
    assert answer.status_code == 200
    assert _leaks(answer.content) == []


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "driftband", *arguments, "--wait", "1s", "--spool", str(folder / "spool")]
    environ = {"PATH": "/usr/bin:/bin", "DRIFTBAND_URL": "http://127.0.0.1:9"}
    return subprocess.run(command, env=environ, cwd=folder, capture_output=True, timeout=120, check=False)


def test_the_command_line_and_its_spool_have_none(tmp_path: Path) -> None:
    truncated = tmp_path / "plan.json"
    truncated.write_bytes(capture(E)[:9_000])
    report = ("drift", "report", "--workspace", "w")
    said = [_run(tmp_path, *report, str(path)) for path in (*PLANS, CAPTURES / H / "stream.jsonl", truncated)]
    for log in APPLIES:
        record = (
            "change",
            "record",
            "--workspace",
            "w",
            "--plan",
            str(CAPTURES / E / "plan.json"),
            "--apply-log",
            str(log),
        )
        said.append(_run(tmp_path, *record, "--json"))
    spooled = (tmp_path / "spool").read_bytes()
    assert spooled.count(b"\n") == len(said) - 1
    assert b"connection_limit" in spooled
    bodies = [json.loads(line) for line in spooled.splitlines()]
    for content in (spooled, json.dumps(bodies).encode(), *(done.stdout + done.stderr for done in said)):
        assert _leaks(content) == []
    for line in bodies:
        for value in line.values():
            if isinstance(value, str) and len(value) > 100:
                assert _leaks(_unpacked(value)) == []


def _unpacked(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        return value.encode()
