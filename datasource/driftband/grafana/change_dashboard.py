"""The dashboard "Change": before and after one change, every signal that moved, ranked."""

from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Lines
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from driftband.grafana.board import ABOUT, ENV, SERVICE, board, choice, link_to, marked
from driftband.grafana.building import SOURCE, query, ranked_legend
from driftband.grafana.findings_panels import changes_table, findings_table, incidents_table
from driftband.grafana.panels import POINTS, About, Column, begun, chosen, links, named, scores

UID = "driftband-change"

_BEGAN = 'last_over_time(driftband_change{change="$change"}[$__range])'
_SCORES = f"driftband_anomaly_score{{{ABOUT}}}"
_FINDINGS = f"last_over_time(driftband_finding_opened_timestamp_seconds{{{ABOUT}}}[$__range])"
_INCIDENTS = "last_over_time(driftband_incident_opened_timestamp_seconds[$__range])"
_SUSPECTED = 'last_over_time(driftband_incident_info{suspect="$change"}[$__range])'
_QUERY_RESULT = 3
"""How Grafana numbers a variable query of this kind."""
_FURTHEST = 5


def change() -> model.Dashboard:
    """Return the dashboard."""
    return board(
        "Change",
        UID,
        "Before and after one change: every signal that moved, what opened since, and who suspects it.",
        [
            changes_table(
                About(
                    title="The change",
                    description="Who did what, and the run that did it.",
                    width=24,
                    height=4,
                    nothing="It lies outside this range",
                ),
                _BEGAN,
            ),
            _moved(),
            _scores(),
            findings_table(
                About(
                    title="Opened since",
                    description="Findings that opened after the change began, within the range.",
                    width=24,
                    height=8,
                    nothing="Nothing has opened since",
                ),
                f"({_FINDINGS} >= on () group_left () (max({_BEGAN}) / 1000)) * 1000",
                ("Severity", "Opened", "Layer", "Kind", "Service", "Signal", "Address", "Attribute", "Who"),
                sort="Opened",
            ),
            incidents_table(
                About(
                    title="Incidents that it was suspected of",
                    description="As they were first announced, if at some time this change explained them. A suspect is "
                    "proposed with reasons, which the incident's page tells.",
                    width=24,
                    height=5,
                    nothing="No incident suspects this change",
                ),
                f"({_INCIDENTS} and on (incident) {_SUSPECTED}) * 1000",
                value="Opened",
            ),
        ],
        variables=(_which(), choice(SERVICE), choice(ENV)),
        marks=(marked('driftband_change{change="$change"}'),),
    )  # fmt: skip


def _scores() -> Lines:
    panel = scores(
        About(
            title="Scores around it",
            description="Distance from expected in half-widths of the band; beyond 1 or -1 is outside. Those that were "
            "furthest out at the time. The mark is the change.",
            width=12,
            height=12,
            nothing="No signal is watched",
        ),
        {"{{service}} {{signal}}": f"{_SCORES} and on (signal, service, env) topk({_FURTHEST}, abs({_SCORES}))"},
    )
    return panel.legend(ranked_legend())


def _which() -> build.QueryVariable:
    """Return the variable of changes within the range, which shows what they were and keeps their ids."""
    return (
        build.QueryVariable("change")
        .label("Change")
        .datasource(SOURCE)
        .query(
            {
                "query": f"query_result(last_over_time(driftband_change{{{ABOUT}}}[$__range]))",
                "qryType": _QUERY_RESULT,
                "refId": "change",
            }
        )
        .regex('/change="(?<value>[^"]+)".*summary="(?<text>(?:[^"\\\\]|\\\\.)+)"/')
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.DISABLED)
        .multi(multi=False)
        .include_all(include_all=False)
    )


def _moved() -> Table:
    """Return the signals by how far their score has moved: the mean after the change began, less the mean before."""
    panel = begun(
        Table(),
        About(
            title="Signals that moved, the furthest first",
            description="The mean score from the start of the range until the change, and from then to its end; what "
            "counts is how far it moved, in half-widths of the band, whatever the signal's unit.",
            width=12,
            height=12,
            nothing="No signal is watched",
        ),
    ).max_data_points(POINTS)
    for ref_id, expr in (("before", f"{_SCORES} unless on () {_BEGAN}"), ("after", f"{_SCORES} and on () {_BEGAN}")):
        panel.with_target(query(expr, "", ref_id).range().format(PromQueryFormat.TABLE))
    columns = (
        Column(field="signal", name="Signal"),
        Column(field="service", name="Service"),
        Column(field="Value #before (mean)", name="Before"),
        Column(field="Value #after (mean)", name="After"),
        Column(field="Moved"),
    )
    means = {ref_id: f"Value #{ref_id} (mean)" for ref_id in ("before", "after")}
    for kind, options in _steps(means["before"], means["after"]):
        panel.with_transformation(model.DataTransformerConfig(id_val=kind, options=options))
    columns = (
        Column(field="signal", name="Signal"),
        Column(field="service", name="Service"),
        Column(field=means["before"], name="Before"),
        Column(field=means["after"], name="After"),
        Column(field="Moved", name="Moved by"),
    )
    panel.with_transformation(chosen(columns)).with_transformation(named(columns))
    panel.override_by_name("Signal", [links(link_to("driftband-signal", "Open the signal", signal="${__data.fields.Signal}", service="${__data.fields.Service}"))])  # fmt: skip
    return panel.unit("none").decimals(2)


def _steps(before: str, after: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield Grafana's transformations from samples to one row a signal and service."""
    grouped = {name: {"operation": "groupby", "aggregations": []} for name in ("signal", "service")}
    averaged = {
        f"Value #{ref_id}": {"operation": "aggregate", "aggregations": ["mean"]} for ref_id in ("before", "after")
    }
    yield "merge", {}
    yield "groupBy", {"fields": {**grouped, **averaged}}
    binary = {"left": {"matcher": {"id": "byName", "options": after}}, "operator": "-", "right": {"matcher": {"id": "byName", "options": before}}}  # fmt: skip
    yield "calculateField", {"mode": "binary", "binary": binary, "alias": "Difference"}
    yield "calculateField", {"mode": "unary", "unary": {"operator": "abs", "fieldName": "Difference"}, "alias": "Moved"}
    yield "sortBy", {"sort": [{"field": "Moved", "desc": True}]}
