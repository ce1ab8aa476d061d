"""Coefficients of correlation.

Fitted by tests/benchmarks/fit_incidents.py on the choosing part of the generator (tests/benchmarks/incident_world.py), which
writes this file; the thresholds at its end were chosen on the same part. None has seen the part that is reported.
"""

from collections.abc import Mapping

SUSPECT_WEIGHTS: Mapping[str, float] = {
    "ended 0 minutes before": -0.311,
    "ended 5 minutes before": 2.016,
    "ended 10 minutes before": 1.890,
    "ended 15 minutes before": -0.888,
    "ended 30 minutes before": -1.486,
    "ended 60 minutes before": -1.695,
    "ended 120 minutes before": -5.698,
    "ended 360 minutes before": -4.899,
    "running": -0.241,
    "began after": -2.172,
    "in its window": -0.909,
    "resource": -0.380,
    "service": 1.312,
    "named": 1.160,
    "dependency": -3.201,
    "far_dependency": -3.654,
    "caller": -2.913,
    "symptom": -2.505,
    "workspace": -0.313,
    "place": -0.475,
    "unknown": -1.252,
    "share": 0.569,
    "chance": -0.260,
    "kin": 0.480,
    "other place": -3.370,
    "matters": 0.103,
    "trivial": -2.017,
    "destroys": 0.000,
    "size": -0.561,
    "deploy": -0.778,
    "manual": -0.513,
    "other": -0.612,
    "failed": 0.044,
}
"""Log odds of a change, by evidence."""

NULL_WEIGHTS: Mapping[str, float] = {
    "one finding": 3.050,
    "configuration only": 3.244,
    "with configuration": 4.064,
}
"""Log odds of there being no change that did it."""

LINK_WEIGHTS: Mapping[str, float] = {
    "same resource": -2.575,
    "same component": 1.277,
    "same by name": 1.020,
    "calls it": -1.629,
    "calls it over one": -3.577,
    "calls it over two": -4.212,
    "called by it": -3.097,
    "same workspace": -1.829,
    "same place": -2.264,
    "unknown": -0.520,
    "after -20 minutes": -5.282,
    "after -5 minutes": -2.073,
    "after -2 minutes": 0.520,
    "after 0 minutes": 1.658,
    "after 2 minutes": 0.122,
    "after 5 minutes": -1.131,
    "after 10 minutes": -4.976,
    "after 20 minutes": -4.133,
    "still out": -2.113,
    "inside the victim": 2.120,
    "edge of the victim": 2.952,
    "inside the cause": -0.022,
    "crowd": 0.219,
    "configuration of one": -1.047,
    "configuration of one, elsewhere": -5.422,
    "other place": 0.332,
    "shared suspects": 0.955,
    "different suspects": -2.082,
    "suspect of the victim alone": 0.137,
}
"""Log odds that one strand is a sign of what another one shows."""

ROOT_WEIGHTS: Mapping[str, float] = {
    "depended on": 4.994,
    "depends on others": 2.448,
    "inside": 0.842,
    "only edge": -0.842,
    "configuration": -1.277,
    "later": -1.375,
    "suspected": 2.540,
}
"""Log odds of a strand being where it began."""

JOIN = 0.5
"""From this probability of a link on a finding joins an incident."""
MERGE = 0.6
"""From this probability on two incidents become one."""
SPLIT = 0.1
"""Below this probability of all its links a part leaves an incident."""
