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
    """One native series, computed from a signal's band."""

    name: str
    help: str


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
    )
}
