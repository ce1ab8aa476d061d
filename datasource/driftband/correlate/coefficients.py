"""Coefficients of correlation.

Fitted by tests/benchmarks/fit_incidents.py on the choosing part of the generator (tests/benchmarks/incident_world.py), which
writes this file; the thresholds at its end were chosen on the same part. None has seen the part that is reported.
"""

from collections.abc import Mapping

SUSPECT_WEIGHTS: Mapping[str, float] = {
    "ended 0 minutes before": 0.392,
    "ended 5 minutes before": 2.021,
    "ended 10 minutes before": 1.334,
    "ended 15 minutes before": -0.074,
    "ended 30 minutes before": -2.205,
    "ended 60 minutes before": -1.525,
    "ended 120 minutes before": -5.809,
    "ended 360 minutes before": -5.249,
    "running": 0.436,
    "began after": -4.107,
    "in its window": -1.315,
    "resource": -1.073,
    "service": 0.296,
    "named": 0.394,
    "dependency": -2.518,
    "far_dependency": -3.493,
    "caller": -1.387,
    "symptom": -2.342,
    "workspace": -0.220,
    "place": -0.977,
    "unknown": -0.673,
    "share": 1.667,
    "chance": -0.425,
    "kin": 0.809,
    "other place": -1.978,
    "matters": -0.301,
    "trivial": -3.045,
    "destroys": 0.000,
    "size": -0.271,
    "deploy": -1.065,
    "manual": -0.011,
    "other": -0.667,
    "failed": -0.009,
}
"""Log odds of a change, by evidence."""

NULL_WEIGHTS: Mapping[str, float] = {
    "one finding": 1.265,
    "configuration only": 4.644,
    "with configuration": 2.214,
}
"""Log odds of there being no change that did it."""

LINK_WEIGHTS: Mapping[str, float] = {
    "same resource": -2.698,
    "same component": 1.859,
    "same by name": 2.667,
    "calls it": -1.783,
    "calls it over one": -3.601,
    "calls it over two": -5.012,
    "called by it": -3.399,
    "same workspace": -3.440,
    "same place": -2.693,
    "unknown": -0.991,
    "after -20 minutes": -3.096,
    "after -5 minutes": -3.265,
    "after -2 minutes": 0.385,
    "after 0 minutes": 2.022,
    "after 2 minutes": 1.281,
    "after 5 minutes": -1.245,
    "after 10 minutes": -5.959,
    "after 20 minutes": -3.715,
    "still out, after 10 minutes": -1.342,
    "still out, after 40 minutes": -0.955,
    "still out, after 120 minutes": -3.203,
    "inside the victim": 2.445,
    "edge of the victim": 3.527,
    "inside the cause": 0.122,
    "crowd": 0.286,
    "configuration of one": -1.015,
    "configuration of one, elsewhere": -6.073,
    "other place": 0.508,
    "shared suspects": 2.031,
    "different suspects": -1.726,
    "suspect of the victim alone": -0.592,
}
"""Log odds that one strand is a sign of what another one shows."""

ROOT_WEIGHTS: Mapping[str, float] = {
    "depended on": 6.567,
    "depends on others": 4.209,
    "inside": 0.657,
    "only edge": -0.657,
    "configuration": -2.376,
    "later": -1.529,
    "suspected": 2.957,
}
"""Log odds of a strand being where it began."""

JOIN = 0.5
"""From this probability of a link on a finding joins an incident."""
MERGE = 0.6
"""From this probability on two incidents become one."""
SPLIT = 0.1
"""Below this probability of all its links a part leaves an incident."""
