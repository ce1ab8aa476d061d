"""A real Grafana with `provisioning/` and `dashboards/` mounted, on driftband, on a real Prometheus.

Where GRAFANA_URL names a Grafana, the data source is made in it and removed again; what must be mounted is skipped.
"""

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np
import pytest
import yaml

from .browser import browser_page
from .conftest import PrometheusFactory
from .driftband_server import DriftbandServer
from .grafana_server import Grafana

_T = TypeVar("_T")

ROOT = Path(__file__).parents[2]
READ, WRITE = "read-token-0123456789abcdef", "write-token-0123456789abcdef"
NOW = int(time.time()) // 60 * 60
SINCE = NOW - 20 * 60
"""Since then, four in five of checkout's requests stay away."""

SERVICES = ("cart", "checkout")
BAND = "anomaly_band(sum by (service) (rate(http_requests_total[5m])), 0.99)"
MOUNTED_WITHIN, FIRES_WITHIN = 60.0, 120.0

# Explore keeps an alert "Unknown error" in the page, transparent, for when there is one.
_SHOWN_ALERTS = """[...document.querySelectorAll("[role=alert]")]
    .filter(alert => alert.checkVisibility({opacityProperty: true})).map(alert => alert.innerText)
    .filter(text => text)"""


def _world() -> str:
    """Write 15 days of two services and an hour to come, at a sample a minute: all that the dashboards ask for."""
    random = np.random.default_rng(5)
    times = np.arange(NOW - 15 * 86_400, NOW + 3600, 60)
    season = 40 + 15 * np.sin(times / 86_400 * 2 * np.pi)
    load, counts, buckets, memory = {}, [], [], []
    for service in SERVICES:
        load[service] = season * random.normal(1, 0.03, len(times))
    load["checkout"][times >= SINCE] *= 0.2

    def write(lines: list[str], metric: str, labels: str, values: Any) -> None:
        lines += [f"{metric}{{{labels}}} {value:.0f} {at}" for value, at in zip(values, times, strict=True)]

    for service, rate in load.items():
        for code, share in (("200", 0.99), ("500", 0.01)):
            write(counts, "http_requests_total", f'service="{service}",code="{code}"', np.cumsum(rate * 60 * share))
        for le, share in (("0.1", 0.5), ("0.25", 0.9), ("1", 0.995), ("+Inf", 1.0)):
            labels = f'service="{service}",le="{le}"'
            write(buckets, "http_request_duration_seconds_bucket", labels, np.cumsum(rate * 60 * share))
        resident = 3e8 + 2e7 * np.sin(times / 86_400 * 2 * np.pi) + random.normal(0, 1e6, len(times))
        write(memory, "process_resident_memory_bytes", f'service="{service}"', resident)
    return "\n".join(counts + buckets + memory)


@pytest.fixture(scope="module")
def driftband(
    prometheus_factory: PrometheusFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DriftbandServer]:
    settings = {
        "prometheus": {"url": prometheus_factory(_world()).url},
        "access": {"read_tokens": [READ], "write_tokens": [WRITE]},
    }
    with DriftbandServer(tmp_path_factory.mktemp("driftband"), **settings) as server:
        yield server


def _hurried(folder: Path) -> Path:
    """Copy `provisioning/` as it is, but for the alert rule's clock: seconds in place of minutes."""
    copy = shutil.copytree(ROOT / "provisioning", folder / "provisioning")
    rules = copy / "alerting/driftband.yaml"
    text, changed = re.subn(r"(?m)^( *(?:for|interval): )\d+m$", r"\g<1>10s", rules.read_text())
    assert changed == 2
    rules.write_text(text)
    return copy


@dataclass(frozen=True)
class _Stage:
    """A Grafana, and the data source in it that reads from driftband."""

    grafana: Grafana
    source: str


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest, driftband: DriftbandServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Stage]:
    environ = {
        "DRIFTBAND_URL": driftband.url,
        "DRIFTBAND_READ_TOKEN": READ,
        "DRIFTBAND_WEBHOOK_SECRET": "webhook-secret-0123456789",
        "DRIFTBAND_DASHBOARDS": str(ROOT / "dashboards"),
    }
    if not os.environ.get("GRAFANA_URL"):
        provisioning = _hurried(tmp_path_factory.mktemp("mounted"))
        make = request.getfixturevalue("grafana_factory")
        yield _Stage(make(provisioning=provisioning, environ=environ), "driftband")
        return
    text = (ROOT / "provisioning/datasources/driftband.yaml").read_text()
    for name, value in environ.items():
        text = text.replace(f"${name}", value)
    (source,) = yaml.safe_load(text)["datasources"]
    source["name"] = source["uid"] = f"driftband-{secrets.token_hex(4)}"
    grafana = request.getfixturevalue("grafana")
    grafana.ask("POST", "/api/datasources", json=source)
    try:
        yield _Stage(grafana, source["uid"])
    finally:
        grafana.ask("DELETE", f"/api/datasources/uid/{source['uid']}")


def _mounted(stage: _Stage) -> Grafana:
    if os.environ.get("GRAFANA_URL"):
        pytest.skip("the Grafana at GRAFANA_URL does not mount provisioning/: unset it, and give GRAFANA_BIN")
    return stage.grafana


def _awaited(look: Callable[[], _T], fine: Callable[[_T], bool], within: float) -> _T:
    """Return what ``look`` sees as soon as it is ``fine``, else what it sees after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not fine(seen := look()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return seen


def test_save_and_test_is_green(stage: _Stage) -> None:
    health = stage.grafana.ask("GET", f"/api/datasources/uid/{stage.source}/health")
    assert health["status"] == "OK", health


def test_the_dashboards_are_those_of_the_folder(stage: _Stage) -> None:
    grafana = _mounted(stage)
    expected = {json.loads(path.read_text())["uid"] for path in (ROOT / "dashboards").glob("*.json")}

    def listed() -> set[str]:
        of_ours = {"type": "dash-db", "tag": "driftband"}
        return {one["uid"] for one in grafana.ask("GET", "/api/search", params=of_ours)}

    assert _awaited(listed, lambda found: found == expected, MOUNTED_WITHIN) == expected


def test_the_service_variable_offers_the_services(stage: _Stage) -> None:
    path = f"/api/datasources/uid/{stage.source}/resources/api/v1/label/service/values"
    answer = stage.grafana.ask("GET", path, params={"match[]": "http_requests_total"})
    assert answer["data"] == list(SERVICES)


def _targets() -> list[Any]:
    """Return the queries of the dashboard that rests on the source alone; the others are drawn on the demo."""
    dashboard = json.loads((ROOT / "dashboards/bands.json").read_text())
    return [
        pytest.param(dashboard["time"], target, id=f"bands-{panel['id']}{target['refId']}")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


@pytest.mark.parametrize(("time_range", "target"), _targets())
def test_every_panel_of_bands_has_data_without_an_error_or_a_warning(
    stage: _Stage, time_range: dict[str, str], target: dict[str, Any]
) -> None:
    query = {
        **target,
        "datasource": {"type": "prometheus", "uid": stage.source},
        "expr": target["expr"].replace("$service", "checkout"),
        "intervalMs": 60_000,
        "maxDataPoints": 1000,
    }
    answer = stage.grafana.ask("POST", "/api/ds/query", json={**time_range, "queries": [query]})
    result = answer["results"][target["refId"]]
    assert "error" not in result
    assert result["frames"]
    for frame in result["frames"]:
        assert not frame["schema"].get("meta", {}).get("notices")
        assert len(frame["data"]["values"][0]) > 0


def _explored(stage: _Stage, query: dict[str, Any]) -> dict[str, Any]:
    """Open Explore with a query, check that it is drawn without a complaint, and return what Grafana's backend gave."""
    pane = {"datasource": stage.source, "queries": [query], "range": {"from": "now-24h", "to": "now+6h"}}
    url = f"{stage.grafana.url}/explore?schemaVersion=1&orgId=1&panes={quote(json.dumps({'one': pane}))}"
    with browser_page() as page:
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        if os.environ.get("GRAFANA_URL"):
            user, password = stage.grafana.session.auth  # type: ignore[misc]
            page.request.post(f"{stage.grafana.url}/login", data={"user": user, "password": password})
        with page.expect_response(lambda one: "/api/ds/query" in one.url, timeout=90_000) as waited:
            page.goto(url, timeout=90_000)
        assert waited.value.status == 200
        (result,) = waited.value.json()["results"].values()
        page.locator(".u-over").first.wait_for(timeout=60_000)
        page.get_by_text("upper").first.wait_for(timeout=60_000)
        assert page.evaluate(_SHOWN_ALERTS) == []
        assert page.get_by_text("No data").count() == 0
        assert broken == []
    return dict(result)


def test_explore_draws_a_band_into_the_future(stage: _Stage) -> None:
    source = {"type": "prometheus", "uid": stage.source}
    result = _explored(stage, {"refId": "A", "expr": BAND, "editorMode": "code", "range": True, "datasource": source})
    assert "error" not in result
    last = {}
    for frame in result["frames"]:
        assert not frame["schema"].get("meta", {}).get("notices")
        labels = frame["schema"]["fields"][1]["labels"]
        last[labels["service"], labels["band"]] = frame["data"]["values"][0][-1] / 1000
    assert last.keys() == {(s, b) for s in SERVICES for b in ("actual", "lower", "expected", "upper")}
    for (_, band), until in last.items():
        assert (until > time.time() + 3 * 3600) == (band != "actual")


def test_the_alert_rule_fires_for_the_service_that_lost_its_requests(stage: _Stage) -> None:
    grafana = _mounted(stage)

    def ours() -> dict[str, Any]:
        groups = grafana.ask("GET", "/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
        ours = [rule for group in groups for rule in group["rules"] if group["name"] == "driftband"]
        assert len(ours) <= 1
        return dict(ours[0]) if ours else {"state": "not there yet"}

    rule = _awaited(ours, lambda rule: rule["state"] == "firing", FIRES_WITHIN)
    assert (rule["state"], rule["health"]) == ("firing", "ok"), rule
    firing = {one["labels"]["service"]: one for one in rule["alerts"] if one["state"] == "Alerting"}
    assert list(firing) == ["checkout"]
    assert firing["checkout"]["labels"]["severity"] == "warning"
    summary = firing["checkout"]["annotations"]["summary"]
    score = re.fullmatch(r"The request rate of checkout has left its band \(score (-\d+\.\d\d)\)", summary)
    assert score, summary
    assert float(score[1]) < -1
