"""How long every dashboard takes on 50 services, with Prometheus, driftband and Grafana side by side.

    [GRAFANA_BIN=... GRAFANA_HOME=...] python tests/benchmarks/bench_dashboards.py [DASHBOARD ...]

Asks what a browser asks when a dashboard is opened: its variables, then its panels and annotations, six at once. Through
Grafana, or straight at driftband where no Grafana is given. first: opened for the first time since driftband has started
and has read the histories of its signals. again: refreshed later. panel: the median of all panels of the refreshes.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import dashboard_world as world
from dashboard_browser import Opened, Send, direct, opened, through

from driftband.store.database import Database
from integration.driftband_server import DriftbandServer
from integration.evidence_api import Api
from integration.grafana_server import GrafanaServer, missing_grafana
from integration.prometheus_server import PrometheusServer, backfill

ROOT = Path(__file__).parents[2]
REFRESHES, PAUSE = 2, 15.0
"""How often a dashboard is asked again, and the seconds before: what is kept for a moment is no longer of use."""
LATE, SETTLED = 180.0, 5.0
WANTED_S, WANTED_MS = 2.0, 100.0


def caught_up(driftband: DriftbandServer) -> float:
    """Wait until it has evaluated what there is, and reads no more histories ahead; return the seconds that took."""
    began = changed = time.monotonic()
    held, late = 0.0, LATE
    while late >= LATE or not held or time.monotonic() - changed < SETTLED:
        time.sleep(0.5)
        told = dict(line.rsplit(" ", 1) for line in driftband.get("/metrics").text.splitlines() if line[0] != "#")
        late = time.time() - float(told.get("driftband_watch_evaluated_until_seconds", 0))
        now = float(told['driftband_cache_bytes{cache="fits"}'])
        held, changed = now, (changed if now == held else time.monotonic())
    return changed - began


@contextmanager
def stage(folder: Path) -> Iterator[tuple[DriftbandServer, Send]]:
    """Start Prometheus with its past, driftband with a store of a week, and Grafana where there is one."""
    now = int(time.time()) // 60 * 60
    data = folder / "prometheus"
    for day in world.days(now):
        backfill(data, day)
    with ExitStack() as running:
        prometheus = running.enter_context(PrometheusServer(data))
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 86_400))
        settings = {**world.CONFIG, "store": f"sqlite:///{folder}/driftband.db", "watch": {"start": start}}
        driftband = DriftbandServer(folder, prometheus={"url": prometheus.url}, **settings)
        with driftband:
            world.tell(Api(driftband, ""), now)
            caught_up(driftband)
        database = Database(settings["store"])
        world.remember(database, now)
        database.close()
        send, missing = direct(driftband.url), missing_grafana()
        if not missing:
            provisioning = folder / "provisioning"
            provisioning.mkdir()
            (provisioning / "datasources").symlink_to(ROOT / "provisioning/datasources")
            environ = {"DRIFTBAND_URL": driftband.url, "DRIFTBAND_READ_TOKEN": "none"}
            grafana = GrafanaServer(folder / "grafana", provisioning=provisioning, environ=environ)
            send = through(running.enter_context(grafana))
        with driftband:
            seconds = caught_up(driftband)
            how = f"straight at driftband ({missing})" if missing else "through Grafana"
            print(
                f"{how}; histories read {seconds:.0f} s after the start; load {os.getloadavg()[0]:.1f} of {os.cpu_count()}"
            )
            yield driftband, send


def again(name: str, send: Send) -> Opened:
    """Open a dashboard some time later."""
    time.sleep(PAUSE)
    return opened(_board(name), send)


def _board(name: str) -> dict[str, Any]:
    board: dict[str, Any] = json.loads((ROOT / f"dashboards/{name}.json").read_text())
    return board


def measure(name: str, send: Send) -> None:
    """Print a line about a dashboard."""
    first = opened(_board(name), send)
    later = [again(name, send) for _ in range(REFRESHES)]
    whole = statistics.median([one.seconds for one in later])
    warm = statistics.median([seconds for one in later for _, seconds in one.panels]) * 1000
    title, seconds = first.slowest
    verdict = "" if first.seconds < WANTED_S and warm < WANTED_MS else "  NO"
    print(
        f"{name:<13} {len(first.panels):>6} {first.seconds:>7.2f} s {whole:>7.2f} s {warm:>6.0f} ms   {title} {seconds:.2f} s{verdict}",
        flush=True,
    )


def main() -> None:
    names = sys.argv[1:] or sorted(path.stem for path in (ROOT / "dashboards").glob("*.json"))
    with tempfile.TemporaryDirectory() as made, stage(Path(made)) as (_, send):
        print(f"wanted: first within {WANTED_S:.0f} s, the median panel again within {WANTED_MS:.0f} ms")
        print(f"{'dashboard':<13} {'panels':>6} {'first':>9} {'again':>9} {'panel':>9}   the slowest at first")
        for name in names:
            measure(name, send)
        print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
