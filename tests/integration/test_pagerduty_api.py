"""PagerDuty and a real service: one page, acknowledged and resolved there; and webhooks that are not PagerDuty's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from driftband.model.moment import show_moment

from ..unit.respond.stand_ins import ROUTING_KEY, PagerDuty, Webhook  # noqa: TID252 - strict ones
from ..unit.respond.stand_ins import SECRET as HOOK_SECRET  # noqa: TID252
from ..unit.respond.test_pagerduty_webhook import event, signed  # noqa: TID252
from .alert_bodies import told, webhook
from .evidence_api import PREFIX, Api, now, refused, serving
from .waiting import until

READ, WRITE = "read-token-0123456789abcdef", "write-token-0123456789abcdef"
SECRET = "secret-of-the-subscription"


@pytest.fixture(scope="module")
def pagerduty() -> Iterator[PagerDuty]:
    with PagerDuty() as server:
        yield server


@pytest.fixture(scope="module")
def chat() -> Iterator[Webhook]:
    with Webhook() as server:
        yield server


@pytest.fixture(scope="module")
def api(pagerduty: PagerDuty, chat: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("driftband")
    oncall = {
        "name": "oncall", "type": "pagerduty", "url": pagerduty.url, "routing_key": ROUTING_KEY,
        "webhook_secret": SECRET, "changes": True,
    }  # fmt: skip
    settings: dict[str, Any] = {
        "access": {"read_tokens": [READ], "write_tokens": [WRITE]},
        "limits": {"body": "64KiB"},
        "incidents": {"resolve_after": "1s"},
        "destinations": [oncall, {"name": "chat", "type": "webhook", "url": f"{chat.url}/x", "secret": HOOK_SECRET}],
    }
    with serving(folder, f"sqlite:///{folder}/ledger.db", READ, **settings) as api:
        yield api


def send(api: Api, body: bytes, signature: str | None, **headers: str) -> requests.Response:
    given = {"Content-Type": "application/json", "User-Agent": "PagerDuty-Webhook/V3.0", **headers}
    given |= {"X-PagerDuty-Signature": signature} if signature is not None else {}
    return requests.post(f"{api.server.url}{PREFIX}/hooks/pagerduty", data=body, headers=given, timeout=60)


def done(api: Api, act: str, incident: str, key: str) -> requests.Response:
    document = event(f"incident.{act}", id=key, occurred_at=show_moment(now()))
    document["event"]["data"]["incident_key"] = incident
    body = json.dumps(document).encode()
    return send(api, body, signed(body))


def post(api: Api, path: str, body: bytes) -> None:
    answer = api.ask("POST", path, data=body, headers={"Authorization": f"Bearer {WRITE}"})
    assert answer.status_code in {201, 202}, answer.text


@pytest.mark.slow
def test_one_page_that_is_acknowledged_and_resolved_there(api: Api, pagerduty: PagerDuty, chat: Webhook) -> None:
    change = {"id": "run-4711", "kind": "deploy", "started_at": show_moment(now()), "identity": {"service": "cart"}}
    for status in ("running", "succeeded", "succeeded"):
        answer = api.ask(
            "POST",
            "/changes",
            data=json.dumps({**change, "status": status}).encode(),
            headers={"Authorization": f"Bearer {WRITE}"},
        )
        assert answer.status_code in {200, 201}
    began = now()
    alert = webhook(told("Latency", began, service="cart", severity="critical"))
    post(api, "/alerts/alertmanager", alert)
    (key,) = until(lambda: list(pagerduty.alerts))
    until(lambda: chat.events)
    assert done(api, "acknowledged", key, "e1").json() == {"taken": [key]}
    assert done(api, "acknowledged", key, "e1").json() == {"taken": [key]}
    incident = api.get(f"/incidents/{key}")
    assert (incident["state"], incident["acknowledged_by"]) == ("acknowledged", "Dana Engineer")
    until(lambda: len(chat.events) == 2)
    assert done(api, "resolved", key, "e2").json() == {"taken": [key]}
    until(lambda: len(chat.events) == 3)
    post(api, "/alerts/alertmanager", webhook(told("Latency", began, now(), service="cart", severity="critical")))
    until(lambda: api.get("/findings", state="closed")["findings"])
    until(lambda: api.get("/notifications", state="waiting")["notifications"] == [])
    types = [one["type"] for one in chat.events.values()]
    assert types == [f"driftband.incident.{deed}" for deed in ("opened", "acknowledged", "resolved")]
    assert [asked.json.get("event_action", "change") for asked in pagerduty.asked] == ["change", "trigger"]
    assert [one["payload"]["custom_details"]["change"] for one in pagerduty.changes] == ["run-4711"]
    assert (pagerduty.pages, pagerduty.faults, chat.faults) == (1, [], [])


@pytest.mark.parametrize("signature", [None, "", "v1=" + "0" * 64, "v2=x", signed(b"other"), signed(b"x", HOOK_SECRET)])
def test_what_is_not_signed_is_refused_whatever_token_it_shows(api: Api, signature: str | None) -> None:
    body = json.dumps(event()).encode()
    for headers in ({}, {"Authorization": f"Bearer {WRITE}"}):
        text = refused(send(api, body, signature, **headers), 401, "X-PagerDuty-Signature")
        assert SECRET not in text


@pytest.mark.parametrize("body", [b"", b"hunter2", b"[]", b'{"event": {}}', b'{"event": 7}', b"[" * 3000])
def test_what_is_malformed_is_refused_with_its_place(api: Api, body: bytes) -> None:
    assert "hunter2" not in refused(send(api, body, signed(body)), 400, "expected")


def test_what_is_oversized_is_refused(api: Api) -> None:
    refused(send(api, b"x" * 70_000, signed(b"x" * 70_000)), 413, "limits.body")


def test_what_is_of_another_tool_or_of_no_matter_is_welcome(api: Api) -> None:
    assert done(api, "resolved", "of-another-tool", "e9").json() == {"taken": []}
    ping = json.dumps(event("pagey.ping", data={"message": "Hello", "type": "ping"})).encode()
    assert send(api, ping, signed(ping)).json() == {"taken": []}
