"""Dashboards as code: their JSON is written from their source, and the same source gives the same bytes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from driftband.grafana.bands_dashboard import bands
from driftband.grafana.change_dashboard import change
from driftband.grafana.dependencies_dashboard import dependencies
from driftband.grafana.drift_dashboard import drift
from driftband.grafana.incidents_dashboard import incidents
from driftband.grafana.overview_dashboard import overview
from driftband.grafana.own_dashboard import itself
from driftband.grafana.service_dashboard import service
from driftband.grafana.signal_dashboard import signal

DASHBOARDS: Mapping[str, Callable[[], Dashboard]] = {
    "overview.json": overview,
    "service.json": service,
    "signal.json": signal,
    "bands.json": bands,
    "drift.json": drift,
    "change.json": change,
    "dependencies.json": dependencies,
    "incidents.json": incidents,
    "itself.json": itself,
}


def build(out: Path) -> None:
    """Write every dashboard into the folder ``out``, which is made where it is missing; OSError as it comes."""
    out.mkdir(parents=True, exist_ok=True)
    for name, dashboard in DASHBOARDS.items():
        (out / name).write_text(_text(dashboard()), encoding="utf-8", newline="\n")


def check(out: Path) -> list[str]:
    """Return the files in ``out`` that are missing, not what ``build`` would write, or of no dashboard, with why."""
    stale = []
    for name, dashboard in DASHBOARDS.items():
        path = out / name
        if not path.is_file():
            stale.append(f"{path}: missing")
        elif path.read_bytes() != _text(dashboard()).encode():
            stale.append(f"{path}: differs")
    left_over = sorted(path for path in out.glob("*.json") if path.name not in DASHBOARDS)
    return stale + [f"{path}: no source makes it" for path in left_over]


def _text(dashboard: Dashboard) -> str:
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
