"""What several dashboards show of findings, incidents and changes: the same columns, the same words, the same colours."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.table import Panel as Table

from driftband.grafana.board import link_to
from driftband.grafana.building import AMBER, AZURE, BLUE, GREEN, PURPLE, VERMILION
from driftband.grafana.panels import About, Column, ago, links, states, table, words, wrapped

SEVERITIES = {"critical": VERMILION, "error": AMBER, "warning": AZURE, "info": BLUE}
"""The worst first, each with its colour."""
RANKS = states(clear=(0, GREEN), info=(1, BLUE), warning=(2, AZURE), error=(3, AMBER), critical=(4, VERMILION))
RANK_STEPS = ((None, GREEN), (1, BLUE), (2, AZURE), (3, AMBER), (4, VERMILION))
LAYERS = ("configuration", "runtime", "behavioral")
LAYER_COLOURS = {"configuration": PURPLE, "runtime": AMBER, "behavioral": BLUE}

_OPENED = "driftband_finding_opened_timestamp_seconds"


def ranked(series: str, label: str, values: Sequence[str], where: str) -> str:
    """Return the query that gives a series the place of its label's value among ``values``, from 1 on."""
    each = [f'0 * {series}{{{label}="{value}", {where}}} + {place}' for place, value in enumerate(values, start=1)]
    return " or ".join(each)


def worst(where: str) -> str:
    """Return the query for the rank of the worst finding that is open: 0 for none, 4 for critical."""
    return f"max({ranked('driftband_drift', 'severity', list(SEVERITIES)[::-1], where)}) or vector(0)"


def opened(where: str) -> str:
    """Return the query for when findings opened, epoch ms."""
    return f"{_OPENED}{{{where}}} * 1000"


def findings_table(about: About, expr: str, shown: Sequence[str], *, sort: str = "Since", more: bool = True) -> Table:
    """Return findings as rows; shown: the names of columns, of those below."""
    known = {
        "Severity": Column(field="severity", name="Severity", width=85, more=words(SEVERITIES)),
        "Since": Column(field="Value", name="Since", width=120, more=ago()),
        "Opened": Column(field="Value", name="Opened", width=120, more=ago()),
        "Layer": Column(field="layer", name="Layer", width=115),
        "Kind": Column(field="kind", name="Kind", width=145),
        "Class": Column(field="class", name="Class", width=165),
        "Workspace": Column(field="workspace", name="Workspace", width=120),
        "Address": Column(field="address", name="Address", more=wrapped()),
        "Attribute": Column(field="attribute", name="Attribute", more=wrapped()),
        "Signal": Column(
            field="signal",
            name="Signal",
            more=(links(link_to("driftband-signal", "Open the signal", signal="${__data.fields.signal}")),),
        ),
        "Who": Column(field="actor", name="Who", width=80),
        "Commit": Column(field="commit", name="Commit", width=115),
        "Until": Column(field="until", name="Until", width=190),
        "Service": Column(
            field="service",
            name="Service",
            width=125,
            more=(links(link_to("driftband-service", "Open the service", service="${__data.fields.service}")),),
        ),
        "Team": Column(field="team", name="Team", width=95),
    }
    return table(about, expr, [known[name] for name in shown], sort=sort, descending=more)


def incidents_table(about: About, expr: str, *, value: str = "Since") -> Table:
    """Return incidents as rows; the value of ``expr`` is when they opened, epoch ms."""
    columns = (
        Column(field="severity", name="Severity", width=85, more=words(SEVERITIES)),
        Column(field="title", name="Incident", more=(*wrapped(), links({"title": "Open the incident", "url": "${__data.fields.url}"}))),
        Column(field="Value", name=value, width=120, more=ago()),
        Column(field="verdict", name="Verdict", width=110, more=words({"explained": BLUE, "unexplained": AMBER})),
        Column(
            field="summary",
            name="Suspect",
            more=(*wrapped(), links(link_to("driftband-change", "Open the change", change="${__data.fields.suspect}"))),
        ),
        Column(field="suspect_score", name="Score", width=70),
        Column(field="state", name="State", width=120),
        Column(field="suspect"),
        Column(field="url"),
    )  # fmt: skip
    return table(about, expr, columns, sort=value, descending=True)


def with_suspect(incidents: str) -> str:
    """Return the query for incidents with the summary of the suspected change, as far as it lies in the range."""
    changes = 'label_replace(last_over_time(driftband_change[$__range]), "suspect", "$1", "change", "(.+)")'
    named = f"max by (suspect, summary) ({changes}) * 0 + 1"
    return f"{incidents} * on (suspect) group_left (summary) ({named}) or on (incident) {incidents}"


def open_incidents(where: str) -> str:
    """Return the query for unresolved incidents as they are now; the value is when they opened, epoch ms."""
    since = "max by (incident) (driftband_incident_opened_timestamp_seconds) * 1000"
    return f'(driftband_incident_info{{state!="resolved", {where}}} * on (incident) group_left () ({since}))'


def changes_table(about: About, expr: str) -> Table:
    """Return changes as rows; the value of ``expr`` is when they began, epoch ms."""
    columns = (
        Column(field="Value", name="When", width=120, more=ago()),
        Column(
            field="summary",
            name="What",
            more=(*wrapped(), links(link_to("driftband-change", "Before and after", change="${__data.fields.change}"))),
        ),
        Column(field="kind", name="Kind", width=125),
        Column(field="service", name="Service", width=135),
        Column(field="workspace", name="Workspace", width=120),
        Column(field="actor", name="Who", width=80),
        Column(field="commit", name="Commit", width=115, more=(links({"title": "Open the run", "url": "${__data.fields.url}"}),)),
        Column(field="change"),
        Column(field="url"),
    )  # fmt: skip
    return table(about, expr, columns, sort="When", descending=True)
