"""Incidents over HTTP, by the command line and as series: a real service, alerts that open and resolve them."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from driftband.model.finding import Transition
from driftband.store import findings
from driftband.store.database import Database

from .alert_bodies import told, webhook
from .conftest import StartApi
from .evidence_api import Api, now, refused
from .incident_story import finding
from .waiting import until

READ, WRITE = "read-token-0123456789abcdef", "write-token-0123456789abcdef"
FIELDS = {
    "id", "title", "state", "severity", "verdict", "opened_at", "resolved_at", "identity", "owner", "findings", "suspects", "timeline",
}  # fmt: skip
ABSENT = ("GET", "/incidents/nothing"), ("POST", "/incidents/nothing/ack"), ("POST", "/incidents/nothing/resolve")


@pytest.fixture(scope="module")
def api(start_api: StartApi) -> Api:
    return start_api(incidents={"resolve_after": "1s", "reopen_within": "10m"})


def alert(api: Api, service: str, began: datetime, ended: datetime | None = None) -> None:
    body = webhook(told("Latency", began, ended, service=service, severity="critical", team="payments"))
    assert api.post("/alerts/alertmanager", body).status_code == 202


def of(api: Api, service: str, **arguments: Any) -> Any:
    found = api.get("/incidents", **arguments)["incidents"]
    return next((i for i in found if i["identity"].get("service") == service), None)


def opened(api: Api, service: str) -> tuple[Any, datetime]:
    began = now()
    alert(api, service, began)
    return until(lambda: of(api, service)), began


def test_an_incident_opens_is_acknowledged_and_resolves(api: Api) -> None:
    incident, began = opened(api, "checkout")
    assert incident.keys() >= FIELDS
    assert (incident["state"], incident["severity"], incident["resolved_at"]) == ("open", "critical", None)
    (member,) = incident["findings"]
    assert api.get(f"/findings/{member}")["kind"] == "alert_firing"
    assert incident["timeline"][0].keys() == {"at", "what", "reason"}
    assert api.get(f"/incidents/{incident['id']}") == incident
    answer = api.post(f"/incidents/{incident['id']}/ack", {"by": "dana"})
    assert (answer.status_code, answer.json()["state"], answer.json()["acknowledged_by"]) == (
        200,
        "acknowledged",
        "dana",
    )
    assert api.post(f"/incidents/{incident['id']}/ack", {"by": "kim"}).json()["acknowledged_by"] == "dana"
    assert of(api, "checkout")["state"] == "acknowledged"
    assert of(api, "checkout", state="open") is None
    alert(api, "checkout", began, now())
    over = until(lambda: of(api, "checkout", state="resolved"))
    assert over["id"] == incident["id"]
    assert [e["what"] for e in over["timeline"]][-1] == "resolved"
    assert of(api, "checkout") is None
    assert of(api, "checkout", state="all")["state"] == "resolved"
    refused(api.post(f"/incidents/{incident['id']}/ack", {}), 409, "resolved already")


def test_a_person_resolves_also_without_a_body(api: Api) -> None:
    incident, _ = opened(api, "orders")
    over = api.post(f"/incidents/{incident['id']}/resolve", b"").json()
    assert (over["state"], over["timeline"][-1]["reason"]) == ("resolved", "resolved by somebody")
    assert api.post(f"/incidents/{incident['id']}/resolve", {"by": "kim"}).json() == over


def test_the_series_follow(api: Api) -> None:
    incident, _ = opened(api, "cart")
    selector = '{service="cart"}'
    ((labels, value),) = api.instant(f"driftband_incident{selector}")
    wanted = {"incident", "title", "severity", "verdict", "url", "service"}
    assert (labels.keys() >= wanted, labels["incident"], value) == (True, incident["id"], 1.0)
    assert labels["url"] == f"{api.server.url}/incidents/{incident['id']}"
    ((info, one),) = api.instant(f"driftband_incident_info{selector}")
    assert (info["state"], info["incident"], one) == ("open", incident["id"], 1.0)
    before = now()
    time.sleep(0.01)
    api.post(f"/incidents/{incident['id']}/ack", {"by": "dana"})
    ((after, _),) = api.instant(f"driftband_incident_info{selector}")
    assert after == {**info, "state": "acknowledged"}
    ((past, _),) = api.instant(f"driftband_incident_info{selector}", before)
    assert past == info
    assert api.instant(f"driftband_incident{selector}") == [(labels, 1.0)]
    joined = api.instant(f"driftband_incident{selector} * on (incident) group_left (state) driftband_incident_info")
    assert [la["state"] for la, _ in joined] == ["acknowledged"]
    api.post(f"/incidents/{incident['id']}/resolve", {"by": "dana"})
    assert api.instant(f"driftband_incident{selector}") == []
    ((over, _),) = api.instant(f"driftband_incident_info{selector}")
    assert over["state"] == "resolved"


@pytest.mark.parametrize(("method", "path"), ABSENT)
def test_what_is_not_there_is_not_found(api: Api, method: str, path: str) -> None:
    refused(api.ask(method, path, data=b"{}" if method == "POST" else None), 404, "no incident")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/incidents?state=closed", "state must be one of open, acknowledged, resolved, all"),
        ("/incidents?severity=bad", "severity must be one of"),
        ("/incidents?limit=0", "limit must be"),
        ("/incidents?cursor=x", "cursor must be"),
        ("/incidents?nothing=1", "there is no argument 'nothing'"),
        ("/notifications?state=lost", "state must be one of waiting, sent, dead"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(api: Api, path: str, word: str) -> None:
    refused(api.ask("GET", path), 400, word)


@pytest.mark.parametrize("body", [b"[]", b"hunter2", b'{"by": 7}', b'{"who": "dana"}'])
def test_bodies_that_mean_nothing_are_refused(api: Api, body: bytes) -> None:
    assert "hunter2" not in refused(api.post("/incidents/nothing/ack", body), 400)


@pytest.mark.parametrize("body", [{}, {"id": "x", "all": True}, {"all": False}, {"all": "yes"}, {"id": 7}])
def test_retrying_wants_an_id_or_all(api: Api, body: Any) -> None:
    refused(api.post("/notifications/retry", body), 400)


def test_nothing_is_owed_where_nobody_is_to_be_told(api: Api) -> None:
    assert api.get("/notifications") == {"notifications": [], "next": None}
    assert api.post("/notifications/retry", {"all": True}).json() == {"retried": 0}
    refused(api.post("/notifications/retry", {"id": "x"}), 404, "no notification")


def test_writing_wants_a_write_token(start_api: StartApi) -> None:
    guarded = start_api(READ, access={"read_tokens": [READ], "write_tokens": [WRITE]})
    assert guarded.get("/incidents") == {"incidents": [], "next": None}
    for path in ("/incidents/x/ack", "/incidents/x/resolve", "/notifications/retry"):
        refused(guarded.post(path, {}), 403, "does not allow to write")
    writer = {"Authorization": f"Bearer {WRITE}"}
    refused(guarded.ask("GET", "/incidents", headers=writer), 403)
    refused(guarded.ask("POST", "/incidents/x/ack", headers=writer), 404)


@pytest.mark.slow
def test_lists_come_in_pages(start_api: StartApi) -> None:
    api = start_api()
    database = Database(api.store)
    with database.write() as connection:
        for number in range(5):
            made = finding(f"s{number}", now())
            opened = Transition(finding=made.id, at=made.opened_at, state="open", class_="drift", reason="so")
            findings.save(connection, [made], [opened])
    database.close()
    until(lambda: sum(len(i["findings"]) for i in api.get("/incidents")["incidents"]) == 5)
    seen, cursor = list[str](), None
    while True:
        page = api.get("/incidents", limit=2, cursor=cursor)
        seen += [i["id"] for i in page["incidents"]]
        if (cursor := page["next"]) is None:
            break
    assert sorted(seen) == sorted(i["id"] for i in api.get("/incidents")["incidents"])


@pytest.fixture
def driftband(api: Api) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "driftband", *arguments]
        environ = {"PATH": "/usr/bin:/bin", "DRIFTBAND_URL": api.server.url}
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    return run


@pytest.mark.slow
def test_the_command_line_lists_shows_acknowledges_and_resolves(
    api: Api, driftband: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    incident, _ = opened(api, "payment")
    listed = driftband("incidents", "list")
    assert listed.returncode == 0, listed.stderr
    assert any(incident["id"] in line and "open, critical" in line for line in listed.stdout.splitlines())
    as_json = json.loads(driftband("incidents", "list", "--state", "all", "--json").stdout)
    assert incident["id"] in [i["id"] for i in as_json["incidents"]]
    shown = driftband("incidents", "show", incident["id"])
    assert "service: payment" in shown.stdout
    assert incident["findings"][0] in shown.stdout
    done = driftband("incidents", "ack", incident["id"], "--by", "dana")
    assert "acknowledged: by dana" in done.stdout
    over = json.loads(driftband("incidents", "resolve", incident["id"], "--json").stdout)
    assert over["state"] == "resolved"
    late = driftband("incidents", "ack", incident["id"])
    assert (late.returncode, "resolved already" in late.stderr) == (1, True)
    absent = driftband("incidents", "show", "../../findings")
    assert (absent.returncode, "404" in absent.stderr) == (1, True)


@pytest.mark.slow
def test_the_command_line_lists_and_retries_notifications(
    driftband: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert driftband("notifications", "list", "--state", "dead").stdout == "there are none\n"
    assert driftband("notifications", "retry", "--all").stdout == "0 to be tried again\n"
    for arguments in ((), ("x", "--all")):
        wrong = driftband("notifications", "retry", *arguments)
        assert (wrong.returncode, "give the ID of a dead notification, or --all" in wrong.stderr) == (1, True)
    assert driftband("notifications", "retry", "x").returncode == 1
    nowhere = driftband("incidents", "list", "--server", "ftp://x")
    assert (nowhere.returncode, "DRIFTBAND_URL" in nowhere.stderr) == (1, True)
