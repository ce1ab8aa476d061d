"""Coefficients of correlation.

Fitted by tests/benchmarks/fit_incidents.py on the choosing part of the generator (tests/benchmarks/incident_world.py), which
writes this file; the thresholds at its end were chosen on the same part. None has seen the part that is reported.
"""

from collections.abc import Mapping

SUSPECT_WEIGHTS: Mapping[str, float] = {
    "ended 0 minutes before": -0.024,
    "ended 5 minutes before": 2.397,
    "ended 10 minutes before": 2.084,
    "ended 15 minutes before": -0.827,
    "ended 30 minutes before": -1.489,
    "ended 60 minutes before": -1.539,
    "ended 120 minutes before": -5.681,
    "ended 360 minutes before": -4.726,
    "running": -0.423,
    "began after": -2.523,
    "in its window": -1.099,
    "resource": -0.376,
    "service": 1.492,
    "named": 1.417,
    "dependency": -2.805,
    "far_dependency": -3.520,
    "caller": -2.840,
    "symptom": -2.633,
    "workspace": -0.321,
    "place": -0.270,
    "unknown": -1.470,
    "share": 0.174,
    "chance": -0.363,
    "kin": 0.170,
    "other place": -3.052,
    "matters": 0.077,
    "trivial": -2.092,
    "destroys": 0.000,
    "size": -0.533,
    "deploy": -0.951,
    "manual": -0.675,
    "other": -0.833,
    "failed": 0.041,
}
"""Log odds of a change, by evidence."""

NULL_WEIGHTS: Mapping[str, float] = {
    "one finding": 2.067,
    "configuration only": 3.818,
    "with configuration": 3.862,
}
"""Log odds of there being no change that did it."""

LINK_WEIGHTS: Mapping[str, float] = {
    "same resource": -1.754,
    "same component": 1.152,
    "same by name": 0.823,
    "calls it": -1.330,
    "calls it over one": -3.245,
    "calls it over two": -3.825,
    "called by it": -2.974,
    "same workspace": -1.800,
    "same place": -1.750,
    "unknown": -0.401,
    "after -20 minutes": -4.211,
    "after -5 minutes": -1.823,
    "after -2 minutes": 0.609,
    "after 0 minutes": 1.600,
    "after 2 minutes": 0.143,
    "after 5 minutes": -0.894,
    "after 10 minutes": -4.717,
    "after 20 minutes": -4.134,
    "still out": -1.677,
    "inside the victim": 2.103,
    "edge of the victim": 2.895,
    "inside the cause": -0.266,
    "crowd": 0.176,
    "configuration of one": -0.969,
    "configuration of one, elsewhere": -4.945,
    "other place": -0.094,
    "shared suspects": 1.325,
    "different suspects": -1.830,
    "suspect of the victim alone": -0.013,
}
"""Log odds that one strand is a sign of what another one shows."""

ROOT_WEIGHTS: Mapping[str, float] = {
    "depended on": 6.119,
    "depends on others": 3.433,
    "inside": 0.531,
    "only edge": -0.531,
    "configuration": -1.234,
    "later": -1.456,
    "suspected": 2.343,
}
"""Log odds of a strand being where it began."""

JOIN = 0.5
"""From this probability of a link on a finding joins an incident."""
MERGE = 0.6
"""From this probability on two incidents become one."""
SPLIT = 0.1
"""Below this probability of all its links a part leaves an incident."""
