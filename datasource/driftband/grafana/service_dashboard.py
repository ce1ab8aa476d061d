"""The dashboard "Service": what it does and was expected to do, what was changed about it, what has drifted under it."""

from grafana_foundation_sdk.builders.timeseries import Panel as Lines
from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.board import ENV, SERVICE, board, choice, marked
from driftband.grafana.findings_panels import (
    LAYERS,
    RANK_STEPS,
    RANKS,
    changes_table,
    findings_table,
    incidents_table,
    open_incidents,
    opened,
    with_suspect,
    worst,
)
from driftband.grafana.panels import About, Column, band, signal_band, stat, table

UID = "driftband-service"

_ITS = 'service="$service", env=~"$env"'
_NO_PACK = "No such signal: add the pack http, or a signal of this name"
_GOLDEN = (
    ("http_request_rate", "Request rate", "reqps", "Requests answered a second."),
    ("http_error_share", "Error share", "percentunit", "Requests that ended in a server error, of all."),
    ("http_latency_p99", "Latency, 99th percentile", "s", "One request in a hundred takes longer."),
    ("http_latency_p50", "Latency, median", "s", "Half of the requests take longer."),
)
"""Signals of the pack http, with the units of Grafana."""


def service() -> model.Dashboard:
    """Return the dashboard."""
    others = choice(
        "signal", f'label_values(driftband_actual{{{_ITS}, signal!~"http_.*"}}, signal)', label="More signals"
    )
    states = [
        stat(
            About(title=layer.capitalize(), description="The worst finding that is open.", width=4, height=3),
            worst(f'layer="{layer}", {_ITS}'),
            thresholds=RANK_STEPS,
            mappings=[RANKS],
            filled=True,
        )
        for layer in LAYERS
    ]
    runs = table(
        About(
            title="What runs",
            description="What the last apply or deployment brought.",
            width=12,
            height=3,
            nothing="No apply or deployment was told of",
        ),
        f"driftband_identity_info{{{_ITS}}}",
        (
            Column(field="env", name="Environment"),
            Column(field="region", name="Region"),
            Column(field="team", name="Team"),
            Column(field="commit", name="Commit"),
            Column(field="change", name="Change"),
        ),
        sort="Environment",
    )
    return board(
        "Service",
        UID,
        "What a service does and was expected to do, up to six hours from now, and what was changed about it.",
        [
            *states,
            runs,
            *(_golden(*one) for one in _GOLDEN),
            _more(),
            changes_table(
                About(
                    title="Changes of this service alone",
                    description="Applies, deployments and manual changes that concern it.",
                    width=24,
                    height=6,
                    nothing="No change of this service in this range",
                ),
                f"last_over_time(driftband_change{{{_ITS}}}[$__range])",
            ),
            incidents_table(
                About(title="Its open incidents", description="With the change suspected of each.", width=24, height=5, nothing="No incident is open"),
                with_suspect(open_incidents(_ITS)),
            ),
            findings_table(
                About(title="Its findings", description="What is open, on all layers.", width=24, height=7, nothing="Nothing is open"),
                opened(f'state="open", {_ITS}'),
                ("Severity", "Since", "Layer", "Kind", "Class", "Address", "Attribute", "Signal", "Who"),
            ),
            table(
                About(title="Its resources", description="What Terraform declares for it.", width=24, height=9, nothing="No resource is tagged with this service"),
                f"driftband_resource_info{{{_ITS}}}",
                (
                    Column(field="address", name="Address"),
                    Column(field="resource_type", name="Type", width=260),
                    Column(field="module", name="Module", width=130),
                    Column(field="module_version", name="Version", width=100),
                    Column(field="workspace", name="Workspace", width=140),
                    Column(field="commit", name="Commit", width=130),
                ),
                sort="Address",
            ),
        ],
        variables=(choice(SERVICE, single=True), choice(ENV), others),
        time=("now-24h", "now+6h"),
        marks=(marked(f"driftband_change{{{_ITS}}}"),),
    )  # fmt: skip


def _golden(signal: str, title: str, unit: str, what: str) -> Lines:
    description = f"{what} Signal {signal}. Shaded: the band; dashed: what was expected, and is from now on."
    about = About(title=title, description=description, width=12, height=8, nothing=_NO_PACK)
    return band(about, signal_band(f'signal="{signal}", {_ITS}'), unit=unit)


def _more() -> Lines:
    about = About(
        title="$signal",
        description="Another signal of this service. Shaded: the band; dashed: what was expected, and is from now on.",
        width=24,
        height=8,
        nothing="No more signals of this service",
    )
    panel = band(about, signal_band(f'signal="$signal", {_ITS}'))
    return panel.repeat("signal").repeat_direction("h").max_per_row(2)
