"""The dashboard "Bands": what a service does, and what it was expected to do, up to six hours from now.

Functions are drawn with template variables and never with ad-hoc filters, which Grafana cannot put into a query whose
functions it does not know. A filled band finds its lower edge by display name, so each panel shows one service.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Lines
from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.annotation import TAG
from driftband.grafana.board import board, choice
from driftband.grafana.building import BLUE, ORANGE, PURPLE, SKY, VERMILION, coloured
from driftband.grafana.panels import About, band, scores, stat

UID = "driftband-bands"
MEMORY_LIMIT = 2**30
"""Bytes that the memory panel asks about; pods of the sample world are killed there."""

_GRAFANA = model.DataSourceRef(type_val="grafana", uid="-- Grafana --")
_HALF, _BAND_HEIGHT = 12, 9
_NO_BREACH_SECONDS = 10 * 365 * 86_400
_CHANGES = 100
_VALUE_SIZE = 56  # pixels; left to itself, Grafana fills the panel with three words


@dataclass(frozen=True, kw_only=True)
class _Watched:
    """One measure of a service: its panel's title, its PromQL, Grafana's unit, and what to read from it."""

    title: str
    expr: str
    unit: str
    description: str


_WATCHED = (
    _Watched(
        title="Request rate",
        expr='sum by (service) (rate(http_requests_total{service="$service"}[5m]))',
        unit="reqps",
        description="Requests answered a second. Below the band: callers stay away. Above it: a rush, or retries.",
    ),
    _Watched(
        title="Error share",
        expr=(
            'sum by (service) (rate(http_requests_total{service="$service",code=~"5.."}[5m]))'
            ' / sum by (service) (rate(http_requests_total{service="$service"}[5m]))'
        ),
        unit="percentunit",
        description="Share of requests that ended in a server error (5xx).",
    ),
    _Watched(
        title="Latency, 99th percentile",
        expr=(
            "histogram_quantile(0.99,"
            ' sum by (le, service) (rate(http_request_duration_seconds_bucket{service="$service"}[5m])))'
        ),
        unit="s",
        description="One request in a hundred takes longer than this.",
    ),
    _Watched(
        title="Memory",
        expr='max by (service) (process_resident_memory_bytes{service="$service"})',
        unit="bytes",
        description="Resident memory of the service's largest process.",
    ),
)


def bands() -> model.Dashboard:
    """Return the dashboard."""
    about_service = [TAG, "service:$service"]
    return board(
        "Bands",
        UID,
        "What a service does, what it was expected to do, and what to expect until six hours from now.",
        [*(_band(watched) for watched in _WATCHED), _scores(), _breach()],
        variables=(choice("service", "label_values(http_requests_total, service)", single=True),),
        time=("now-24h", "now+6h"),
        marks=(_changes("Changes", about_service), _changes("All changes", [TAG]).enable(enable=False)),
    )


def _changes(name: str, tags: list[str]) -> build.AnnotationQuery:
    """Ask Grafana itself for the annotations that driftband writes, those with all ``tags``."""
    target = build.AnnotationTarget().limit(_CHANGES).match_any(match_any=False).tags(tags).type("tags")
    return build.AnnotationQuery().name(name).datasource(_GRAFANA).icon_color(PURPLE).target(target)


def _band(watched: _Watched) -> Lines:
    description = f"{watched.description} Shaded: the 99% band; dashed: what is expected."
    about = About(title=watched.title, description=description, width=_HALF, height=_BAND_HEIGHT)
    return band(about, {"{{band}}": f"anomaly_band({watched.expr})"}, unit=watched.unit)


def _scores() -> Lines:
    about = About(
        title="Anomaly scores",
        description="Distance from what was expected, in half-widths of the band on that side: beyond 1 or -1 is outside "
        "it. A slow departure stays outside until it is accepted, even where the drawn band has followed.",
        width=_HALF,
        height=_BAND_HEIGHT,
    )
    colours = zip(_WATCHED, (BLUE, VERMILION, ORANGE, SKY), strict=True)
    panel = scores(about, {watched.title: f"anomaly_score({watched.expr})" for watched in _WATCHED})
    for watched, colour in colours:
        panel.override_by_name(watched.title, [coloured(colour)])
    return panel


def _breach() -> Stat:
    memory = _WATCHED[-1]
    never = model.DashboardRangeMapOptions(
        from_val=_NO_BREACH_SECONDS, result=model.ValueMappingResult(text="not in sight", color=BLUE)
    )
    about = About(
        title="Memory reaches 1 GiB in",
        description="Time until the forecast of the service's memory crosses 1 GiB (1073741824 bytes).",
        width=_HALF,
        height=_BAND_HEIGHT,
    )
    panel = stat(
        about,
        f"time_to_breach({memory.expr}, {MEMORY_LIMIT})",
        unit="s",
        thresholds=((None, VERMILION), (6 * 3600, ORANGE), (24 * 3600, BLUE)),
        mappings=[model.RangeMap(options=never)],
    )
    return panel.text(common_builder.VizTextDisplayOptions().value_size(_VALUE_SIZE))
