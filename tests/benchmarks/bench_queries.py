"""Queries through driftband against the same Prometheus asked directly, side by side in one run.

    python tests/benchmarks/bench_queries.py [--memory]

Starts a Prometheus with 15 days of 20 services and a driftband in front of it. ``--memory`` adds 10,000 queries and prints
the resident memory on the way.
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from integration.driftband_server import DriftbandServer
from integration.prometheus_server import PrometheusServer, backfill

NOW = int(time.time()) // 300 * 300
PANEL = {"start": NOW - 86_400, "end": NOW, "step": 60}
FORTNIGHT = {"start": NOW - 14 * 86_400, "end": NOW, "step": 300}
PODS = 4


def samples() -> str:
    random = np.random.default_rng(1)
    times = np.arange(NOW - 16 * 86_400, NOW + 1, 60)
    lines = ["# TYPE requests counter"]
    for service in range(20):
        for pod in range(PODS):
            rate = 20 + 10 * np.sin(times / 86_400 * 2 * np.pi + service) + random.normal(0, 2, len(times))
            counted = np.cumsum(np.maximum(rate, 0) * 60)
            lines += [
                f'requests_total{{service="s{service}",pod="{pod}"}} {v:.0f} {t}'
                for v, t in zip(counted, times, strict=True)
            ]
    return "\n".join([*lines, "# EOF\n"])


def timed(url: str, query: str, arguments: dict[str, int], session: requests.Session) -> float:
    started = time.perf_counter()
    answer = session.post(f"{url}/api/v1/query_range", data={"query": query, **arguments}, timeout=60)
    elapsed = time.perf_counter() - started
    assert answer.json()["data"]["result"], answer.text[:300]
    return elapsed


def median(times: list[float]) -> float:
    return statistics.median(times) * 1000


def line(what: str, ours: float, theirs: float, wanted: str) -> None:
    print(
        f"{what:<48} {ours:8.1f} ms {theirs:8.1f} ms   x{ours / theirs:5.2f}   +{ours - theirs:6.2f} ms   (wanted {wanted})"
    )


def compare(prometheus: str, driftband: str) -> None:
    direct, through = requests.Session(), requests.Session()
    raw = "sum by (service) (rate(requests_total[{}]))"
    cold, fortnight = [], []
    for n in range(7):
        query = raw.format(f"{5 * 60 + 2 * n}s")
        fortnight.append(timed(prometheus, query, FORTNIGHT, direct))
        # Another window each time: nothing of it is in any memory.
        query = raw.format(f"{5 * 60 + 2 * n + 1}s")
        cold.append(timed(driftband, f"anomaly_band({query})", PANEL, through))
    query = raw.format("5m")
    timed(driftband, f"anomaly_band({query})", PANEL, through)
    panel, warm = [], []
    for _ in range(15):
        panel.append(timed(prometheus, query, PANEL, direct))
        warm.append(timed(driftband, f"anomaly_band({query})", PANEL, through))
    small = {"start": NOW - 600, "end": NOW, "step": 60}
    one, passed = [], []
    for _ in range(300):
        one.append(timed(prometheus, "up or vector(1)", small, direct))
        passed.append(timed(driftband, "up or vector(1)", small, through))
    print(f"{'median of several':<48} {'driftband':>11} {'Prometheus':>11}")
    line("cold band, 20 series / raw 14-day query", median(cold), median(fortnight), "x1.6")
    line("warm band, 24 h at 1 m / raw panel query", median(warm), median(panel), "x3")
    line("pass-through of a small query", median(passed), median(one), "+2 ms")


def cached(session: requests.Session, url: str) -> int:
    exposed = session.get(f"{url}/metrics", timeout=60).text
    return sum(int(float(size)) for size in re.findall(r"(?m)^driftband_cache_bytes{.*} (.*)$", exposed))


def memory(driftband: DriftbandServer) -> None:
    session = requests.Session()
    print("\nMiB after so many queries, one in ten never asked before: resident, held by the caches")
    for n in range(10_001):
        query = "sum by (service) (rate(requests_total[5m]))"
        if n % 10 == 0:
            query += f" + {n}"
        timed(driftband.url, f"forecast({query})", {"start": NOW - 3600, "end": NOW, "step": 300}, session)
        if n % 1000 == 0:
            print(f"{n:>8} {driftband.memory() >> 20:>8} {cached(session, driftband.url) >> 20:>8}", flush=True)


def main(*arguments: Any) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory", action="store_true")
    wanted = parser.parse_args(*arguments)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        data.mkdir()
        backfill(data, samples())
        with (
            PrometheusServer(data) as prometheus,
            DriftbandServer(Path(folder), prometheus={"url": prometheus.url}) as driftband,
        ):
            compare(prometheus.url, driftband.url)
            if wanted.memory:
                memory(driftband)


if __name__ == "__main__":
    main()
