"""Fifty services with weeks of golden signals in a Prometheus, and what became of them in driftband's store."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert

from driftband.model.series import Floats, Instants
from driftband.store.database import Database
from driftband.store.tables_incidents import incident_versions, incidents
from integration.evidence_api import Api

SERVICES = [f"service-{n:02}" for n in range(50)]
DAYS, AHEAD = 16, 7_200
"""Of telemetry before now, and seconds after it: nothing scrapes it meanwhile."""
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
CHANGES, WORKSPACES, RESOURCES, SCANS = 300, 50, 20, 6
INCIDENTS, OPEN_INCIDENTS = 150, 10
SIGNALS: list[dict[str, Any]] = [
    {"name": "memory", "expr": "max by (service, env, team) (process_resident_memory_bytes)", "unit": "bytes", "limit": 2**30},
    {"name": "cpu", "expr": "sum by (service, env, team) (rate(process_cpu_seconds_total[5m]))", "unit": "cores"},
    {"name": "connections", "expr": "max by (service, env, team) (db_connections_in_use)", "unit": "connections"},
]  # fmt: skip
CONFIG: dict[str, Any] = {
    "packs": ["http"],
    "identity": ["service", "env", "team"],
    "signals": SIGNALS,
    "dependencies": {"expr": "sum by (client, server) (rate(traces_service_graph_request_total[5m])) > 0"},
}


def days(now: int) -> Iterator[str]:
    """Yield OpenMetrics, a day at a time, with a sample a minute up to ``now`` (epoch s) and a little after.

    Every sixth service was slow for 40 minutes of today.
    """
    times = np.arange(now - DAYS * 86_400, now + AHEAD, 60)
    series = dict(sorted(_series(times, now)))
    for first in range(0, len(times), 1440):
        part = slice(first, first + 1440)
        written = times[part].tolist()
        lines = [
            f"{head} {value:.10g} {at}"
            for head, values in series.items()
            for value, at in zip(values[part].tolist(), written, strict=True)
        ]
        yield "\n".join([*lines, "# EOF\n"])


def _series(times: Instants, now: int) -> Iterator[tuple[str, Floats]]:
    chance = np.random.default_rng(1)
    for n, service in enumerate(SERVICES):
        labels = f'service="{service}",env="prod",team="team-{n % 8}"'
        season = 1 + 0.4 * np.sin(times / 86_400 * 2 * np.pi + n)
        requests = np.maximum((5 + n) * season + chance.normal(0, 1, len(times)), 0) * 60
        began = now - 3_600 * (2 + n // 6)
        slow = np.where((n % 6 == 0) & (times >= began) & (times < began + 2_400), 5.0, 1.0)
        failed = requests * 0.002 * slow**2 * chance.uniform(0.5, 1.5, len(times))
        yield f'http_requests_total{{{labels},code="200"}}', _counted(requests - failed)
        yield f'http_requests_total{{{labels},code="500"}}', _counted(failed)
        middle = 0.04 * (1 + 0.1 * season) * slow * chance.uniform(0.9, 1.1, len(times))
        for bound in (*BOUNDS, np.inf):
            written = "+Inf" if bound == np.inf else f"{bound}"
            below = requests / (1 + (middle / bound) ** 3)
            yield f'http_request_duration_seconds_bucket{{{labels},le="{written}"}}', _counted(below)
        yield f"process_cpu_seconds_total{{{labels}}}", np.cumsum(requests * 0.004)
        memory = 3e8 * (1 + 0.1 * season) + chance.normal(0, 3e6, len(times))
        yield f"process_resident_memory_bytes{{{labels}}}", np.round(memory)
        used = 20 * season + 10 * (slow > 1) + chance.normal(0, 1, len(times))
        yield f"db_connections_in_use{{{labels}}}", np.round(used)
        for server in ((n * 2 + 1) % len(SERVICES), (n * 2 + 2) % len(SERVICES)):
            edge = f'client="{service}",server="{SERVICES[server]}"'
            yield f"traces_service_graph_request_total{{{edge}}}", _counted(requests / 2)


def _counted(increase: Floats) -> Floats:
    return np.round(np.cumsum(np.maximum(increase, 0)))


def tell(api: Api, now: int) -> None:
    """Tell of a week of changes and of scans, whose drift comes and goes; one workspace in five has drifted still."""
    chance = random.Random(1)
    end = datetime.fromtimestamp(now, UTC)
    for n in range(CHANGES):
        began = end - timedelta(minutes=chance.uniform(10, 7 * 1440) if n else 720)
        service = chance.randrange(len(SERVICES))
        kind = ("deploy", "terraform_apply", "manual")[n % 3]
        api.change(
            id=f"change-{n}", kind=kind, status="succeeded", started_at=began, ended_at=began + timedelta(minutes=4),
            commit=f"c{n:06x}", actor=f"dana-{n % 9}", url=f"https://ci.example/{n}", summary=f"{kind} number {n}",
            workspace=f"prod/{SERVICES[service]}" if kind == "terraform_apply" else None,
            identity={"service": SERVICES[service], "env": "prod", "team": f"team-{service % 8}"},
        )  # fmt: skip
    for at, workspace, drifted in _scans(end):
        body = json.dumps(_plan(workspace, drifted, at)).encode()
        api.report(body, f"prod/{SERVICES[workspace]}", run=f"{workspace}-{at:%d%H%M}", started_at=at, commit="c1")


def _scans(end: datetime) -> Iterator[tuple[datetime, int, int]]:
    """Yield when what was scanned, and how many of its resources had drifted."""
    for scan in range(SCANS):
        for workspace in range(WORKSPACES):
            at = end - timedelta(hours=24 * (SCANS - scan) - 20, minutes=workspace)
            last = scan == SCANS - 1
            yield at, workspace, (3 if workspace % 5 == 0 else 0) if last else (scan + workspace) % 3


def _plan(workspace: int, drifted: int, at: datetime) -> dict[str, Any]:
    tags = {"service": SERVICES[workspace], "env": "prod", "team": f"team-{workspace % 8}"}

    def thing(n: int) -> dict[str, Any]:
        address = f"module.app.aws_db_parameter_group.this[{n}]"
        return {"address": address, "mode": "managed", "type": "aws_db_parameter_group", "name": "this", "provider_name": "example.test/a/a"}  # fmt: skip

    state = [{**thing(n), "values": {"size": 5 if n < drifted else 1, "tags": tags}} for n in range(RESOURCES)]
    drift = [
        {**thing(n), "change": {"actions": ["update"], "before": {"size": 1, "tags": tags}, "after": {"size": 5, "tags": tags}}}
        for n in range(drifted)
    ]  # fmt: skip
    values = {"root_module": {"child_modules": [{"address": "module.app", "resources": state}]}}
    head = {"format_version": "1.2", "terraform_version": "1.11.4", "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    flags = {"applyable": False, "complete": True, "errored": False}
    return {**head, **flags, "prior_state": {"format_version": "1.0", "values": values}, "resource_drift": drift}


def remember(database: Database, now: int) -> None:
    """Write the week's incidents, of which the last ten are open: what led to them is over, and would not be told again."""
    end, chance = datetime.fromtimestamp(now, UTC), random.Random(2)
    rows, versions = [], []
    for n in range(INCIDENTS):
        opened = end - timedelta(minutes=10 + n * 7 * 1440 / INCIDENTS)
        resolved = None if n < OPEN_INCIDENTS else opened + timedelta(minutes=40)
        service = chance.randrange(len(SERVICES))
        identity = {"service": SERVICES[service], "env": "prod", "team": f"team-{service % 8}"}
        suspect = f"change-{chance.randrange(CHANGES)}" if n % 3 else ""
        told = {
            "title": f"latency of {SERVICES[service]}",
            "severity": "error",
            "verdict": "explained" if suspect else "unexplained",
        }
        announced = {
            **identity,
            **told,
            "incident": f"incident-{n}",
            "suspect": suspect,
            "suspect_commit": "",
            "url": f"http://x/{n}",
        }
        rows.append(
            {
                **told,
                "id": f"incident-{n}",
                "state": "resolved" if resolved else "open",
                "opened_at": opened,
                "resolved_at": resolved,
                "identity": identity,
                "suspects": [],
                "context": {},
                "announced": announced,
            }
        )
        version = {
            **told,
            "incident": f"incident-{n}",
            "findings": 2,
            "identity": identity,
            "suspect": suspect,
            "suspect_commit": "",
        }
        score = {"suspect_score": 0.8 if suspect else None}
        versions.append({**version, **score, "state": "open", "valid_from": opened, "valid_to": resolved})
        if resolved:
            lasts = resolved + timedelta(days=7)
            versions.append({**version, **score, "state": "resolved", "valid_from": resolved, "valid_to": lasts})
    with database.write() as connection:
        connection.execute(insert(incidents), rows)
        connection.execute(insert(incident_versions), versions)
