"""The dashboard "Incidents": how soon they are noticed and over, how many are worth the noise, and which there were."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.board import ABOUT, ENV, SERVICE, board, choice, marked
from driftband.grafana.building import BLUE, ORANGE, VERMILION, set_to
from driftband.grafana.findings_panels import SEVERITIES, incidents_table, with_suspect
from driftband.grafana.panels import About, Column, Step, lines, stat, table, words

UID = "driftband-incidents"

_LASTED = f"last_over_time(driftband_incident_resolved_after_seconds{{{ABOUT}}}[$__range])"
_UNSEEN = f"last_over_time(driftband_incident_detected_after_seconds{{{ABOUT}}}[$__range])"
_THERE = f"last_over_time(driftband_incident_opened_timestamp_seconds{{{ABOUT}}}[$__range])"
_EXPLAINED = f'count by (incident) (last_over_time(driftband_incident_info{{verdict="explained", {ABOUT}}}[$__range]))'
_SIZE = f"max_over_time(driftband_incident{{{ABOUT}}}[$__range])"
_KNOWN = f'last_over_time(driftband_incident_info{{state="acknowledged", {ABOUT}}}[$__range])'
_UNATTENDED = f"({_LASTED} unless on (incident) {_KNOWN})"
_HOUR = 3600


def incidents() -> model.Dashboard:
    """Return the dashboard."""
    return board(
        "Incidents",
        UID,
        "How soon incidents are noticed and over, how many are worth the noise, and which there were.",
        [
            _number("Incidents", "That were open at some time in the range.", f"count({_THERE}) or vector(0)", "short"),
            _number(
                "Detected within",
                "The median, from the last instant at which all was known to be well. Between two scans nobody looks.",
                f"quantile(0.5, {_UNSEEN})",
                "s",
                ((None, BLUE), (_HOUR, ORANGE)),
            ),
            _number("Resolved after", "The median of those that are over.", f"quantile(0.5, {_LASTED})", "s"),
            _number(
                "Findings each",
                "How many findings were told as one, on average: without that, each would be a page of its own.",
                f"avg({_SIZE})",
                "none",
            ),
            _number(
                "Explained",
                "Share of incidents that a change explained at some time.",
                f"count({_EXPLAINED}) / count({_THERE}) or vector(0)",
                "percentunit",
            ),
            _number(
                "Noise",
                "Share of those that are over which nobody acknowledged: they came and went by themselves.",
                f"count({_UNATTENDED}) / count({_LASTED}) or vector(0)",
                "percentunit",
                ((None, BLUE), (0.5, ORANGE), (0.8, VERMILION)),
            ),
            lines(
                About(
                    title="Open incidents over time",
                    description="Unresolved incidents by severity when they were announced.",
                    width=24,
                    height=7,
                    nothing="No incident was open in this range",
                ),
                {"{{severity}}": f"count by (severity) (driftband_incident{{{ABOUT}}})"},
                stacked=True,
                colours=SEVERITIES,
            ),
            incidents_table(
                About(
                    title="Incidents of the range",
                    description="As they were first announced. What became of each since: its page.",
                    width=24,
                    height=10,
                    nothing="No incident in this range",
                ),
                with_suspect(f"({_THERE} * 1000)"),
                value="Opened",
            ),
            table(
                About(
                    title="How long they took",
                    description="Those that are over within the range, the longest first.",
                    width=24,
                    height=8,
                    nothing="No incident was resolved in this range",
                ),
                {"resolved": _LASTED, "detected": f"{_UNSEEN} and on (incident) {_LASTED}"},
                (
                    Column(field="severity 1", name="Severity", width=90, more=words(SEVERITIES)),
                    Column(field="title 1", name="Incident"),
                    Column(field="Value #detected", name="Detected within", width=150, more=(set_to("unit", "s"),)),
                    Column(field="Value #resolved", name="Resolved after", width=150, more=(set_to("unit", "s"),)),
                ),
                sort="Resolved after",
                descending=True,
                by="incident",
            ),
        ],
        variables=(choice(SERVICE), choice(ENV)),
        time=("now-7d", "now"),
        marks=(marked(f'driftband_change{{kind=~"terraform_apply|manual", {ABOUT}}}'),),
    )


def _number(title: str, what: str, expr: str, unit: str, thresholds: Sequence[Step] = ((None, BLUE),)) -> Stat:
    about = About(title=title, description=what, width=4, height=4, nothing="None yet")
    return stat(about, expr, unit=unit, thresholds=thresholds)
