"""Alerts in over HTTP: who is believed, what is kept, and that nothing that was answered is lost."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from driftband.model.moment import parse_moment

from .alert_bodies import signed, told, webhook
from .conftest import StartApi
from .driftband_server import DriftbandServer
from .evidence_api import PREFIX, Api, now, refused
from .waiting import until

READ, WRITE = "read-token-0123456789abcdef", "write-token-0123456789abcdef"
SECRET = "webhook-secret-of-dana"
ACCESS = {"read_tokens": [READ], "write_tokens": [WRITE], "webhook_secret": SECRET}


@pytest.fixture(scope="module")
def guarded(start_api: StartApi) -> Api:
    return start_api(READ, access=ACCESS, limits={"body": "64KiB"})


def send(api: Api, body: bytes, headers: dict[str, str] | None = None, source: str = "grafana") -> requests.Response:
    path = f"{api.server.url}{PREFIX}/alerts/{source}"
    return requests.post(path, data=body, headers={"Content-Type": "application/json", **(headers or {})}, timeout=60)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def received(api: Api, source: str) -> float:
    text = requests.get(f"{api.server.url}/metrics", headers=api.headers, timeout=60).text
    (value,) = re.findall(rf'^driftband_alerts_received_total{{source="{source}"}} (\S+)$', text, re.MULTILINE)
    return float(value)


def findings_of(api: Api, service: str) -> list[Any]:
    found = api.get("/findings", kind="alert_firing", state="all", limit=1000)["findings"]
    return [f for f in found if f["identity"].get("service") == service]


def test_a_signed_webhook_becomes_findings_and_its_end_closes_them(guarded: Api) -> None:
    before, began = received(guarded, "grafana"), now()
    firing = webhook(told("Latency", began, service="cart", severity="critical"), told("Errors", began, service="cart"))
    answer = send(guarded, firing, signed(firing, now(), SECRET))
    assert (answer.status_code, answer.json()) == (202, {"queued": 2})
    assert received(guarded, "grafana") == before + 2
    latency = until(lambda: [f for f in findings_of(guarded, "cart") if f["signal"] == "Latency"])[0]
    assert (latency["layer"], latency["severity"], latency["reason"]) == (
        "runtime",
        "critical",
        "Latency: Latency is bad",
    )
    assert latency["evidence"]["link"].startswith("http://grafana.example/")
    assert parse_moment(latency["opened_at"]) == began.replace(microsecond=began.microsecond // 1000 * 1000)
    over = webhook(told("Latency", began, now(), service="cart", severity="critical"))
    assert send(guarded, over, signed(over, now(), SECRET)).status_code == 202
    until(lambda: [f for f in findings_of(guarded, "cart") if f["state"] == "closed"])
    assert len(findings_of(guarded, "cart")) == 2


def test_an_exact_repeat_is_welcome_and_changes_nothing(guarded: Api) -> None:
    body = webhook(told("Latency", now(), service="repeated"))
    headers = signed(body, now(), SECRET)
    assert send(guarded, body, headers).json() == {"queued": 1}
    before = received(guarded, "grafana")
    again = send(guarded, body, headers)
    assert (again.status_code, again.json()) == (202, {"queued": 0})
    assert received(guarded, "grafana") == before
    until(lambda: findings_of(guarded, "repeated"))
    later = signed(body, now(), SECRET)
    later_by_a_second = {**signed(body, parse_moment("2026-01-01T00:00:00Z"), SECRET)}
    assert send(guarded, body, later).status_code == 202
    assert send(guarded, body, later_by_a_second).status_code == 401
    assert len(findings_of(guarded, "repeated")) == 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda _: {},
        lambda _: bearer(WRITE),
        lambda _: bearer(READ),
        lambda body: signed(body, now(), "not-the-secret-of-dana"),
        lambda body: signed(body + b" ", now(), SECRET),
        lambda body: {**signed(body, now(), SECRET), "X-Grafana-Alerting-Timestamp": "0"},
        lambda _: {"X-Grafana-Alerting-Signature": "0" * 64},
        lambda _: {**bearer(WRITE), "X-Grafana-Alerting-Signature": "0" * 64, "X-Grafana-Alerting-Timestamp": "x"},
    ],
)
def test_what_is_not_signed_is_refused_and_changes_nothing(guarded: Api, forge: Any) -> None:
    body = webhook(told("Forged", now(), service="forged"))
    before = received(guarded, "grafana")
    text = refused(send(guarded, body, forge(body)), 401, "X-Grafana-Alerting")
    assert SECRET not in text
    assert received(guarded, "grafana") == before
    assert findings_of(guarded, "forged") == []


def test_without_a_secret_nothing_is_believed(api: Api) -> None:
    body = webhook(told("Forged", now()))
    refused(send(api, body, signed(body, now(), "")), 401, "access.webhook_secret is not set")


def test_alertmanager_shows_a_write_token(guarded: Api) -> None:
    body = webhook(told("Disk", now(), service="disk"))
    for token, status in ((READ, 403), ("no-such-token-0123456789", 401)):
        refused(send(guarded, body, bearer(token), "alertmanager"), status)
    refused(send(guarded, body, signed(body, now(), SECRET), "alertmanager"), 401)
    before = received(guarded, "alertmanager")
    assert send(guarded, body, bearer(WRITE), "alertmanager").json() == {"queued": 1}
    assert received(guarded, "alertmanager") == before + 1
    until(lambda: findings_of(guarded, "disk"))


@pytest.mark.parametrize("body", [b"", b"hunter2", b"{}", b'{"alerts": [{"status": "hunter2"}]}', b"[" * 3000])
def test_malformed_bodies_are_refused_with_their_place(guarded: Api, body: bytes) -> None:
    for source, headers in (("grafana", signed(body, now(), SECRET)), ("alertmanager", bearer(WRITE))):
        text = refused(send(guarded, body, headers, source), 400, "expected")
        assert "hunter2" not in text


def test_oversized_bodies_are_refused_before_they_are_read(guarded: Api) -> None:
    body = b"x" * 70_000
    for source, headers in (("grafana", signed(body, now(), SECRET)), ("alertmanager", bearer(WRITE))):
        refused(send(guarded, body, headers, source), 413, "limits.body")


def test_hostile_labels_come_back_as_text(guarded: Api) -> None:
    hostile = "<img src=x onerror=alert(1)>`$(reboot)`\u202e{{ .Values }}\x00\r\nX-Evil: 1"
    body = webhook(told(hostile, now(), annotations={"summary": hostile}, service="hostile", **{'a b\n"}': hostile}))
    assert send(guarded, body, bearer(WRITE), "alertmanager").status_code == 202
    (finding,) = until(lambda: findings_of(guarded, "hostile"))
    assert "\n" not in finding["reason"]
    assert finding["reason"].startswith("<img src=x onerror=alert(1)>`$(reboot)`")
    found = guarded.instant('driftband_drift{kind="alert_firing", service="hostile"}')
    assert len(found) == 1


@pytest.mark.slow
def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    settings = {"prometheus": {"url": "sample:"}, "store": f"sqlite:///{tmp_path}/ledger.db"}
    bodies = [webhook(*(told(f"A{n}-{m}", now(), service="killed") for m in range(20))) for n in range(10)]
    server = DriftbandServer(tmp_path, **settings)
    with server:
        api = Api(server, settings["store"])  # type: ignore[arg-type]
        for body in bodies[:5]:
            assert send(api, body, source="alertmanager").status_code == 202
        server.kill()
    with DriftbandServer(tmp_path, **settings) as again:
        api = Api(again, settings["store"])  # type: ignore[arg-type]
        for body in bodies:
            assert send(api, body, source="alertmanager").status_code == 202
        found = until(lambda: f if len(f := findings_of(api, "killed")) == 200 else None)
        assert len({f["signal"] for f in found}) == 200
