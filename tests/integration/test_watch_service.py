"""The watcher in its process, before a real Prometheus: killed at random instants, two at once, the source away."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftband.model.moment import from_ms
from driftband.store import watching
from driftband.store.database import Database

from .conftest import PrometheusFactory
from .driftband_server import DriftbandServer
from .paced_source import PacedSource
from .prometheus_server import PrometheusServer
from .watched_world import everything

NOW = int(time.time()) // 300 * 300
HOUR = 3600
START = NOW - 24 * HOUR
BREACH = (START + 6 * HOUR, START + 7 * HOUR)
OUTAGE = (START + 12 * HOUR, START + 13 * HOUR)
CALM_FROM = NOW - 6 * HOUR
"""Nothing happens from then on, so that it makes no difference when one looks."""
KILLS = 5
SETTINGS: dict[str, Any] = {
    "watch": {"start": from_ms(START * 1000).isoformat()},
    "signals": [
        {
            "name": "latency",
            "expr": "sum by (service) (latency)",
            "unit": "s",
            "direction": "up",
            "min_deviation": 0.05,
        },
        {"name": "latency_all", "expr": "sum(latency)", "unit": "s", "direction": "both", "min_deviation": 0.2},
    ],
}


def shop() -> str:
    """Sixteen days of three services and an hour more; one is slow for an hour, another is silent for one."""
    old = np.arange(NOW - 17 * 24 * HOUR, START - 2 * HOUR, 300)
    new = np.arange(START - 2 * HOUR, NOW + HOUR, 60)
    times = np.concatenate([old, new])
    chance = np.random.default_rng(5)
    lines = ["# TYPE latency gauge"]
    for place, service in enumerate(("cart", "payment", "search")):
        usual = 0.5 + 0.1 * np.sin(times / 86_400 * 2 * np.pi + place) + chance.normal(0, 0.01, len(times))
        slow = (times >= BREACH[0]) & (times < BREACH[1]) & (service == "search")
        silent = (times >= OUTAGE[0]) & (times < OUTAGE[1]) & (service == "cart")
        values = np.where(slow, usual + 1, usual)
        lines += [
            f'latency{{service="{service}"}} {v:.5f} {t}' for t, v in zip(times[~silent], values[~silent], strict=True)
        ]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def prometheus(prometheus_factory: PrometheusFactory) -> PrometheusServer:
    return prometheus_factory(shop())


@pytest.fixture
def serving(prometheus: PrometheusServer, tmp_path: Path) -> Iterator[Callable[..., DriftbandServer]]:
    servers = []

    def start(name: str, **settings: Any) -> DriftbandServer:
        folder = tmp_path / f"{name}-{len(servers)}"
        folder.mkdir()
        own = {
            "prometheus": {"url": prometheus.url},
            "store": f"sqlite:///{tmp_path}/{name}.db",
            **SETTINGS,
            **settings,
        }
        servers.append(DriftbandServer(folder, **own).__enter__())
        return servers[-1]

    yield start
    for one in servers:
        if one._process.poll() is None:
            one.stop()


def metrics(server: DriftbandServer) -> dict[str, float]:
    lines = server.get("/metrics").text.splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def evaluated_until(server: DriftbandServer) -> float:
    return metrics(server)["driftband_watch_evaluated_until_seconds"]


def wait_for(what: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that in time")


def kill(server: DriftbandServer) -> None:
    """End all its processes as a power cut does."""
    pid = server._process.pid
    workers = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    for one in (*workers, pid):
        os.kill(one, signal.SIGKILL)
    server._process.wait(timeout=10)


def ledger(path: Path) -> dict[str, Any]:
    database = Database(f"sqlite:///{path}")
    try:
        rows = everything(database)
    finally:
        database.close()
    return {name: rows[name] for name in ("findings", "transitions")}


def progress(path: Path) -> list[float]:
    """Return until when each signal is evaluated (epoch s)."""
    database = Database(f"sqlite:///{path}")
    try:
        return [one.evaluated_until.timestamp() for one in watching.progress(database).values()]
    finally:
        database.close()


@pytest.mark.slow
def test_kill_9_at_random_instants_leaves_the_ledger_of_an_undisturbed_run(
    prometheus: PrometheusServer, serving: Callable[..., DriftbandServer], tmp_path: Path
) -> None:
    more = [{"name": f"more_{n}", "expr": f"sum by (service) (latency) * {n}", "for": f"{n}m"} for n in range(1, 11)]
    watched = {"signals": [*SETTINGS["signals"], *more]}
    undisturbed = serving("undisturbed", **watched)
    wait_for(lambda: evaluated_until(undisturbed) >= CALM_FROM + 4 * HOUR)
    undisturbed.stop()

    chance, done = random.Random(9), CALM_FROM + 4 * HOUR
    # The source holds what comes after some requests: on the quietest machine, and on the busiest, it dies at work.
    with PacedSource(prometheus.url) as paced:
        for _ in range(KILLS):
            paced.let(chance.randint(3, 10))
            server = serving("killed", prometheus={"url": paced.url}, **watched)
            assert paced.passed.wait(120)  # the lease of the dead has to run out first
            time.sleep(chance.uniform(0, 0.3))
            kill(server)
            assert min(progress(tmp_path / "killed.db")) < done
    server = serving("killed", **watched)
    wait_for(lambda: evaluated_until(server) >= done)
    server.stop()
    expected = ledger(tmp_path / "undisturbed.db")
    kinds = {row["kind"] for row in expected["findings"]}
    assert {"band_breach", "silence"} <= kinds
    assert ledger(tmp_path / "killed.db") == expected


def test_the_ledger_tells_what_was_wrong_and_panels_show_it(serving: Callable[..., DriftbandServer]) -> None:
    server = serving("once")
    wait_for(lambda: evaluated_until(server) >= CALM_FROM)
    assert metrics(server)["driftband_watch_signals"] == 2
    found = server.get("/driftband/v1/findings", state="all").json()["findings"]
    (breach, *_) = sorted(
        (f for f in found if f["kind"] == "band_breach" and f["signal"] == "latency"), key=lambda f: f["opened_at"]
    )
    opened, closed = (datetime.fromisoformat(breach[name]).timestamp() for name in ("opened_at", "closed_at"))
    assert breach["identity"] == {"service": "search"}
    assert BREACH[0] + 300 <= opened <= BREACH[0] + 420
    assert opened < closed
    evidence = breach["evidence"]
    assert evidence["query"] == "sum by (service) (latency)"
    assert evidence["since"] == datetime.fromtimestamp(BREACH[0], UTC).isoformat().replace("+00:00", "Z")
    drift = 'driftband_drift{layer="behavioral", kind="band_breach", signal="latency", service="search"}'
    series = server.range(drift, BREACH[0] - 600, BREACH[0] + 900, 60)
    (samples,) = [v for labels, v in series.items() if dict(labels)["finding"] == breach["id"]]
    assert min(samples) == opened
    # What the panel draws is what the alert saw: the values and bands at the instants of the evidence.
    for side in ("upper", "lower", "expected"):
        drawn = server.range(f'driftband_{side}{{signal="latency", service="search"}}', BREACH[0], BREACH[0] + 900, 60)
        (line,) = drawn.values()
        for at, value in zip(evidence["times"], evidence[side], strict=True):
            if at / 1000 in line:
                assert value == pytest.approx(line[at / 1000], rel=1e-6)


@pytest.mark.slow
def test_the_source_hangs_and_comes_back(
    prometheus_factory: PrometheusFactory, serving: Callable[..., DriftbandServer]
) -> None:
    source = prometheus_factory(shop())
    assert source._process is not None
    short = {"watch": {"interval": "5s", "delay": "0s"}, "limits": {"query_timeout": "2s"}}
    server = serving("away", prometheus={"url": source.url}, **short)
    wait_for(lambda: evaluated_until(server) > time.time() - 10)
    source._process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: bool(server.get("/driftband/v1/findings").json()["findings"]))
        (down,) = server.get("/driftband/v1/findings").json()["findings"]
        stood = evaluated_until(server)
        (drift,) = server.get("/api/v1/query", query="driftband_drift").json()["data"]["result"]
    finally:
        source._process.send_signal(signal.SIGCONT)
    assert (down["kind"], down["signal"], down["state"]) == ("source_unreachable", None, "open")
    assert (drift["metric"]["kind"], drift["metric"]["layer"]) == ("source_unreachable", "runtime")
    wait_for(lambda: server.get("/driftband/v1/findings").json()["findings"] == [])
    wait_for(lambda: evaluated_until(server) > stood + 10)
    every = server.get("/driftband/v1/findings", state="all").json()["findings"]
    assert [(f["kind"], f["state"]) for f in every if f["kind"] == "source_unreachable"] == [
        ("source_unreachable", "closed")
    ]


@pytest.mark.slow
def test_of_two_instances_one_watches_and_the_other_takes_over(serving: Callable[..., DriftbandServer]) -> None:
    watch = {**SETTINGS["watch"], "interval": "5s"}
    first = serving("pair", watch=watch)
    wait_for(lambda: evaluated_until(first) >= CALM_FROM)
    second = serving("pair", watch=watch)
    wait_for(lambda: evaluated_until(second) >= CALM_FROM)
    assert metrics(second)["driftband_watch_tick_duration_seconds_count"] == 0
    first.stop()
    wait_for(lambda: metrics(second)["driftband_watch_tick_duration_seconds_count"] > 0)
