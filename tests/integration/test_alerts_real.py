"""A real Alertmanager and a real Grafana tell driftband of their alerts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from driftband.model.moment import parse_moment, show_moment

from . import alertmanager_server
from .alertmanager_server import AlertmanagerServer
from .conftest import GrafanaFactory
from .evidence_api import PREFIX, Api, now, serving
from .waiting import until

SECRET = "webhook-secret-of-dana"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("driftband")
    with serving(folder, f"sqlite:///{folder}/ledger.db", access={"webhook_secret": SECRET}) as api:
        yield api


def findings(api: Api, signal: str, state: str = "all") -> list[Any]:
    return [f for f in api.get("/findings", state=state)["findings"] if f["signal"] == signal]


def test_a_real_alertmanager(api: Api, tmp_path: Path) -> None:
    if alertmanager_server.is_missing():
        pytest.skip(f"{alertmanager_server.PROGRAM} not installed (Debian: apt-get install prometheus-alertmanager)")
    began = now()
    fires = {
        "labels": {"alertname": "Backlog", "service": "orders", "severity": "page"},
        "annotations": {"summary": "orders pile up"},
        "startsAt": show_moment(began),
        "endsAt": show_moment(began + timedelta(hours=1)),
        "generatorURL": "http://prometheus.example/graph",
    }
    with AlertmanagerServer(tmp_path, f"{api.server.url}{PREFIX}/alerts/alertmanager") as alertmanager:

        def tell(alert: dict[str, Any]) -> None:
            requests.post(f"{alertmanager.url}/api/v2/alerts", json=[alert], timeout=30).raise_for_status()

        tell(fires)
        (finding,) = until(lambda: findings(api, "Backlog", "open"))
        assert (finding["severity"], finding["identity"]) == ("critical", {"service": "orders"})
        assert finding["reason"] == "Backlog: orders pile up"
        assert abs(parse_moment(finding["opened_at"]) - began) < timedelta(milliseconds=1)
        incident = until(lambda: api.get("/incidents")["incidents"])[0]
        assert incident["findings"] == [finding["id"]]
        tell({**fires, "endsAt": show_moment(now())})
        until(lambda: findings(api, "Backlog", "closed"))
        assert len(findings(api, "Backlog")) == 1


def rule(uid: str, title: str, data: list[dict[str, Any]], condition: str, **labels: str) -> dict[str, Any]:
    return {
        "uid": uid, "title": title, "condition": condition, "for": "0s", "noDataState": "NoData", "execErrState": "Error",
        "labels": labels, "annotations": {"summary": f"{title} is bad"}, "data": data,
    }  # fmt: skip


def provisioning(folder: Path) -> Path:
    """Write what Grafana mounts: the contact point of docs/alerts.md, a rule that fires, and one that cannot ask anybody."""
    always = {"refId": "A", "datasourceUid": "__expr__", "model": {"refId": "A", "type": "math", "expression": "1 > 0"}}
    nobody = {
        "refId": "A", "datasourceUid": "nobody", "relativeTimeRange": {"from": 600, "to": 0},
        "model": {"refId": "A", "expr": "up", "instant": True},
    }  # fmt: skip
    above = {"refId": "B", "datasourceUid": "__expr__", "model": {"refId": "B", "type": "math", "expression": "$A > 0"}}
    group = {
        "orgId": 1, "name": "shop", "folder": "shop", "interval": "10s",
        "rules": [
            rule("fires", "Latency", [always], "A", service="checkout", severity="high"),
            rule("blind", "Errors", [nobody, above], "B", service="cart", severity="critical"),
            rule("driftband-self-stale", "Watcher is stale", [always], "A", severity="critical"),
        ],
    }  # fmt: skip
    policy = {"orgId": 1, "receiver": "driftband", "group_wait": "1s", "group_interval": "2s", "repeat_interval": "10m"}
    page = (Path(__file__).parents[2] / "docs/alerts.md").read_text(encoding="utf-8")
    contact = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    files: dict[str, Any] = {
        "alerting/contact.yaml": contact,
        "alerting/policies.yaml": {"apiVersion": 1, "policies": [policy]},
        "alerting/rules.yaml": {"apiVersion": 1, "groups": [group]},
        "datasources/nobody.yaml": {
            "apiVersion": 1,
            "datasources": [{"name": "nobody", "uid": "nobody", "type": "prometheus", "url": "http://127.0.0.1:9"}],
        },
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def test_a_real_grafana_signs_as_it_is_told(api: Api, grafana_factory: GrafanaFactory, tmp_path: Path) -> None:
    environ = {
        "DRIFTBAND_URL": api.server.url,
        "DRIFTBAND_WEBHOOK_SECRET": SECRET,
        "GF_UNIFIED_ALERTING_ALERTMANAGER_CONFIG_POLL_INTERVAL": "2s",  # else it takes a minute to hear of its contact point
    }
    grafana_factory(provisioning=provisioning(tmp_path), environ=environ)
    (latency,) = until(lambda: findings(api, "Latency", "open"))
    assert (latency["kind"], latency["severity"], latency["identity"]) == (
        "alert_firing",
        "error",
        {"service": "checkout"},
    )
    assert latency["evidence"]["link"].startswith("http")
    (blind,) = until(lambda: findings(api, "Errors", "open"))
    assert (blind["kind"], blind["identity"], blind["severity"]) == ("evidence_missing", {}, "info")
    assert blind["address"] == "nobody"
    text = requests.get(f"{api.server.url}/metrics", timeout=30).text
    assert 'driftband_alerts_received_total{source="grafana"}' in text
    assert findings(api, "Watcher is stale") == []
    members = {f for i in api.get("/incidents", state="all")["incidents"] for f in i["findings"]}
    assert latency["id"] in members
    assert blind["id"] not in members
