"""The court: changes weighed against each other, and against there being none, as what brought a group about.

At most one change is the cause, and there may be none: the changes and "none of them" are weighed against each other (a
conditional logit), so that two changes that are equally near get half each, and a calibrated score comes out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from driftband.correlate.coefficients import NULL_WEIGHTS, SUSPECT_WEIGHTS
from driftband.correlate.context import Context
from driftband.correlate.evidence import FEATURES, Acts, Evidence, gather
from driftband.correlate.graph import Graph
from driftband.correlate.strand import Strand
from driftband.correlate.subject import Reader
from driftband.model.change import Change
from driftband.model.moment import to_ms

NULL_FEATURES = ("one finding", "configuration only", "with configuration")


@dataclass(frozen=True, slots=True)
class Weighed:
    """A change's evidence and its score."""

    evidence: Evidence
    score: float


class Court:
    """All changes and the graph, made ready for being weighed against many groups."""

    def __init__(self, changes: Sequence[Change], graph: Graph, reader: Reader, context: Context) -> None:
        self._acts = Acts(reader.act(change) for change in changes)
        self._since = to_ms(context.changes_since) if context.changes_since else None
        self.graph = graph

    def evidence(self, group: Sequence[Strand], root: Strand) -> tuple[Evidence, ...]:
        """Return the evidence of each change that may have to do with the group."""
        return gather(group, root, self._acts, self.graph, self._since)

    def weigh(self, group: Sequence[Strand], root: Strand) -> tuple[Weighed, ...]:
        """Return all changes that may have to do with the group, the most probable first."""
        found = self.evidence(group, root)
        utilities = [_dot(_SUSPECT, one.values) for one in found]
        none = _dot(_NULL, null_values(group))
        highest = max([none, *utilities])
        odds = [math.exp(utility - highest) for utility in utilities]
        total = math.fsum(odds) + math.exp(none - highest)
        weighed = [Weighed(one, share / total) for one, share in zip(found, odds, strict=True)]
        return tuple(sorted(weighed, key=lambda one: (-one.score, one.evidence.act.change.id)))


_SUSPECT = tuple(SUSPECT_WEIGHTS[name] for name in FEATURES)
_NULL = tuple(NULL_WEIGHTS[name] for name in NULL_FEATURES)


def null_values(group: Sequence[Strand]) -> tuple[float, ...]:
    """Return what speaks for "no change", of ``NULL_FEATURES``."""
    alone = len(group) == 1 and len(group[0].findings) == 1
    drifted = [one.configuration for one in group]
    return float(alone), float(all(drifted)), float(any(drifted) and not all(drifted))


def _dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True) if value)
