"""The dashboard "Bands": what a service does, and what it was expected to do, up to six hours from now.

Functions are drawn with template variables and never with ad-hoc filters, which Grafana cannot put into a query whose
functions it does not know. A filled band finds its lower edge by display name, so each panel shows one service.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import QueryEditorMode

UID = "driftband-bands"
MEMORY_LIMIT = 2**30
"""Bytes that the memory panel asks about; pods of the sample world are killed there."""

# Okabe and Ito, "Color Universal Design", 2008: told apart by colour-blind people too.
_BLUE, _SKY, _ORANGE, _VERMILION = "#0072B2", "#56B4E9", "#E69F00", "#D55E00"

_SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
_HALF, _BAND_HEIGHT = 12, 9
_NO_BREACH_SECONDS = 10 * 365 * 86_400
_FILL_OPACITY = 15
_LABEL_VALUES = 1  # how Grafana numbers this kind of variable query


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
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_service())
    )
    panels: list[Timeseries | Stat] = [*map(_band, _WATCHED), _scores(), _breach()]
    for number, panel in enumerate(panels, start=1):  # alert rules and annotations name a panel by its number
        dashboard.with_panel(panel.id(number))
    return dashboard.build()


def _service() -> build.QueryVariable:
    return (
        build.QueryVariable("service")
        .label("Service")
        .datasource(_SOURCE)
        .query({"query": "label_values(http_requests_total, service)", "qryType": _LABEL_VALUES, "refId": "service"})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=False)
        .include_all(include_all=False)
    )


def _query(expr: str, legend: str, ref_id: str = "A") -> Dataquery:
    # Grafana's builder mode would lose a function that it does not know.
    return Dataquery().expr(expr).editor_mode(QueryEditorMode.CODE).legend_format(legend).ref_id(ref_id)


def _band(watched: _Watched) -> Timeseries:
    return (
        Timeseries()
        .title(watched.title)
        .description(f"{watched.description} Shaded: the 99% band; dashed: what is expected.")
        .datasource(_SOURCE)
        .unit(watched.unit)
        .span(_HALF)
        .height(_BAND_HEIGHT)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .with_target(_query(f"anomaly_band({watched.expr})", "{{band}}").range())
        .override_by_name("actual", [_colour(_BLUE)])
        .override_by_name("lower", [_colour(_SKY), _set("custom.lineWidth", 0)])
        .override_by_name("expected", [_colour(_ORANGE), _set("custom.lineStyle", {"dash": [6, 6], "fill": "dash"})])
        .override_by_name(
            "upper",
            [
                _colour(_SKY),
                _set("custom.fillBelowTo", "lower"),
                _set("custom.fillOpacity", _FILL_OPACITY),
                _set("custom.lineWidth", 0),
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
        .datasource(_SOURCE)
        .unit("none")
        .decimals(2)
        .span(_HALF)
        .height(_BAND_HEIGHT)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .axis_soft_min(-2)
        .axis_soft_max(2)
        .legend(_legend())
        .tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .thresholds(_steps((None, _VERMILION), (-1, _BLUE), (1, _VERMILION)))
        .thresholds_style(common_builder.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED))
    )
    for ref_id, watched, colour in zip("ABCD", _WATCHED, (_BLUE, _VERMILION, _ORANGE, _SKY), strict=True):
        panel.with_target(_query(f"anomaly_score({watched.expr})", watched.title, ref_id).range())
        panel.override_by_name(watched.title, [_colour(colour)])
    return panel


def _breach() -> Stat:
    memory = _WATCHED[-1]
    never = model.DashboardRangeMapOptions(
        from_val=_NO_BREACH_SECONDS, result=model.ValueMappingResult(text="not in sight", color=_BLUE)
    )
    return (
        Stat()
        .title("Memory reaches 1 GiB in")
        .description("Time until the forecast of the service's memory crosses 1 GiB (1073741824 bytes).")
        .datasource(_SOURCE)
        .unit("s")
        .span(_HALF)
        .height(_BAND_HEIGHT)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_steps((None, _VERMILION), (6 * 3600, _ORANGE), (24 * 3600, _BLUE)))
        .mappings([model.RangeMap(options=never)])
        .with_target(_query(f"time_to_breach({memory.expr}, {MEMORY_LIMIT})", "{{service}}").instant())
    )


def _legend() -> common_builder.VizLegendOptions:
    return (
        common_builder.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )


def _steps(*steps: tuple[float | None, str]) -> build.ThresholdsConfig:
    thresholds = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(thresholds)


def _colour(colour: str) -> model.DynamicConfigValue:
    return _set("color", {"fixedColor": colour, "mode": "fixed"})


def _set(key: str, value: object) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val=key, value=value)
