"""What `driftband grafana install` and `uninstall` ask of a Grafana, say to a person, and never say."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result

from driftband import cli
from driftband.grafana.rules import GROUPS

from .stand_in import Loopback

TOKEN, READ, SECRET = "glsa_hunter22-token", "hunter22-read-token", "hunter22-webhook-secret"
RULES = "/v1/provisioning"
FROM_FILE = "a file that this Grafana mounts"


class Grafana(Loopback):
    """Answers 404 but for what ``answers`` has by method and path. asked: method, path and body of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, Any]] = []

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        what = f"{request.command} {unquote(request.path).partition('?')[0].removeprefix('/api')}"
        self.asked.append((what, json.loads(body) if body else None))
        usual = (404, {"message": "not found"}) if request.command == "GET" else (200, {})
        status, content = self.answers.get(what, usual)
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        request.send_response(status)
        request.send_header("Content-Type", "text/html" if isinstance(content, bytes) else "application/json")
        request.send_header("Content-Length", str(len(sent)))
        request.end_headers()
        request.wfile.write(sent)

    @property
    def written(self) -> list[str]:
        return [what for what, _ in self.asked if not what.startswith("GET ")]


@pytest.fixture(name="grafana")
def _grafana() -> Iterator[Grafana]:
    with Grafana() as grafana:
        yield grafana


def run(grafana: Grafana, *arguments: str, **environ: str) -> Result:
    given = {
        "GRAFANA_URL": grafana.url,
        "GRAFANA_TOKEN": TOKEN,
        "DRIFTBAND_URL": "http://driftband:8088",
        "DRIFTBAND_READ_TOKEN": READ,
        "DRIFTBAND_WEBHOOK_SECRET": SECRET,
    }
    result = CliRunner().invoke(cli.main, ["grafana", *arguments], env={**given, **environ})
    assert "Traceback" not in result.output
    assert "hunter22" not in result.output
    return result


def test_all_is_made_in_order_with_its_secrets(grafana: Grafana) -> None:
    result = run(grafana, "install", "--yes")
    assert result.exit_code == 0, result.output
    assert grafana.written[:4] == [
        "POST /folders",
        "POST /datasources",
        f"PUT {RULES}/templates/driftband",
        f"POST {RULES}/contact-points",
    ]
    groups = [f"PUT {RULES}/folder/driftband/rule-groups/{group.name}" for group in GROUPS]
    assert grafana.written[-len(groups) :] == groups
    assert set(grafana.written[4 : -len(groups)]) == {"POST /dashboards/db"}
    bodies = dict(grafana.asked)
    assert bodies["POST /datasources"]["secureJsonData"] == {"httpHeaderValue1": f"Bearer {READ}"}
    assert bodies["POST /datasources"]["url"] == "http://driftband:8088"
    assert bodies[f"POST {RULES}/contact-points"]["settings"]["hmacConfig"]["secret"] == SECRET
    assert "+ folder driftband: done" in result.output


def test_without_a_terminal_and_without_yes_nothing_is_done(grafana: Grafana) -> None:
    result = run(grafana, "install")
    assert result.exit_code == 1
    assert grafana.written == []
    assert "+ data source driftband" in result.stdout
    assert "nothing was changed: nobody can be asked here; give --yes" in result.stderr


def test_json_shows_the_steps_and_does_none_of_them(grafana: Grafana) -> None:
    result = run(grafana, "install", "--json")
    assert (result.exit_code, grafana.written) == (0, [])
    shown = json.loads(result.stdout)
    assert shown["done"] == 0
    assert shown["steps"][0] == {"action": "create", "kind": "folder", "uid": "driftband", "lines": []}


def test_rules_may_notify_another_contact_point_and_link_to_other_runbooks(grafana: Grafana) -> None:
    run(grafana, "install", "--yes", "--notify", "oncall", "--runbooks", "https://wiki.example/driftband")
    bodies = dict(grafana.asked)
    rules = [r for g in GROUPS for r in bodies[f"PUT {RULES}/folder/driftband/rule-groups/{g.name}"]["rules"]]
    told = {rule["uid"]: rule.get("notification_settings", {}).get("receiver") for rule in rules}
    assert {uid for uid, receiver in told.items() if receiver is None} == {r.uid for r in GROUPS[-1].rules}
    assert set(told.values()) == {None, "oncall"}
    assert all(rule["annotations"]["runbook_url"].startswith("https://wiki.example/driftband/") for rule in rules)


def test_a_data_source_without_a_token_sends_no_header(grafana: Grafana) -> None:
    run(grafana, "install", "--yes", DRIFTBAND_READ_TOKEN="")
    source = dict(grafana.asked)["POST /datasources"]
    assert "secureJsonData" not in source
    assert "httpHeaderName1" not in source["jsonData"]


OTHERS = {
    "data source from a file": (
        {"GET /datasources/uid/driftband": (200, {"uid": "driftband", "readOnly": True, "jsonData": {}})},
        FROM_FILE,
    ),
    "data source of a person": (
        {"GET /datasources/uid/driftband": (200, {"uid": "driftband", "jsonData": {}})},
        "somebody else has made it",
    ),
    "data source of the same name": (
        {"GET /datasources/name/driftband": (200, {"uid": "P1", "jsonData": {}})},
        "a data source of this name is there, with the uid P1",
    ),
    "contact point of the same name": (
        {f"GET {RULES}/contact-points": (200, [{"uid": "x", "name": "driftband", "type": "slack", "settings": {}}])},
        "another contact point of this name",
    ),
    "contact point of a person": (
        {
            f"GET {RULES}/contact-points": (
                200,
                [{"uid": "driftband", "name": "driftband", "type": "slack", "settings": {}, "provenance": "api"}],
            )
        },
        "somebody else has made it",
    ),
    "template of a person": ({f"GET {RULES}/templates/driftband": (200, {"template": ""})}, "made it in Grafana"),
    "dashboard elsewhere": (
        {
            "GET /dashboards/uid/driftband-bands": (
                200,
                {"meta": {"folderUid": "mine"}, "dashboard": {"tags": ["driftband"], "title": "Bands"}},
            )
        },
        "not in the folder driftband",
    ),
    "dashboard from a file": (
        {
            "GET /dashboards/uid/driftband-bands": (
                200,
                {"meta": {"provisioned": True, "folderUid": "f"}, "dashboard": {"tags": ["driftband"]}},
            )
        },
        FROM_FILE,
    ),
    "rules from a file": (
        {
            f"GET {RULES}/alert-rules": (
                200,
                [
                    {
                        "uid": "driftband-limit",
                        "title": "A limit",
                        "ruleGroup": "driftband drift",
                        "folderUID": "f",
                        "labels": {"driftband_rule": "driftband-limit"},
                        "provenance": "file",
                    }
                ],
            )
        },
        FROM_FILE,
    ),
    "rule of a person in our group": (
        {
            f"GET {RULES}/alert-rules": (
                200,
                [
                    {
                        "uid": uid,
                        "title": uid,
                        "ruleGroup": "driftband drift",
                        "folderUID": "driftband",
                        "labels": labels,
                        "provenance": "api",
                    }
                    for uid, labels in (
                        ("driftband-limit", {"driftband_rule": "driftband-limit"}),
                        ("mine", {}),
                    )
                ],
            )
        },
        "it has rules of others, which writing it would remove: mine",
    ),
}


@pytest.mark.parametrize(("answers", "why"), OTHERS.values(), ids=OTHERS)
def test_what_is_not_ours_stops_it_before_anything_is_changed(
    grafana: Grafana, answers: dict[str, Any], why: str
) -> None:
    grafana.answers = answers
    result = run(grafana, "install", "--yes")
    assert result.exit_code == 1
    assert grafana.written == []
    (line,) = [line for line in result.stdout.splitlines() if why in line]
    assert line.startswith("    ")
    assert "nothing was changed" in result.stderr


@pytest.mark.parametrize(("answers", "why"), OTHERS.values(), ids=OTHERS)
def test_what_is_not_ours_is_never_removed(grafana: Grafana, answers: dict[str, Any], why: str) -> None:
    grafana.answers = {**answers, "GET /search": (200, [{"uid": "driftband-bands"}])}
    result = run(grafana, "uninstall", "--yes")
    assert (result.exit_code, grafana.written) == (0, [])
    assert why in result.stdout


def test_a_missing_permission_is_named(grafana: Grafana) -> None:
    said = "You'll need additional permissions to perform this action. Permissions needed: datasources:create"
    grafana.answers["POST /datasources"] = (403, {"message": said, "accessErrorId": "ACE1"})
    result = run(grafana, "install", "--yes")
    assert result.exit_code == 1
    assert grafana.written == ["POST /folders", "POST /datasources"]
    assert "forbids to write the data source (403): the token lacks the permission datasources:create" in result.stderr
    assert "role Admin" in result.stderr


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {"message": "Invalid API key"}), "does not accept the token (401)"),
        ((200, b"<html>a sign-in page</html>"), "answers, but not as Grafana does"),
        ((200, [{"id": 1}]), "answers, but not as Grafana does"),
        ((500, {"message": "database is locked"}), "did not read dashboards (500): database is locked"),
        ((502, b"<html>"), "did not read dashboards (502): its log says why"),
    ],
    ids=["token", "another page", "another API", "failure", "gateway"],
)
def test_what_grafana_says_is_told(grafana: Grafana, answer: tuple[int, Any], said: str) -> None:
    grafana.answers["GET /search"] = answer
    result = run(grafana, "install", "--yes")
    assert (result.exit_code, grafana.written) == (1, [])
    assert said in result.stderr


def test_a_grafana_that_is_not_there_is_told(grafana: Grafana) -> None:
    result = run(grafana, "install", "--yes", "--url", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "Grafana at http://127.0.0.1:9 cannot be reached" in result.stderr


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"GRAFANA_TOKEN": ""}, "set GRAFANA_URL and GRAFANA_TOKEN"),
        ({"GRAFANA_URL": "grafana"}, "GRAFANA_URL or --url: expected http"),
        ({"GRAFANA_TOKEN": "hunter22 x"}, "GRAFANA_TOKEN must be printable ASCII"),
        ({"DRIFTBAND_URL": ""}, "set DRIFTBAND_URL"),
        ({"DRIFTBAND_URL": "driftband:8088"}, "DRIFTBAND_URL or --driftband-url: expected http"),
        ({"DRIFTBAND_WEBHOOK_SECRET": ""}, "set DRIFTBAND_WEBHOOK_SECRET"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(f"{k}={v}" for k, v in value.items()),
)
def test_what_is_not_given_is_named(grafana: Grafana, environ: dict[str, str], said: str) -> None:
    result = run(grafana, "install", **environ)
    assert (result.exit_code, grafana.asked) == (1, [])
    assert said in result.stderr


def test_the_files_are_built_and_checked(tmp_path: Any) -> None:
    def built(*arguments: str) -> Result:
        return CliRunner().invoke(cli.main, ["grafana", "build", "--out", str(tmp_path), *arguments])

    assert built("--check").exit_code == 1
    assert built().exit_code == 0
    assert built("--check").exit_code == 0
    other = built("--check", "--runbooks", "https://wiki.example")
    assert other.exit_code == 1
    assert "run `driftband grafana build`" in other.stderr
    assert "expected http" in built("--runbooks", "wiki").stderr
