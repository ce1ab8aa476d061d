"""Intents and dependencies watched by the service before a real Prometheus, and killed in between."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftband.model.moment import from_ms
from driftband.store.database import Database

from .conftest import PrometheusFactory
from .driftband_server import DriftbandServer
from .prometheus_server import PrometheusServer
from .waiting import until
from .watched_shop import declare
from .watched_world import everything

pytestmark = pytest.mark.slow

NOW = int(time.time()) // 300 * 300
HOUR, DAY = 3600, 86_400
START = NOW - DAY
FEWER = (START + 3 * HOUR, START + 4 * HOUR)
ADDED = (START + 5 * HOUR, START + 7 * HOUR)
LOST = (START + 9 * HOUR, START + 11 * HOUR)
CALM = NOW - HOUR
KILLS = 3
STEADY = (("web", "cart"), ("web", "search"), ("cart", "db"))
SETTINGS: dict[str, Any] = {
    "watch": {"start": from_ms(START * 1000).isoformat(), "interval": "10s"},
    "intents": [
        {
            "name": "replicas",
            "declared": {"resource_type": "kubernetes_deployment", "attribute": "spec.replicas"},
            "observed": "kube_deployment_status_replicas_available",
            "match": {"namespace": "metadata.namespace", "deployment": "metadata.name"},
        }
    ],
    "dependencies": {
        "expr": "sum by (client, server) (rate(traces_service_graph_request_total[5m])) > 0",
        "for": "15m",
    },
}


def shop() -> str:
    """Two days: one replica too few for an hour, an edge that comes for two hours, one that is gone for two hours."""
    times = np.arange(NOW - 2 * DAY - HOUR, NOW + HOUR, 60)
    replicas = np.where((times >= FEWER[0]) & (times < FEWER[1]), 2, 3)
    lines = ["# TYPE kube_deployment_status_replicas_available gauge"]
    lines += [
        f'kube_deployment_status_replicas_available{{namespace="shop",deployment="cart"}} {value} {at}'
        for value, at in zip(replicas, times, strict=True)
    ]
    called = {
        **dict.fromkeys(STEADY, times > 0),
        ("search", "db"): (times < LOST[0]) | (times >= LOST[1]),
        ("search", "cache"): (times >= ADDED[0]) & (times < ADDED[1]),
    }
    lines.append("# TYPE traces_service_graph_request counter")
    for (client, server), there in called.items():
        labels = f'{{client="{client}",server="{server}"}}'
        counts = zip(np.cumsum(there * 30), times, strict=True)
        lines += [f"traces_service_graph_request_total{labels} {count} {at}" for count, at in counts]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def prometheus(prometheus_factory: PrometheusFactory) -> PrometheusServer:
    return prometheus_factory(shop())


Begin = Callable[[str], DriftbandServer]


@pytest.fixture
def begin(prometheus: PrometheusServer, tmp_path: Path) -> Iterator[Begin]:
    """Start a service on a store of a name, in which three replicas have been declared for long."""
    servers: list[DriftbandServer] = []

    def start(name: str) -> DriftbandServer:
        store = f"sqlite:///{tmp_path}/{name}.db"
        if not (tmp_path / f"{name}.db").exists():
            opened = Database(store)
            declare(opened, (START - DAY) * 1000, cart=3)
            opened.close()
        folder = tmp_path / f"{name}-{len(servers)}"
        folder.mkdir()
        servers.append(DriftbandServer(folder, prometheus={"url": prometheus.url}, store=store, **SETTINGS).__enter__())
        return servers[-1]

    yield start
    for one in servers:
        if one._process.poll() is None:
            one.stop()


def evaluated_until(server: DriftbandServer) -> float:
    name = "driftband_watch_evaluated_until_seconds"
    (line,) = [x for x in server.get("/metrics").text.splitlines() if x.startswith(name)]
    return float(line.split()[-1])


def ledger(path: Path) -> dict[str, Any]:
    opened = Database(f"sqlite:///{path}")
    rows = everything(opened)
    opened.close()
    return {name: rows[name] for name in ("findings", "transitions")}


def test_a_violated_intent_heals_and_edges_come_and_go(begin: Begin) -> None:
    server = begin("once")
    until(lambda: evaluated_until(server) >= CALM)
    found = server.get("/driftband/v1/findings", state="all").json()["findings"]
    at = {f["kind"]: (_seconds(f["opened_at"]), _seconds(f["closed_at"])) for f in found}
    assert sorted(f["kind"] for f in found) == ["gone_dependency", "intent_violated", "new_dependency"]
    opened, closed = at["intent_violated"]
    assert FEWER[0] + 600 <= opened <= FEWER[0] + 660
    assert FEWER[1] + 300 <= closed <= FEWER[1] + 660
    assert at["new_dependency"][0] == pytest.approx(ADDED[0] + 900, abs=180)
    opened, closed = at["gone_dependency"]
    assert LOST[0] + 1800 <= opened <= LOST[0] + 3000
    assert LOST[1] + 900 <= closed <= LOST[1] + 1500

    def states(when: float) -> dict[tuple[str, str], str]:
        result = server.get("/api/v1/query", query="driftband_service_edge", time=when).json()["data"]["result"]
        return {(e["metric"]["source"], e["metric"]["target"]): e["metric"]["state"] for e in result}

    before = {**dict.fromkeys(STEADY, "known"), ("search", "db"): "known"}
    assert states(START) == before
    assert states(ADDED[0] + 1200) == {**before, ("search", "cache"): "new"}
    assert states(LOST[0] + 3600) == {**before, ("search", "db"): "gone"}
    nodes = server.range("driftband_service_node", START, ADDED[0] + 1200, 600)
    assert {dict(labels)["id"] for labels in nodes} == {"web", "cart", "search", "db", "cache"}
    drift = server.range('driftband_drift{signal="replicas"}', FEWER[0], FEWER[1] + HOUR, 60)
    ((labels, samples),) = drift.items()
    assert dict(labels)["address"] == "kubernetes_deployment_v1.cart"
    assert min(samples) >= FEWER[0] + 600
    assert max(samples) < FEWER[1] + 660


def test_kill_9_in_between_leaves_the_ledger_of_an_undisturbed_run(begin: Begin, tmp_path: Path) -> None:
    undisturbed = begin("undisturbed")
    until(lambda: evaluated_until(undisturbed) >= CALM)
    undisturbed.stop()
    known = float(START)
    for _ in range(KILLS):
        server = begin("killed")
        until(lambda server=server, known=known: evaluated_until(server) > known)  # type: ignore[misc]
        known = evaluated_until(server)
        server.kill()
    assert known < CALM
    last = begin("killed")
    until(lambda: evaluated_until(last) >= CALM)
    last.stop()
    expected = ledger(tmp_path / "undisturbed.db")
    assert len(expected["findings"]) == 3
    assert ledger(tmp_path / "killed.db") == expected


def _seconds(moment: str | None) -> float:
    return float("nan") if moment is None else datetime.fromisoformat(moment).timestamp()
