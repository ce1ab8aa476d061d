"""Evidence in and out of a running service, on SQLite and, where it is installed, on PostgreSQL.

    python tests/benchmarks/bench_ledger.py [--seconds 30] [--findings 1000000] [--only plan,reports,queries] [--store sqlite]

plan: a plan of 20 MB, posted. reports: as many small ones a minute as four clients can send. queries: lists and series of a
store with a year of a million findings.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from driftband.store.database import Database
from integration.evidence_api import A, Api, B, capture, serving
from integration.large_store import fill
from integration.postgres_server import PostgresServer, missing_programs

RESOURCES = 4_100
CLIENTS = 4
MIB = 1 << 20


def large_plan(version: int) -> bytes:
    """Return a normal plan of 20 MB: 4,100 resources, one in a hundred drifted, one in fifty to be changed."""
    attributes = {f"attribute_{n}": f"value {n} of some length" for n in range(18)}
    rules = [{"from_port": n, "to_port": n, "cidr_blocks": ["10.0.0.0/8"], "description": None} for n in range(3)]

    def thing(n: int, size: int) -> dict[str, Any]:
        tags = {"service": f"service-{n % 40}", "env": "prod"}
        return {"id": f"sg-{n:08x}", "name": f"thing-{n}", "size": size, **attributes, "rules": rules, "tags": tags}

    def named(n: int) -> dict[str, Any]:
        address = f'module.part["p{n % 50}"].aws_thing.this[{n}]'
        provider = "registry.terraform.io/hashicorp/aws"
        return {"address": address, "mode": "managed", "type": "aws_thing", "name": "this", "provider_name": provider}

    def change(n: int, actions: list[str], before: int, after: int) -> dict[str, Any]:
        masks = {"before_sensitive": {"tags": {}}, "after_sensitive": {"tags": {}}, "after_unknown": {}}
        return {
            **named(n),
            "change": {"actions": actions, "before": thing(n, before), "after": thing(n, after), **masks},
        }

    found = [version + 2 if n % 100 == 0 else 1 for n in range(RESOURCES)]
    state = [{**named(n), "values": thing(n, found[n]), "sensitive_values": {"tags": {}}} for n in range(RESOURCES)]
    drift = [change(n, ["update"], 1, found[n]) for n in range(0, RESOURCES, 100)]
    planned = [change(n, ["update"] if n % 50 == 0 else ["no-op"], found[n], 1) for n in range(RESOURCES)]
    modules = [{"address": "module.part", "resources": state}]
    head = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "complete": True,
        "errored": False,
        "applyable": True,
    }
    values = {"root_module": {"child_modules": modules}}
    document = {**head, "prior_state": {"format_version": "1.0", "values": values}, "resource_drift": drift}
    return json.dumps(
        {**document, "resource_changes": planned, "planned_values": values}, separators=(",", ":")
    ).encode()


@contextmanager
def peak(api: Api) -> Iterator[list[int]]:
    """Give what the service has grown by in bytes, filled meanwhile."""
    before, grown, done = api.server.memory(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            grown.append(api.server.memory() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield grown
    finally:
        done.set()
        thread.join()


def line(what: str, value: str, wanted: str = "") -> None:
    print(f"  {what:<58} {value:>14}" + (f"   (wanted {wanted})" if wanted else ""), flush=True)


def plan(api: Api) -> None:
    api.report(capture(A), "bench/warm")
    bodies = [large_plan(version) for version in range(3)]
    names = ("a plan of 20 MB, its workspace new", "the next one, with other drift", "and the one after")
    with peak(api) as grown:
        for version, (body, name) in enumerate(zip(bodies, names, strict=True)):
            started = time.perf_counter()
            taken = api.report(body, "bench/plan", run=f"run-{version}")
            line(f"{name} ({len(body) / 1e6:.1f} MB)", f"{time.perf_counter() - started:.2f} s", "under 1 s")
            assert taken["run"]["status"] == "drifted"
    line("what the service grew by at most", f"{max(grown) / MIB:.0f} MiB", "under 200 MB")


def reports(api: Api, seconds: float) -> None:
    numbers, until = count(), time.monotonic() + seconds
    bodies = (capture(A), capture(B))

    def send(client: int) -> list[float]:
        took: list[float] = []
        while time.monotonic() < until:
            own = len(took)
            workspace = "bench/shared" if own % 2 else f"bench/{client}/{own % 50}"
            started = time.perf_counter()
            api.report(bodies[own // 2 % 2], workspace, run=f"run-{next(numbers)}", started_at=datetime.now(UTC))
            took.append(time.perf_counter() - started)
        return took

    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        took = [each for client in pool.map(send, range(CLIENTS)) for each in client]
    minute = len(took) / (time.monotonic() - started) * 60
    line(f"reports a minute, {CLIENTS} clients, {seconds:.0f} s", f"{minute:,.0f}", "1,000")
    line(
        "median and 99th percentile of one",
        f"{statistics.median(took) * 1000:.0f}, {statistics.quantiles(took, n=100)[98] * 1000:.0f} ms",
    )


def median(call: Callable[[], Any], times: int = 7) -> str:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return f"{statistics.median(took) * 1000:.1f} ms"


def queries(api: Api, end: datetime) -> None:
    then, month = end - timedelta(days=200), end - timedelta(days=30)
    mine = '{workspace="w/7"}'
    asked: dict[str, Callable[[], Any]] = {
        "findings: open": lambda: api.get("/findings"),
        "findings: all, next page": lambda: api.get("/findings", state="all", cursor=api.get("/findings", state="all")["next"]),
        "findings: closed, critical": lambda: api.get("/findings", state="closed", severity="critical"),
        "findings: of a workspace": lambda: api.get("/findings", state="all", workspace="w/7"),
        "findings: of an hour half a year ago": lambda: api.get("/findings", state="all", since=then - timedelta(hours=1), until=then),
        "runs": lambda: api.get("/runs"),
        "changes: of a commit": lambda: api.get("/changes", commit="c7"),
        "inventory of a workspace": lambda: api.get("/inventory", workspace="w/7"),
        "driftband_drift of a workspace, now": lambda: api.instant(f"driftband_drift{mine}"),
        "driftband_drift of a workspace, half a year ago": lambda: api.instant(f"driftband_drift{mine}", then),
        "driftband_drift of an address everywhere, now": lambda: api.instant("driftband_drift{address='a_thing.x[\"60\"]'}"),
        "driftband_drift of a workspace, 24 h at 1 m": lambda: api.server.range(f"driftband_drift{mine}", month.timestamp(), month.timestamp() + 86_400, 60),
        "driftband_change, now": lambda: api.instant("driftband_change"),
        "driftband_change, half a year ago": lambda: api.instant("driftband_change", then),
        "driftband_change, 30 days at 1 h": lambda: api.server.range('driftband_change{workspace="w/7"}', month.timestamp(), end.timestamp(), 3600),
        "driftband_identity_info, now": lambda: api.instant("driftband_identity_info"),
        "driftband_scan_status, now": lambda: api.instant("driftband_scan_status"),
        "a small report": lambda: api.report(capture(B), "w/7", run=f"bench-{time.monotonic_ns()}", started_at=datetime.now(UTC)),
    }  # fmt: skip
    for name, call in asked.items():
        line(name, median(call))


@contextmanager
def stores(only: str) -> Iterator[list[tuple[str, Callable[[Path], str]]]]:
    found: list[tuple[str, Callable[[Path], str]]] = [("sqlite", lambda folder: f"sqlite:///{folder}/ledger.db")]
    if missing_programs() or only == "sqlite":
        yield found
        return
    with PostgresServer() as server:
        found.append(("postgresql", lambda _: server.new_database()))
        yield [(name, make) for name, make in found if only in (name, "")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--only", default="plan,reports,queries")
    parser.add_argument("--store", default="", choices=["", "sqlite", "postgresql"])
    wanted = parser.parse_args()
    with stores(wanted.store) as known:
        for name, make in known:
            print(name)
            for part in wanted.only.split(","):
                with tempfile.TemporaryDirectory() as folder:
                    url = make(Path(folder))
                    end = datetime.now(UTC)
                    if part == "queries":
                        started = time.perf_counter()
                        database = Database(url)
                        fill(database, wanted.findings, end, analysed=name != "sqlite")
                        database.close()
                        line(
                            f"({wanted.findings:,} findings and what belongs to them written)",
                            f"{time.perf_counter() - started:.0f} s",
                        )
                    with serving(Path(folder), url) as api:
                        if part == "plan":
                            plan(api)
                        elif part == "reports":
                            reports(api, wanted.seconds)
                        else:
                            queries(api, end)


if __name__ == "__main__":
    main()
