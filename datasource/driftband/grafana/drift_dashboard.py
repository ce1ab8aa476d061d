"""The dashboard "Configuration drift": what is not as Terraform declares it, since when, by whom, and how well one looks."""

from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.board import WHERE, board
from driftband.grafana.building import AMBER, AZURE, BLUE, GREEN, PURPLE, SKY, VERMILION, set_to
from driftband.grafana.findings_panels import RANK_STEPS, RANKS, SEVERITIES, findings_table, opened, ranked
from driftband.grafana.panels import FILLED, About, Column, ago, lines, stat, states, table, timeline, words

UID = "driftband-drift"

_CONFIGURATION = f'layer="configuration", {WHERE}'
_DRIFT = f"driftband_drift{{{_CONFIGURATION}}}"
_WORKSPACES = 'workspace=~"$workspace"'
_LAST_WHOLE = f"driftband_scan_last_complete_timestamp_seconds{{{_WORKSPACES}}}"
CLASSES = {"drift": VERMILION, "accepted_undeclared": PURPLE, "provisional": SKY}
STATUSES = {
    "clean": GREEN,
    "drifted": AZURE,
    "partial": PURPLE,
    "locked": BLUE,
    "suspect": AMBER,
    "failed": VERMILION,
}
"""What a scan came to. That it found drift is no trouble of the scan's."""


def drift() -> model.Dashboard:
    """Return the dashboard."""
    return board(
        "Configuration drift",
        UID,
        "What is not as Terraform declares it, since when, by whom, and what was changed around it.",
        list(_panels()),
        time=("now-7d", "now"),
    )


def _panels() -> Iterator[Any]:
    yield from (_count(severity, colour) for severity, colour in SEVERITIES.items())
    yield _fleet()
    yield findings_table(
        About(
            title="Open findings",
            description="What is open and counts as drift. Who: as far as an audit log or an apply tells. Commit: the one "
            "that the resource was last applied from. Values before and after: driftband's page of the workspace.",
            width=24,
            height=8,
            nothing="Nothing has drifted",
        ),
        _with_commit(opened(f'state="open", class=~"drift|provisional", {_CONFIGURATION}')),
        ("Severity", "Address", "Attribute", "Since", "Who", "Commit", "Kind", "Workspace", "Team"),
    )
    yield findings_table(
        About(
            title="Accepted, and not declared",
            description="The state took it over by an apply -refresh-only, or somebody accepted it, and the code does not "
            "say it: the next change of the code may undo it.",
            width=12,
            height=6,
            nothing="Nothing is accepted without being declared",
        ),
        " or ".join(opened(f"{how}, {_CONFIGURATION}") for how in ('class="accepted_undeclared"', 'state="accepted"')),
        ("Address", "Attribute", "Since", "Who", "Until"),
    )
    yield findings_table(
        About(
            title="Ignored",
            description="What a rule, or the plan of the code, says not to report. Until: when the rule ends; without one "
            "it holds until somebody takes it back.",
            width=12,
            height=6,
            nothing="Nothing is ignored",
        ),
        opened(f'class="ignored", {_CONFIGURATION}'),
        ("Address", "Attribute", "Since", "Until"),
    )
    yield lines(
        About(
            title="Open findings over time, by class",
            description="drift: reality is not what the state says. accepted_undeclared: the state took it over, and the "
            "code does not say it. provisional: seen while an apply ran, or named without its attributes.",
            width=12,
            height=8,
            nothing="Nothing was open in this range",
        ),
        {"{{class}}": f"count by (class) ({_DRIFT})"},
        stacked=True,
        colours=CLASSES,
    )
    yield timeline(
        About(
            title="Scans over time",
            description="What each run of a workspace came to. Partial, locked, failed and suspect runs close nothing: what "
            "they did not see is not known to be gone.",
            width=12,
            height=8,
            nothing="No workspace has reported in this range",
        ),
        {
            "{{workspace}}": f"max by (workspace) ({ranked('driftband_scan_status', 'status', list(STATUSES), _WORKSPACES)})"
        },
        [states(**{name: (place, colour) for place, (name, colour) in enumerate(STATUSES.items(), start=1)})],
    )


def _with_commit(findings: str) -> str:
    resource = f"max by (workspace, address, commit) (driftband_resource_info{{{_WORKSPACES}}})"
    return f"{findings} * on (workspace, address) group_left (commit) {resource} or on (finding) {findings}"


def _count(severity: str, colour: str) -> Stat:
    return stat(
        About(
            title=f"Open, {severity}",
            description=f"Findings of severity {severity} that are open and count as drift.",
            width=6,
            height=3,
        ),
        f'count(driftband_drift{{severity="{severity}", {_CONFIGURATION}}}) or vector(0)',
        thresholds=((None, GREEN), (1, colour)),
        filled=True,
    )


def _fleet() -> Table:
    """Return the workspaces; the value of a row is the rank of the worst that is open, its time a label of the rest."""
    each = f"max by (workspace) ({_LAST_WHOLE} * 0)"
    worst = f"max by (workspace) ({ranked('driftband_drift', 'severity', list(SEVERITIES)[::-1], _CONFIGURATION)}) or {each}"
    queries = {
        "worst": worst,
        "open": f"count by (workspace) ({_DRIFT}) or {each}",
        "looked": f"{_LAST_WHOLE} * 1000",
        "resources": f"count by (workspace) (driftband_resource_info{{{_WORKSPACES}}})",
        "status": f"driftband_scan_status{{{_WORKSPACES}}}",
    }
    columns = (
        Column(field="workspace", name="Workspace"),
        Column(field="Value #worst", name="Worst", width=110, more=_rank()),
        Column(field="Value #open", name="Open", width=80),
        Column(field="status", name="Last run", width=110, more=words(STATUSES)),
        Column(field="Value #looked", name="Looked at whole", width=150, more=ago()),
        Column(field="Value #resources", name="Resources", width=100),
    )
    about = About(
        title="Fleet",
        description="Every workspace: the worst that is open, how much of it, what the last run came to, and when it was "
        "last looked at whole.",
        width=24,
        height=6,
        nothing="No workspace has reported yet",
    )
    return table(about, queries, columns, sort="Worst", descending=True, by="workspace")


def _rank() -> tuple[model.DynamicConfigValue, ...]:
    steps = [{"value": value, "color": colour} for value, colour in RANK_STEPS]
    return (
        set_to("custom.cellOptions", FILLED),
        set_to("mappings", [RANKS.to_json()]),
        set_to("thresholds", {"mode": "absolute", "steps": steps}),
        set_to("custom.align", "left"),
    )
