"""The dashboard "Overview": is it green, what is open, what was changed."""

from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.board import ABOUT, WHERE, board
from driftband.grafana.building import AMBER, BLUE, GREEN, ORANGE, VERMILION
from driftband.grafana.findings_panels import (
    LAYERS,
    RANK_STEPS,
    RANKS,
    changes_table,
    incidents_table,
    open_incidents,
    with_suspect,
    worst,
)
from driftband.grafana.panels import About, bars, stat, timeline

UID = "driftband-overview"

_WHAT = {
    "configuration": "Reality is not what Terraform declares.",
    "runtime": "What runs is not what should run: replicas, memory, restarts, saturation.",
    "behavioral": "Services do not behave as the weeks before let expect: rate, errors, latency.",
}
_OPEN = f'state="open", class=~"drift|provisional|accepted_undeclared", layer="configuration", {WHERE}'
_AGE = f"(time() - driftband_finding_opened_timestamp_seconds{{{_OPEN}}})"
_HOUR, _DAY = 3600, 86_400
_AGES = {
    "under 1 hour": f"count({_AGE} < {_HOUR}) or vector(0)",
    "1 hour to 1 day": f"count({_AGE} >= {_HOUR} < {_DAY}) or vector(0)",
    "1 to 7 days": f"count({_AGE} >= {_DAY} < {7 * _DAY}) or vector(0)",
    "over 7 days": f"count({_AGE} >= {7 * _DAY}) or vector(0)",
}


def overview() -> model.Dashboard:
    """Return the dashboard."""
    by_layer = {layer.capitalize(): worst(f'layer="{layer}", {WHERE}') for layer in LAYERS}
    layers = [
        stat(
            About(title=name, description=f"{_WHAT[name.lower()]} The worst that is open.", width=5, height=4),
            expr,
            thresholds=RANK_STEPS,
            mappings=[RANKS],
            filled=True,
        )
        for name, expr in by_layer.items()
    ]
    return board(
        "Overview",
        UID,
        "Is it green, what is open, and what was changed?",
        [
            *layers,
            stat(
                About(title="Open incidents", description="Findings that belong together are one.", width=5, height=4),
                f'count(driftband_incident_info{{state!="resolved", {ABOUT}}}) or vector(0)',
                thresholds=((None, GREEN), (1, AMBER)),
                filled=True,
            ),
            stat(
                About(
                    title="Oldest scan",
                    description="Since when the workspace that waits longest has not been looked at whole: "
                    "what was not looked at is not known to be green.",
                    width=4,
                    height=4,
                    nothing="No workspace has reported yet",
                ),
                'time() - min(driftband_scan_last_complete_timestamp_seconds{workspace=~"$workspace"})',
                unit="s",
                thresholds=((None, BLUE), (6 * _HOUR, ORANGE), (_DAY, VERMILION)),
            ),
            incidents_table(
                About(
                    title="Open incidents",
                    description="What is open, with the change suspected of it, and whether that explains it. "
                    "A suspect is proposed with reasons, which the incident's page tells.",
                    width=24,
                    height=8,
                    nothing="No incident is open",
                ),
                with_suspect(open_incidents(ABOUT)),
            ),
            timeline(
                About(
                    title="Three layers",
                    description="The worst that was open at the time, layer by layer. Marks: changes.",
                    width=24,
                    height=6,
                ),
                by_layer,
                [RANKS],
            ),
            changes_table(
                About(
                    title="Changes",
                    description="What somebody did within the range: applies, deployments, manual changes.",
                    width=16,
                    height=8,
                    nothing="No change in this range",
                ),
                f'last_over_time(driftband_change{{workspace=~"$workspace|", {ABOUT}}}[$__range])',
            ),
            bars(
                About(
                    title="Open drift by age",
                    description="Configuration that is not as declared, by how long it has been so.",
                    width=4,
                    height=8,
                ),
                _AGES,
            ),
            bars(
                About(
                    title="Open drift by team",
                    description="Configuration that is not as declared, by the team whose it is.",
                    width=4,
                    height=8,
                    nothing="No drift is open",
                ),
                {"{{team}}": f'sort_desc(count by (team) (driftband_drift{{layer="configuration", {WHERE}}}))'},
            ),
        ],
    )
