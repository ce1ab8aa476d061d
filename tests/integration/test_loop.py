"""The loop, whole: an apply, latency moves, one incident with the right commit, one page, acknowledged, reverted, resolved.

Real processes: a Prometheus with weeks of history that scrapes a live shop, ``driftband serve``, and the command line as CI
calls it; PagerDuty is a strict stand-in that counts.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from driftband.model.moment import from_ms, show_moment

from ..unit.respond.stand_ins import ROUTING_KEY, PagerDuty, Webhook  # noqa: TID252 - strict ones
from ..unit.respond.stand_ins import SECRET as CHAT_SECRET  # noqa: TID252
from ..unit.respond.test_pagerduty_webhook import event, signed  # noqa: TID252 - as PagerDuty's documents show it
from .conftest import PrometheusFactory
from .driftband_server import DriftbandServer
from .evidence_api import PREFIX, Api, now
from .live_shop import LiveShop
from .waiting import until

READ, WRITE = "read-token-0123456789abcdef", "write-token-0123456789abcdef"
SECRET = "secret-of-the-subscription"
HOUR = 3600
LONG = 1200.0
APPLY = {
    "id": "run-4711", "kind": "terraform_apply", "workspace": "prod/checkout", "commit": "9f3c2a1", "actor": "dana",
    "url": "https://ci.example/4711", "summary": "pool size", "identity": {"service": "checkout"},
    "resources": [{
        "address": "module.db.aws_db_parameter_group.main", "type": "aws_db_parameter_group", "module": "db",
        "module_version": "2.4.0", "actions": ["update"],
        "attributes": [{"path": "max_connections", "before": 500, "after": 50}],
    }],
}  # fmt: skip


@pytest.fixture
def shop() -> Iterator[LiveShop]:
    with LiveShop() as live:
        yield live


@pytest.fixture
def pagerduty() -> Iterator[PagerDuty]:
    with PagerDuty() as server:
        yield server


@pytest.fixture
def chat() -> Iterator[Webhook]:
    with Webhook() as server:
        yield server


def settings(prometheus: str, folder: Path, started: int, pagerduty: PagerDuty, chat: Webhook) -> dict[str, Any]:
    oncall = {
        "name": "oncall", "type": "pagerduty", "url": pagerduty.url, "routing_key": ROUTING_KEY, "webhook_secret": SECRET,
        "changes": True, "updates_every": "1h",
    }  # fmt: skip
    latency = {
        "name": "latency", "expr": "max by (service) (latency)", "unit": "s", "direction": "up", "min_deviation": 0.1, "for": "10s",
    }  # fmt: skip
    return {
        "prometheus": {"url": prometheus},
        "store": f"sqlite:///{folder}/ledger.db",
        "access": {"read_tokens": [READ], "write_tokens": [WRITE]},
        "watch": {"start": from_ms((started - 13 * HOUR) * 1000).isoformat(), "interval": "5s", "delay": "5s"},
        "signals": [latency],
        "incidents": {"resolve_after": "5s"},
        "destinations": [oncall, {"name": "chat", "type": "webhook", "url": f"{chat.url}/x", "secret": CHAT_SECRET}],
    }


def driftband(api: Api, *arguments: str, token: str = WRITE) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": "/usr/bin:/bin", "DRIFTBAND_URL": api.server.url, "DRIFTBAND_TOKEN": token}
    command = [sys.executable, "-m", "driftband", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=600)


def applied(api: Api, **fields: Any) -> None:
    at = {"started_at": show_moment(now() - timedelta(seconds=30)), "ended_at": show_moment(now())}
    body = json.dumps({**at, **fields}).encode()
    answer = api.ask("POST", "/changes", data=body, headers={"Authorization": f"Bearer {WRITE}"})
    assert answer.status_code == 201, answer.text


def by_pagerduty(api: Api, act: str, incident: str) -> None:
    told = event(f"incident.{act}", id=f"event-{act}", occurred_at=show_moment(now()))
    told["event"]["data"]["incident_key"] = incident
    body = json.dumps(told).encode()
    for _ in range(2):  # it is sent again where the answer was lost
        path = f"{api.server.url}{PREFIX}/hooks/pagerduty"
        answer = requests.post(path, data=body, headers={"X-PagerDuty-Signature": signed(body, SECRET)}, timeout=60)
        assert answer.json() == {"taken": [incident]}


def behind(api: Api) -> float:
    """Return how many seconds ago the last instant is that the watcher has done."""
    text = requests.get(f"{api.server.url}/metrics", headers=api.headers, timeout=60).text
    (line,) = [one for one in text.splitlines() if one.startswith("driftband_watch_evaluated_until_seconds ")]
    return time.time() - float(line.rpartition(" ")[2])


def opens(api: Api) -> str:
    """Return the id of the only incident there is, once it is there."""
    (incident,) = until(lambda: api.get("/incidents")["incidents"], LONG)
    return str(incident["id"])


def check_the_page(api: Api, pagerduty: PagerDuty, key: str) -> None:
    until(lambda: pagerduty.pages, LONG)
    page = next(asked.json for asked in pagerduty.asked if asked.path == "/v2/enqueue")
    assert (page["event_action"], page["dedup_key"], page["payload"]["class"]) == ("trigger", key, "explained")
    assert page["payload"]["custom_details"]["suspects"][0].startswith("run-4711 (")
    assert [link["href"] for link in page["links"]] == [f"{api.server.url}/incidents/{key}", "https://ci.example/4711"]


def check_the_suspect(api: Api, key: str) -> None:
    incident = api.get(f"/incidents/{key}")
    assert (incident["verdict"], incident["suspects"][0]["change"]) == ("explained", "run-4711")
    assert incident["suspects"][0]["reasons"]
    suspect = incident["context"]["suspect"]
    assert (suspect["commit"], suspect["modules"]) == ("9f3c2a1", [{"module": "db", "version": "2.4.0"}])
    (attribute,) = suspect["resources"][0]["attributes"]
    assert {name: attribute[name] for name in ("path", "before", "after")} == {
        "path": "max_connections",
        "before": 500,
        "after": 50,
    }
    ((labels, _),) = api.instant('driftband_incident{service="checkout"}')
    assert (labels["incident"], labels["suspect_commit"]) == (key, "9f3c2a1")


def check_the_gate(api: Api, key: str) -> None:
    gate = driftband(api, "verify", "--change", "run-4711", "--for", "1m", "--json")
    told = json.loads(gate.stdout)
    assert (gate.returncode, told["status"]) == (2, "drift"), gate.stderr
    assert {found["incident"] for found in told["findings"]} == {key}
    calm = driftband(api, "verify", "--change", "cart-31", "--for", "10s")
    assert (calm.returncode, "cart-31: calm: 1 series of 1 signal" in calm.stdout) == (0, True), calm.stdout
    assert driftband(api, "verify", "--change", "of-nobody", "--for", "10s").returncode == 3
    refused = driftband(api, "verify", "--change", "run-4711", "--for", "1m", token="of-somebody-else")
    assert (refused.returncode, "401" in refused.stderr) == (1, True)


def check_the_messages(api: Api, pagerduty: PagerDuty, chat: Webhook, key: str) -> None:
    assert pagerduty.alerts == {key: ["triggered", "resolved"]}
    acts = Counter(asked.json["event_action"] for asked in pagerduty.asked if asked.path == "/v2/enqueue")
    assert acts == {"trigger": 1, "resolve": 1}
    changes = [one["payload"]["custom_details"]["change"] for one in pagerduty.changes]
    assert sorted(changes) == ["cart-31", "run-4711", "run-4712"]
    told = [one["type"].rpartition(".")[2] for one in chat.events.values()]
    assert [deed for deed in told if deed != "updated"] == ["opened", "acknowledged", "resolved"]
    assert len(chat.asked) == len(chat.events)
    assert api.get("/notifications", state="dead")["notifications"] == []
    assert (pagerduty.pages, pagerduty.faults, chat.faults) == (1, [], [])


@pytest.mark.first
@pytest.mark.slow
def test_from_the_apply_to_the_end(
    prometheus_factory: PrometheusFactory, shop: LiveShop, pagerduty: PagerDuty, chat: Webhook, tmp_path: Path
) -> None:
    started = int(time.time()) // 300 * 300
    trouble = (started - 10 * HOUR, started - 10 * HOUR + 1200)
    # Up to now: a Prometheus looks back five minutes, and longer than that without a scrape is a silence.
    prometheus = prometheus_factory(shop.history(int(time.time()), trouble), config=shop.scraping())
    given = settings(prometheus.url, tmp_path, started, pagerduty, chat)
    with DriftbandServer(tmp_path, **given) as server:
        api = Api(server, given["store"], READ)
        until(lambda: behind(api) < 60, LONG)
        # What came and went in the night is on record, and called nobody.
        (past,) = until(lambda: api.get("/incidents", state="resolved")["incidents"])
        assert past["identity"] == {"service": "search"}
        assert api.get("/incidents")["incidents"] == []
        assert api.get("/notifications")["notifications"] == []

        record = driftband(api, "change", "record", "--id", "cart-31", "--kind", "deploy", "--identity", "service=cart")
        assert record.returncode == 0, record.stderr
        applied(api, **APPLY)
        shop.extra["checkout"] = 2.0
        key = opens(api)
        check_the_page(api, pagerduty, key)
        check_the_suspect(api, key)
        check_the_gate(api, key)

        by_pagerduty(api, "acknowledged", key)
        until(lambda: len(chat.events) >= 2)
        assert api.get(f"/incidents/{key}")["acknowledged_by"] == "Dana Engineer"

        server.kill()
        server.__enter__()
        applied(
            api, id="run-4712", kind="terraform_apply", workspace="prod/checkout", commit="1c0ffee", summary="revert"
        )
        shop.extra["checkout"] = 0.0
        until(lambda: api.get(f"/incidents/{key}")["state"] == "resolved", LONG)
        until(lambda: not api.get("/notifications", state="waiting")["notifications"])
        assert [one["id"] for one in api.get("/incidents", state="all")["incidents"]] == [key, past["id"]]
        check_the_messages(api, pagerduty, chat, key)
