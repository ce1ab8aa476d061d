"""The dashboard "Bands": what a service does, and what it was expected to do, up to six hours from now.

Functions are drawn with template variables and never with ad-hoc filters, which Grafana cannot put into a query whose
functions it does not know. A filled band finds its lower edge by display name, so each panel shows one service.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.annotation import TAG
from driftband.grafana.building import (
    BLUE,
    LABEL_VALUES,
    ORANGE,
    PURPLE,
    SKY,
    SOURCE,
    VERMILION,
    coloured,
    legend,
    query,
    set_to,
    steps,
)

UID = "driftband-bands"
MEMORY_LIMIT = 2**30
"""Bytes that the memory panel asks about; pods of the sample world are killed there."""

_GRAFANA = model.DataSourceRef(type_val="grafana", uid="-- Grafana --")
_HALF, _BAND_HEIGHT = 12, 9
_NO_BREACH_SECONDS = 10 * 365 * 86_400
_FILL_OPACITY = 15
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
    dashboard = (
        build.Dashboard("Bands")
        .uid(UID)
        .description("A service's rate, errors, latency and memory within their forecast bands, past and future.")
        .tags(["driftband"])
        .time("now-24h", "now+6h")
        .refresh("1m")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .annotation(_changes("Changes", [TAG, "service:$service"]))
        .annotation(_changes("All changes", [TAG]).enable(enable=False))
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_service())
    )
    panels: list[Timeseries | Stat] = [*map(_band, _WATCHED), _scores(), _breach()]
    for number, panel in enumerate(panels, start=1):  # alert rules and annotations name a panel by its number
        dashboard.with_panel(panel.id(number))
    return dashboard.build()


def _changes(name: str, tags: list[str]) -> build.AnnotationQuery:
    """Ask Grafana itself for the annotations that driftband writes, those with all ``tags``."""
    target = build.AnnotationTarget().limit(_CHANGES).match_any(match_any=False).tags(tags).type("tags")
    return build.AnnotationQuery().name(name).datasource(_GRAFANA).icon_color(PURPLE).target(target)


def _service() -> build.QueryVariable:
    return (
        build.QueryVariable("service")
        .label("Service")
        .datasource(SOURCE)
        .query({"query": "label_values(http_requests_total, service)", "qryType": LABEL_VALUES, "refId": "service"})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=False)
        .include_all(include_all=False)
    )


def _band(watched: _Watched) -> Timeseries:
    return (
        Timeseries()
        .title(watched.title)
        .description(f"{watched.description} Shaded: the 99% band; dashed: what is expected.")
        .datasource(SOURCE)
        .unit(watched.unit)
        .span(_HALF)
        .height(_BAND_HEIGHT)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .legend(legend())
        .tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .with_target(query(f"anomaly_band({watched.expr})", "{{band}}").range())
        .override_by_name("actual", [coloured(BLUE)])
        .override_by_name("lower", [coloured(SKY), set_to("custom.lineWidth", 0)])
        .override_by_name("expected", [coloured(ORANGE), set_to("custom.lineStyle", {"dash": [6, 6], "fill": "dash"})])
        .override_by_name(
            "upper",
            [
                coloured(SKY),
                set_to("custom.fillBelowTo", "lower"),
                set_to("custom.fillOpacity", _FILL_OPACITY),
                set_to("custom.lineWidth", 0),
            ],
        )
    )


def _scores() -> Timeseries:
    panel = (
        Timeseries()
        .title("Anomaly scores")
        .description(
            "Distance from what was expected, in half-widths of the band on that side: beyond 1 or -1 is outside it. "
            "A slow departure stays outside until it is accepted, even where the drawn band has followed."
        )
        .datasource(SOURCE)
        .unit("none")
        .decimals(2)
        .span(_HALF)
        .height(_BAND_HEIGHT)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .axis_soft_min(-2)
        .axis_soft_max(2)
        .legend(legend())
        .tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .thresholds(steps((None, BLUE), (-1, VERMILION), (1, VERMILION)))
        .thresholds_style(common_builder.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED))
    )
    for ref_id, watched, colour in zip("ABCD", _WATCHED, (BLUE, VERMILION, ORANGE, SKY), strict=True):
        panel.with_target(query(f"anomaly_score({watched.expr})", watched.title, ref_id).range())
        panel.override_by_name(watched.title, [coloured(colour)])
    return panel


def _breach() -> Stat:
    memory = _WATCHED[-1]
    never = model.DashboardRangeMapOptions(
        from_val=_NO_BREACH_SECONDS, result=model.ValueMappingResult(text="not in sight", color=BLUE)
    )
    return (
        Stat()
        .title("Memory reaches 1 GiB in")
        .description("Time until the forecast of the service's memory crosses 1 GiB (1073741824 bytes).")
        .datasource(SOURCE)
        .unit("s")
        .span(_HALF)
        .height(_BAND_HEIGHT)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text(common_builder.VizTextDisplayOptions().value_size(_VALUE_SIZE))
        .reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(steps((None, VERMILION), (6 * 3600, ORANGE), (24 * 3600, BLUE)))
        .mappings([model.RangeMap(options=never)])
        .with_target(query(f"time_to_breach({memory.expr}, {MEMORY_LIMIT})", "{{service}}").instant())
    )
