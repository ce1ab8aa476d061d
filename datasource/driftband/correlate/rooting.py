"""Root and symptoms: which strand of a group began it.

A cause moves what is inside a component, its victims only what crosses the edge; and those who depend on it are hit.
"""

import math
from collections.abc import Sequence

from driftband.correlate.coefficients import ROOT_WEIGHTS
from driftband.correlate.evidence import MINUTE
from driftband.correlate.graph import Graph
from driftband.correlate.linking import Linker
from driftband.correlate.strand import Strand

LATEST = 30.0
"""Minutes: how much later one came does not matter beyond."""
_MOST = 3
_WORTH = 0.05
"""Beside the most probable root, this much of its odds makes another one worth a look."""
FEATURES = ("depended on", "depends on others", "inside", "only edge", "configuration", "later", "suspected")
_WEIGHTS = tuple(ROOT_WEIGHTS[name] for name in FEATURES)


def root(group: Sequence[Strand], graph: Graph, linker: Linker) -> Strand:
    """Return the strand that began it; among equals, the first that opened."""
    group = _named(group)
    if len(group) == 1:
        return group[0]
    utilities = _utilities(group, graph, linker)
    return group[max(range(len(group)), key=lambda index: (utilities[index], -index))]


def roots(group: Sequence[Strand], graph: Graph, linker: Linker) -> Sequence[tuple[Strand, float]]:
    """Return the strands that may have begun it with their probabilities, which add up to 1, the most probable first."""
    group = _named(group)
    utilities = _utilities(group, graph, linker)
    highest = max(utilities)
    odds = [(-math.exp(utility - highest), index) for index, utility in enumerate(utilities)]
    kept = [(-odd, index) for odd, index in sorted(odds)[:_MOST] if -odd >= _WORTH]
    total = sum(odd for odd, _ in kept)
    return [(group[index], odd / total) for odd, index in kept]


def _utilities(group: Sequence[Strand], graph: Graph, linker: Linker) -> list[float]:
    rows = values(group, graph, linker)
    return [sum(weight * value for weight, value in zip(_WEIGHTS, row, strict=True)) for row in rows]


def _named(group: Sequence[Strand]) -> Sequence[Strand]:
    """Return the strands that say what they are about, all where none does: only those tie others to themselves."""
    return [one for one in group if one.subject.component] or group


def values(group: Sequence[Strand], graph: Graph, linker: Linker) -> list[tuple[float, ...]]:
    """Return what speaks for each strand, of ``FEATURES``."""
    components = {one.subject.component for one in group}
    others = max(1, len(components) - 1)
    present = components - {""}
    tied = {
        name: (
            len(present & graph.dependents(name).keys()) / others,
            len(present & graph.dependencies(name).keys()) / others,
        )
        for name in components
    }
    earliest = min(_begun(one) for one in group)
    return [
        (
            *tied[one.subject.component],
            float(one.inside),
            float(one.edge and not one.inside),
            float(one.configuration),
            min((_begun(one) - earliest) / MINUTE, LATEST) / 10,
            sum(linker.own_suspects(one).values()),
        )
        for one in group
    ]


def _begun(one: Strand) -> int:
    return one.first if one.since is None else one.since
