"""The dashboard "Dependencies": who calls whom, which calls are new, and which have gone."""

from grafana_foundation_sdk.builders.nodegraph import Panel as Graph
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from driftband.grafana.board import ABOUT, ENV, SERVICE, board, choice
from driftband.grafana.building import AMBER, BLUE, GREEN, VERMILION, query
from driftband.grafana.findings_panels import findings_table
from driftband.grafana.panels import About, Column, begun, lines, stat, table, words

UID = "driftband-dependencies"

_STATES = {"known": GREEN, "new": AMBER, "gone": VERMILION}
_FOUND = f'kind=~"new_dependency|gone_dependency", {ABOUT}'
_NOT_TOLD = "No dependencies are configured: give `dependencies.expr`"


def dependencies() -> model.Dashboard:
    """Return the dashboard."""
    counts = [
        stat(
            About(title=f"{state.capitalize()} calls", description=what, width=8, height=3, nothing=_NOT_TOLD),
            f'count(driftband_service_edge{{state="{state}"}}) or vector(0)',
            thresholds=(
                (None, BLUE if state == "known" else GREEN),
                *(() if state == "known" else ((1, _STATES[state]),)),
            ),
        )
        for state, what in (
            ("known", "One service calls another, as it has for a while."),
            ("new", "One service calls another that it did not call before."),
            ("gone", "One service has stopped calling another."),
        )
    ]
    return board(
        "Dependencies",
        UID,
        "Who calls whom, which calls are new, and which have gone.",
        [
            *counts,
            _graph(),
            table(
                About(
                    title="Calls",
                    description="Every call between two services, the new and the gone ones first.",
                    width=8,
                    height=16,
                    nothing=_NOT_TOLD,
                ),
                "driftband_service_edge",
                (
                    Column(field="state", name="State", width=90, more=words(_STATES)),
                    Column(field="source", name="Caller"),
                    Column(field="target", name="Called"),
                ),
                sort="State",
                descending=True,
            ),
            lines(
                About(
                    title="Calls over time",
                    description="How many pairs of services call each other, by what is known of them.",
                    width=24,
                    height=7,
                    nothing=_NOT_TOLD,
                ),
                {"{{state}}": "count by (state) (driftband_service_edge)"},
                stacked=True,
                colours=_STATES,
            ),
            findings_table(
                About(
                    title="New and gone dependencies",
                    description="What was found within the range, whether it is over or not.",
                    width=24,
                    height=5,
                    nothing="No dependency is new or gone in this range",
                ),
                f"last_over_time(driftband_finding_opened_timestamp_seconds{{{_FOUND}}}[$__range]) * 1000",
                ("Severity", "Opened", "Kind", "Class", "Service"),
                sort="Opened",
            ),
        ],
        variables=(choice(SERVICE), choice(ENV)),
        time=("now-7d", "now"),
    )  # fmt: skip


def _graph() -> Graph:
    about = About(
        title="Who calls whom",
        description="Each line is a call between two services. What is new or gone is named at the line.",
        width=16,
        height=16,
        nothing=_NOT_TOLD,
    )
    panel: Graph = begun(Graph(), about)
    # Grafana takes the first frame for nodes and the second for edges, by the ids of the queries.
    for ref_id, expr in (("nodes", "driftband_service_node"), ("edges", _drawn("driftband_service_edge"))):
        panel.with_target(query(expr, "", ref_id).instant().format(PromQueryFormat.TABLE))
    return panel


def _drawn(edges: str) -> str:
    """Return the query for edges with the fields that name and colour those that are new or gone."""
    named = f'label_replace({edges}, "mainstat", "$1", "state", "(new|gone)")'
    for state in ("new", "gone"):
        named = f'label_replace({named}, "color", "{_STATES[state]}", "state", "{state}")'
    return named
