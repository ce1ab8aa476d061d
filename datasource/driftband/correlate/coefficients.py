"""Coefficients of correlation.

Fitted by tests/benchmarks/fit_incidents.py on the choosing part of the generator (tests/benchmarks/incident_world.py), which
writes this file; the thresholds at its end were chosen on the same part. None has seen the part that is reported.
"""

from collections.abc import Mapping

SUSPECT_WEIGHTS: Mapping[str, float] = {
    "ended 0 minutes before": 0.258,
    "ended 5 minutes before": 1.873,
    "ended 10 minutes before": 1.382,
    "ended 15 minutes before": 0.396,
    "ended 30 minutes before": -2.495,
    "ended 60 minutes before": -1.702,
    "ended 120 minutes before": -5.213,
    "ended 360 minutes before": -5.153,
    "running": -0.324,
    "began after": -3.428,
    "in its window": -1.064,
    "resource": -0.534,
    "service": 0.058,
    "named": 0.123,
    "dependency": -2.321,
    "far_dependency": -2.737,
    "caller": -1.340,
    "symptom": -2.956,
    "place": -0.599,
    "workspace": 0.000,
    "unknown": -1.737,
    "share": 1.230,
    "chance": -0.327,
    "matters": 0.085,
    "trivial": -1.779,
    "kin": 0.161,
    "destroys": 0.000,
    "size": -0.315,
    "deploy": -0.707,
    "manual": -0.636,
    "failed": 0.141,
    "other place": -1.456,
}
"""Log odds of a change, by evidence."""

NULL_WEIGHTS: Mapping[str, float] = {
    "one finding": 1.440,
    "configuration only": 3.960,
    "with configuration": 2.149,
}
"""Log odds of there being no change that did it."""

LINK_WEIGHTS: Mapping[str, float] = {
    "same resource": -0.053,
    "same component": 0.547,
    "same by name": 0.215,
    "calls it": -2.815,
    "calls it over one": -3.941,
    "calls it over two": -5.713,
    "called by it": -4.555,
    "same workspace": 0.000,
    "same place": -4.336,
    "unknown": -0.596,
    "after -20 minutes": -6.614,
    "after -5 minutes": -1.054,
    "after -2 minutes": 1.480,
    "after 0 minutes": 2.386,
    "after 2 minutes": 1.326,
    "after 5 minutes": -0.346,
    "after 10 minutes": -5.244,
    "after 20 minutes": -3.962,
    "after 40 minutes": -5.131,
    "after 120 minutes": -4.086,
    "inside the victim": 2.077,
    "edge of the victim": 3.170,
    "inside the cause": 0.060,
    "crowd": 0.294,
    "configuration of one": -1.820,
    "configuration of one, elsewhere": -4.465,
    "other place": 0.256,
    "shared suspects": 1.305,
    "different suspects": -1.860,
    "suspect of the victim alone": -1.530,
}
"""Log odds that one strand is a sign of what another one shows."""

ROOT_WEIGHTS: Mapping[str, float] = {
    "depended on": 3.996,
    "depends on others": 1.068,
    "inside": 0.984,
    "only edge": -0.984,
    "configuration": -2.272,
    "later": -1.406,
    "suspected": 3.439,
    "unknown": -2.400,
}
"""Log odds of a strand being where it began."""

JOIN = 0.5
"""From this probability of a link on a finding joins an incident."""
MERGE = 0.6
"""From this probability on two incidents become one."""
SPLIT = 0.1
"""Below this probability of all its links a part leaves an incident."""
