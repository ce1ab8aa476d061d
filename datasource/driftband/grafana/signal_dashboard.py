"""The dashboard "Signal": one of its series with band and score, how far all are from expected, and what was found."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.board import ENV, board, choice, marked
from driftband.grafana.building import AMBER, BLUE, SOURCE, VERMILION, set_to
from driftband.grafana.findings_panels import findings_table
from driftband.grafana.panels import FILLED, About, Column, band, scores, signal_band, states, table, timeline

UID = "driftband-signal"

_ITS = 'signal="$signal", service=~"$service", env=~"$env"'
_SEEN = states(open=(1, AMBER))


def signal() -> model.Dashboard:
    """Return the dashboard."""
    services = 'label_values(driftband_actual{signal="$signal"}, service)'
    return board(
        "Signal",
        UID,
        "One signal: its band, its score, and what was found about it.",
        [
            band(
                About(
                    title="$signal",
                    description="Shaded: the band; dashed: what was expected, and is from now on. One series is drawn: "
                    "where a service has several, choose one by the filters.",
                    width=24,
                    height=10,
                    nothing="No series of this signal, or too little history for a band",
                ),
                signal_band(_ITS),
            ),
            scores(
                About(
                    title="Score",
                    description="Distance from expected in half-widths of the band on that side: beyond 1 or -1 is outside. "
                    "A slow departure stays outside until it is accepted, even where the drawn band has followed.",
                    width=24,
                    height=7,
                ),
                {"{{service}}": f"driftband_anomaly_score{{{_ITS}}}"},
            ),
            timeline(
                About(
                    title="Findings over time",
                    description="When something was open about this signal, by kind and service.",
                    width=14,
                    height=8,
                    nothing="Nothing was found in this range",
                ),
                {"{{service}} {{kind}}": 'count by (service, kind) (driftband_drift{signal="$signal", env=~"$env"}) > bool 0'},
                [_SEEN],
            ),
            table(
                About(
                    title="All its series now",
                    description="How far each series of this signal is from expected; beyond 1 or -1 is outside the band.",
                    width=10,
                    height=8,
                ),
                'driftband_anomaly_score{signal="$signal", env=~"$env"}',
                (
                    Column(field="service", name="Service"),
                    Column(field="env", name="Environment"),
                    Column(field="Value", name="Score", width=110, more=(set_to("decimals", 2), *_OUTSIDE)),
                ),
                sort="Score",
                descending=True,
            ),
            findings_table(
                About(
                    title="History of findings",
                    description="What was found about this signal within the range, whether it is over or not.",
                    width=24,
                    height=8,
                    nothing="Nothing was found in this range",
                ),
                f"last_over_time(driftband_finding_opened_timestamp_seconds{{{_ITS}}}[$__range]) * 1000",
                ("Severity", "Opened", "Kind", "Class", "Service", "Attribute"),
                sort="Opened",
            ),
        ],
        variables=(
            choice("signal", "label_values(driftband_actual, signal)", single=True),
            choice("service", services, single=True),
            choice(ENV),
            _filters(),
        ),
        time=("now-24h", "now+6h"),
        marks=(marked('driftband_change{service=~"$service|", env=~"$env|"}'),),
    )  # fmt: skip


_OUTSIDE = (
    set_to("custom.cellOptions", FILLED),
    set_to(
        "thresholds",
        {
            "mode": "absolute",
            "steps": [
                {"value": None, "color": VERMILION},
                {"value": -1, "color": BLUE},
                {"value": 1, "color": VERMILION},
            ],
        },
    ),
)


def _filters() -> build.AdHocVariable:
    return build.AdHocVariable("filters").label("Filters").datasource(SOURCE)
