"""What every dashboard has: its place among the others, the variables that it hands on, and the changes as annotations."""

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.building import LABEL_VALUES, PURPLE, SOURCE
from driftband.grafana.explore import DATASOURCE

TAG = "driftband"
WORKSPACE, SERVICE, ENV = "workspace", "service", "env"
ABOUT = 'service=~"$service", env=~"$env"'
"""What narrows series that are of no workspace: metrics, incidents."""
WHERE = f'workspace=~"$workspace", {ABOUT}'
"""What narrows findings, resources and scans."""
EVERYTHING = ".*"
"""The value of All: it also lets through what has no such label."""

_CHANGES = f'driftband_change{{workspace=~"$workspace|", {ABOUT}}}'
"""Deployments have no workspace, and belong to all."""
_MENUS = {
    WORKSPACE: ("Workspace", "label_values(driftband_scan_status, workspace)"),
    SERVICE: ("Service", "label_values(driftband_actual, service)"),
    ENV: ("Environment", "label_values(driftband_actual, env)"),
}


def board(
    title: str,
    uid: str,
    description: str,
    panels: Sequence[Any],
    *,
    variables: Sequence[cog.Builder[model.VariableModel]] | None = None,
    time: tuple[str, str] = ("now-24h", "now"),
    marks: Sequence[cog.Builder[model.AnnotationQuery]] | None = None,
) -> model.Dashboard:
    """Return a dashboard of panels, numbered in their order.

    variables: besides the data source; workspace, service and environment unless given. marks: annotations; the changes
    that these leave unless given.
    """
    made = (
        build.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .time(*time)
        .refresh("1m")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(_others())
        .with_variable(source())
    )
    for variable in (choice(WORKSPACE), choice(SERVICE), choice(ENV)) if variables is None else variables:
        made.with_variable(variable)
    for mark in (marked(_CHANGES),) if marks is None else marks:
        made.annotation(mark)
    for number, panel in enumerate(panels, start=1):  # alert rules and annotations name a panel by its number
        made.with_panel(panel.id(number))
    return made.build()


def source() -> build.DatasourceVariable:
    """Return the variable that chooses the data source: ours, unless another is chosen."""
    chosen = model.VariableOption(text=DATASOURCE, value=DATASOURCE)
    return build.DatasourceVariable("datasource").label("Data source").type("prometheus").current(chosen)


def choice(name: str, query: str = "", *, label: str = "", single: bool = False) -> build.QueryVariable:
    """Return a variable of label values, of several and All unless ``single``; those of ``_MENUS`` by their name alone."""
    known = _MENUS.get(name, (name.capitalize(), ""))
    made = (
        build.QueryVariable(name)
        .label(label or known[0])
        .datasource(SOURCE)
        .query({"query": query or known[1], "qryType": LABEL_VALUES, "refId": name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=not single)
        .include_all(include_all=not single)
    )
    if single:
        return made
    return made.all_value(EVERYTHING).current(model.VariableOption(text="All", value="$__all"))


def marked(expr: str) -> cog.Builder[model.AnnotationQuery]:
    """Return the annotations of the changes that ``expr`` selects."""
    return _ChangesBuilder(expr)


def link_to(uid: str, title: str, **values: str) -> dict[str, object]:
    """Return a data link to another dashboard, at the same time and source, with the variables that are given."""
    handed_on = [f"var-{name}={value}" for name, value in values.items()]
    query = "&".join(["${__url_time_range}", "${datasource:queryparam}", *handed_on])
    return {"title": title, "url": f"/d/{uid}?{query}"}


def _others() -> build.DashboardLink:
    return (
        build.DashboardLink("driftband")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )


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
    def __init__(self, expr: str) -> None:
        self._expr = expr

    def build(self) -> model.AnnotationQuery:
        return _Changes(name="Changes", datasource=SOURCE, icon_color=PURPLE, expr=self._expr)
