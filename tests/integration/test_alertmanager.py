"""Incidents in a real Alertmanager, which is restarted in between."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest

from driftband.model.incident import Deed
from driftband.model.moment import show_moment
from driftband.model.notification import Notification
from driftband.respond.alertmanager import Alertmanager
from driftband.respond.outcome import Delivered, Failed
from driftband.respond.post import Address
from driftband.respond.sender import Setup

from .alert_bodies import told as alert_body
from .alert_bodies import webhook
from .alertmanager_server import AlertmanagerServer, is_missing
from .evidence_api import serving
from .waiting import until

PAGE = "https://driftband.example"


class Told:
    """What the Alertmanager's webhook told: pairs of status and incident."""

    def __init__(self) -> None:
        told: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                group = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend((alert["status"], alert["labels"]["incident"]) for alert in group["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.told = told
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))


@pytest.fixture
def told() -> Iterator[Told]:
    receiver = Told()
    receiver.thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.thread.join()
    receiver.server.server_close()


@pytest.fixture
def alertmanager(tmp_path: Path, told: Told) -> Iterator[AlertmanagerServer]:
    if is_missing():
        pytest.skip("prometheus-alertmanager is not installed (Debian: apt-get install prometheus-alertmanager)")
    with AlertmanagerServer(tmp_path, f"http://127.0.0.1:{told.server.server_port}/") as server:
        yield server


def message(sequence: int, deed: Deed, now: datetime, **more: Any) -> Notification:
    announced = {"severity": "error", "verdict": "unexplained", "service": "checkout", "title": "slow", "url": "x"}
    incident = {
        "id": "incident-1",
        "title": 'checkout is "slow" <b>\n',
        "state": "resolved" if deed == "resolved" else "open",
        "severity": "error",
        "verdict": "unexplained",
        "opened_at": show_moment(now - timedelta(minutes=5)),
        "resolved_at": show_moment(now - timedelta(seconds=1)) if deed == "resolved" else None,
        "suspects": [],
        "announced": announced,
        **more,
    }
    return Notification(
        id=f"incident-1:{sequence}:am",
        destination="am",
        incident_id="incident-1",
        sequence=sequence,
        deed=deed,
        incident=incident,
        made_at=now,
        next_at=now,
    )


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_an_incident_is_one_alert_over_a_restart(alertmanager: AlertmanagerServer, told: Told) -> None:
    way = Alertmanager(Setup(name="am", address=Address(url=alertmanager.url), external_url=PAGE))
    now = datetime.now(UTC)
    opened = message(1, "opened", now)
    assert way.deliver(opened, now) == Delivered()
    (alert,) = alertmanager.alerts()
    assert alert["labels"] == {
        "alertname": "DriftbandIncident", "incident": "incident-1", "severity": "error", "verdict": "unexplained",
        "service": "checkout",
    }  # fmt: skip
    assert alert["annotations"]["summary"] == 'checkout is "slow" <b>'
    assert alert["generatorURL"] == f"{PAGE}/incidents/incident-1"
    assert datetime.fromisoformat(alert["endsAt"]) > now + timedelta(minutes=4)
    assert eventually(lambda: told.told == [("firing", "incident-1")])

    updated = message(2, "updated", now, severity="critical", verdict="explained", title="all is slow")
    assert way.deliver(updated, now) == Delivered()
    assert [one["annotations"]["summary"] for one in alertmanager.alerts()] == ["all is slow"]

    alertmanager.stop()
    outcome = way.deliver(updated, now)
    assert isinstance(outcome, Failed)
    assert outcome.unreached
    alertmanager.start()
    assert alertmanager.alerts() == []
    assert way.remind([updated], datetime.now(UTC)) == Delivered()
    assert len(alertmanager.alerts()) == 1

    over = message(3, "resolved", datetime.now(UTC))
    assert way.deliver(over, datetime.now(UTC)) == Delivered()
    assert way.remind([over], datetime.now(UTC)) == Delivered()
    assert eventually(lambda: ("resolved", "incident-1") in told.told)
    assert alertmanager.alerts() == []
    assert told.told == [("firing", "incident-1"), ("resolved", "incident-1")]


def test_one_that_is_reopened_fires_again(alertmanager: AlertmanagerServer, told: Told) -> None:
    way = Alertmanager(Setup(name="am", address=Address(url=alertmanager.url), external_url=PAGE))
    for sequence, deed in enumerate(["opened", "resolved", "opened"], start=1):
        now = datetime.now(UTC)
        assert way.deliver(message(sequence, deed, now), now) == Delivered()
        assert eventually(lambda: len(told.told) == sequence)  # noqa: B023 - asked at once
    assert [status for status, _ in told.told] == ["firing", "resolved", "firing"]
    assert len(alertmanager.alerts()) == 1


def test_what_it_refuses_is_refused_for_good(alertmanager: AlertmanagerServer) -> None:
    way = Alertmanager(Setup(name="am", address=Address(url=f"{alertmanager.url}/no-such-path")))
    outcome = way.deliver(message(1, "opened", datetime.now(UTC)), datetime.now(UTC))
    assert isinstance(outcome, Failed)
    assert outcome.permanent


@pytest.mark.slow
def test_the_service_tells_a_restarted_alertmanager_again(
    alertmanager: AlertmanagerServer, told: Told, tmp_path: Path
) -> None:
    folder = tmp_path / "driftband"
    folder.mkdir()
    destinations = [{"name": "am", "type": "alertmanager", "url": alertmanager.url}]
    incidents = {"resolve_after": "1s"}
    with serving(folder, f"sqlite:///{folder}/ledger.db", destinations=destinations, incidents=incidents) as api:
        began = datetime.now(UTC)
        fires = webhook(alert_body("Latency", began, service="cart", severity="critical"))
        assert api.post("/alerts/alertmanager", fires).status_code == 202
        (alert,) = until(alertmanager.alerts)
        alertmanager.stop()
        alertmanager.start()
        assert alertmanager.alerts() == []
        again = until(alertmanager.alerts, within=150)
        assert [one["labels"] for one in again] == [alert["labels"]]
        over = webhook(alert_body("Latency", began, datetime.now(UTC), service="cart", severity="critical"))
        assert api.post("/alerts/alertmanager", over).status_code == 202
        until(lambda: ("resolved", alert["labels"]["incident"]) in told.told)
    assert {status for status, _ in told.told} == {"firing", "resolved"}
    assert {incident for _, incident in told.told} == {alert["labels"]["incident"]}
