"""The exact list of what is ours in a query: functions and native series."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Signature:
    """One function of ours. ``arguments``: as the documentation writes them."""

    name: str
    arguments: str
    help: str
    least: int
    most: int


@dataclass(frozen=True)
class NativeSeries:
    """One native series, of a signal's band; or, is_state: from intervals in the store; is_graph: of the service graph."""

    name: str
    help: str
    is_state: bool = False
    is_graph: bool = False


FUNCTIONS: Final = {
    s.name: s
    for s in (
        Signature(
            "anomaly_band",
            'v [, level [, "model"]]',
            "actual, lower, expected and upper, told apart by the label band",
            1,
            3,
        ),
        Signature(
            "anomaly_score", 'v [, level [, "model"]]', "signed distance from expected over the half-width", 1, 3
        ),
        Signature("band_upper", 'v [, level [, "model"]]', "the upper edge of the band", 1, 3),
        Signature("band_lower", 'v [, level [, "model"]]', "the lower edge of the band", 1, 3),
        Signature("forecast", 'v [, "model"]', "what is expected", 1, 2),
        Signature("time_to_breach", "v, limit [, level]", "seconds until the forecast crosses the limit", 2, 3),
    )
}

NATIVE: Final = {
    n.name: n
    for n in (
        NativeSeries("driftband_actual", "The value of a signal."),
        NativeSeries("driftband_expected", "What the band of a signal expects."),
        NativeSeries("driftband_lower", "The lower edge of the band of a signal."),
        NativeSeries("driftband_upper", "The upper edge of the band of a signal."),
        NativeSeries(
            "driftband_anomaly_score",
            "Signed distance of a signal from expected over the band's half-width; 1 or more in size is outside.",
        ),
        NativeSeries("driftband_drift", "The score of a finding while it is open and counts as drift.", is_state=True),
        NativeSeries(
            "driftband_finding_opened_timestamp_seconds",
            "When a finding opened, of every class, with what is known of it by now; accepted ones too.",
            is_state=True,
        ),
        NativeSeries(
            "driftband_change", "When a change began, epoch ms, at every step that its interval touches.", is_state=True
        ),
        NativeSeries(
            "driftband_incident",
            "How many findings an incident has while it is unresolved; labels as they were first announced.",
            is_state=True,
        ),
        NativeSeries(
            "driftband_incident_info", "1 for an incident, with labels as they are at the time.", is_state=True
        ),
        NativeSeries(
            "driftband_incident_opened_timestamp_seconds",
            "When an incident opened; labels as they were first announced.",
            is_state=True,
        ),
        NativeSeries(
            "driftband_incident_detected_after_seconds",
            "How long before an incident opened all was last known to be well: the trouble is no older.",
            is_state=True,
        ),
        NativeSeries(
            "driftband_incident_resolved_after_seconds",
            "How long an incident lasted, once it is resolved.",
            is_state=True,
        ),
        NativeSeries("driftband_resource_info", "1 for a resource of a workspace; join by address.", is_state=True),
        NativeSeries(
            "driftband_identity_info",
            "1 for an identity, with what the last apply made of it; join by it.",
            is_state=True,
        ),
        NativeSeries("driftband_service_node", "1 for a service that calls or is called.", is_graph=True),
        NativeSeries(
            "driftband_service_edge", "1 for who calls whom, which is known, new or gone by its state.", is_graph=True
        ),
        NativeSeries(
            "driftband_scan_last_complete_timestamp_seconds",
            "When a workspace was last looked at whole.",
            is_state=True,
        ),
        NativeSeries("driftband_scan_status", "1 for the status of the last run of a workspace.", is_state=True),
        NativeSeries(
            "driftband_watch_last_evaluated_timestamp_seconds",
            "The last instant at which a watched signal is evaluated.",
            is_state=True,
        ),
    )
}
