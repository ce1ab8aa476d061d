"""The dashboard "Configuration drift": what is not as Terraform declares it, since when, and what was changed around it."""

from typing import Any

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import TableCellDisplayMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from driftband.grafana.building import (
    BLUE,
    GREEN,
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

UID = "driftband-drift"

_DRIFT = 'driftband_drift{layer="configuration", workspace=~"$workspace"}'
_GRID_SECONDS = 300
"""Between two samples that ``count_over_time`` of a native series counts: ``bands.step``, unless configured otherwise."""
_SINCE = (
    f"{_DRIFT} * 0 + on (finding) group_left ()"
    f" ((time() - {_GRID_SECONDS} * sum by (finding) (count_over_time({_DRIFT}[$__range]))) * 1000)"
)
_LAST_WHOLE = (
    'driftband_scan_last_complete_timestamp_seconds{workspace=~"$workspace"} * 1000'
    " * on (workspace) group_left (status) driftband_scan_status"
)
_SEVERITIES = (("critical", VERMILION), ("error", ORANGE), ("warning", SKY), ("info", BLUE))
_CLASSES = (("drift", VERMILION), ("accepted_undeclared", PURPLE), ("provisional", SKY))
_STAT_HEIGHT, _ROW_HEIGHT, _TABLE_HEIGHT = 4, 8, 8
_FILL_OPACITY = 40


class _Changes(model.AnnotationQuery):
    """An annotation query of the Prometheus data source, whose settings the SDK does not know.

    In a text a label that is not there is shown by its name; among the tags it is left out.
    """

    def to_json(self) -> dict[str, object]:
        """Return the JSON of Grafana."""
        return {
            **super().to_json(),
            "step": "1m",
            "titleFormat": "{{summary}}",
            "textFormat": '<a href="{{url}}">{{change}}</a>',
            "tagKeys": "kind,workspace,service,actor,commit",
            "useValueForTime": True,
        }


class _ChangesBuilder(cog.Builder[model.AnnotationQuery]):
    def build(self) -> model.AnnotationQuery:
        return _Changes(
            name="Changes",
            datasource=SOURCE,
            icon_color=PURPLE,
            # Deployments have no workspace, and belong to all.
            expr='driftband_change{workspace=~"$workspace|"}',
        )


def drift() -> model.Dashboard:
    """Return the dashboard."""
    dashboard = (
        build.Dashboard("Configuration drift")
        .uid(UID)
        .description("What is not as Terraform declares it, since when, and what was changed around it.")
        .tags(["driftband"])
        .time("now-7d", "now")
        .refresh("1m")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_workspace())
        .annotation(_ChangesBuilder())
    )
    panels: list[Any] = [*(_count(*one) for one in _SEVERITIES), _findings(), _over_time(), _scans()]
    for number, panel in enumerate(panels, start=1):  # alert rules and annotations name a panel by its number
        dashboard.with_panel(panel.id(number))
    return dashboard.build()


def _workspace() -> build.QueryVariable:
    return (
        build.QueryVariable("workspace")
        .label("Workspace")
        .datasource(SOURCE)
        .query(
            {"query": "label_values(driftband_scan_status, workspace)", "qryType": LABEL_VALUES, "refId": "workspace"}
        )
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(model.VariableOption(text="All", value="$__all"))
    )


def _count(severity: str, colour: str) -> Stat:
    expr = (
        f'count(driftband_drift{{layer="configuration", workspace=~"$workspace", severity="{severity}"}}) or vector(0)'
    )
    return (
        Stat()
        .title(f"Open, {severity}")
        .description(f"Findings of severity {severity} that are open and count as drift.")
        .datasource(SOURCE)
        .unit("short")
        .span(6)
        .height(_STAT_HEIGHT)
        .graph_mode(common.BigValueGraphMode.AREA)
        .reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(steps((None, GREEN), (1, colour)))
        .with_target(query(expr, severity).range())
    )


def _instant_table(expr: str) -> Dataquery:
    return query(expr).instant().format(PromQueryFormat.TABLE)


def _columns(*shown: tuple[str, str]) -> model.DataTransformerConfig:
    """Show these fields, in this order, under these names, and no others."""
    return model.DataTransformerConfig(
        id_val="filterFieldsByName", options={"include": {"names": [name for name, _ in shown]}}
    )


def _named(*shown: tuple[str, str]) -> model.DataTransformerConfig:
    return model.DataTransformerConfig(
        id_val="organize",
        options={
            "indexByName": {name: place for place, (name, _) in enumerate(shown)},
            "renameByName": dict(shown),
        },
    )


def _findings() -> Table:
    shown = (
        ("severity", "Severity"),
        ("Value", "Since"),
        ("workspace", "Workspace"),
        ("address", "Address"),
        ("kind", "Kind"),
        ("class", "Class"),
        ("service", "Service"),
        ("team", "Team"),
    )
    return (
        Table()
        .title("Open findings")
        .description(
            "What is open and counts as drift. Since: to the minute of bands.step, and at most as far back as this "
            "dashboard looks. Who did it and what was there before: driftband's page of workspaces."
        )
        .datasource(SOURCE)
        .span(24)
        .height(_TABLE_HEIGHT)
        .with_target(_instant_table(_SINCE))
        .with_transformation(_columns(*shown))
        .with_transformation(_named(*shown))
        .override_by_name(
            "Since", [set_to("unit", "dateTimeFromNow"), set_to("custom.width", 120), set_to("custom.align", "left")]
        )
        .override_by_name(
            "Severity",
            [
                set_to("custom.cellOptions", {"type": TableCellDisplayMode.COLOR_TEXT.value}),
                set_to("mappings", [_severity_colours()]),
                set_to("custom.width", 110),
            ],
        )
        .override_by_name("Workspace", [set_to("custom.width", 140)])
        .override_by_name("Kind", [set_to("custom.width", 160)])
        .override_by_name("Class", [set_to("custom.width", 180)])
        .override_by_name("Service", [set_to("custom.width", 100)])
        .override_by_name("Team", [set_to("custom.width", 100)])
        .sort_by([common_builder.TableSortByFieldState().display_name("Severity").desc(desc=False)])
    )


def _severity_colours() -> dict[str, Any]:
    listed = {name: {"color": colour, "index": place} for place, (name, colour) in enumerate(_SEVERITIES)}
    return {"type": "value", "options": listed}


def _over_time() -> Timeseries:
    panel = (
        Timeseries()
        .title("Open findings over time, by class")
        .description(
            "drift: reality is not what the state says. accepted_undeclared: the state took it over, and the code does "
            "not say it. provisional: seen while an apply ran, or named without its attributes."
        )
        .datasource(SOURCE)
        .unit("short")
        .decimals(0)
        .min(0)
        .span(14)
        .height(_ROW_HEIGHT)
        .line_width(1)
        .line_interpolation(common.LineInterpolation.STEP_AFTER)
        .fill_opacity(_FILL_OPACITY)
        .stacking(common_builder.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        .show_points(common.VisibilityMode.NEVER)
        .legend(legend())
        .tooltip(common_builder.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .with_target(query(f"count by (class) ({_DRIFT})", "{{class}}").range())
    )
    for name, colour in _CLASSES:
        panel.override_by_name(name, [coloured(colour)])
    return panel


def _scans() -> Table:
    shown = (("workspace", "Workspace"), ("status", "Last run"), ("Value", "Last looked at whole"))
    return (
        Table()
        .title("Scans")
        .description("When each workspace was last looked at whole, and what its last run was.")
        .datasource(SOURCE)
        .span(10)
        .height(_ROW_HEIGHT)
        .with_target(_instant_table(_LAST_WHOLE))
        .with_transformation(_columns(*shown))
        .with_transformation(_named(*shown))
        .override_by_name("Last looked at whole", [set_to("unit", "dateTimeFromNow")])
    )
