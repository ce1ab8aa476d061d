"""Root and symptoms: which strand of a group began it.

A cause moves what is inside a component, its victims only what crosses the edge; and those who depend on it are hit.
"""

from collections.abc import Sequence

from driftband.correlate.coefficients import ROOT_WEIGHTS
from driftband.correlate.evidence import MINUTE
from driftband.correlate.graph import Graph
from driftband.correlate.linking import Linker
from driftband.correlate.strand import Strand

LATEST = 30.0
"""Minutes: how much later one came does not matter beyond."""
FEATURES = ("depended on", "depends on others", "inside", "only edge", "configuration", "later", "suspected", "unknown")
_WEIGHTS = tuple(ROOT_WEIGHTS[name] for name in FEATURES)


def root(group: Sequence[Strand], graph: Graph, linker: Linker) -> Strand:
    """Return the strand that began it; among equals, the first that opened."""
    if len(group) == 1:
        return group[0]
    rows = values(group, graph, linker)
    utilities = [sum(weight * value for weight, value in zip(_WEIGHTS, row, strict=True)) for row in rows]
    return group[max(range(len(group)), key=lambda index: (utilities[index], -index))]


def values(group: Sequence[Strand], graph: Graph, linker: Linker) -> list[tuple[float, ...]]:
    """Return what speaks for each strand, of ``FEATURES``."""
    components = [one.subject.component for one in group]
    others = max(1, len(set(components)) - 1)
    present = set(components) - {""}
    earliest = min(_begun(one) for one in group)
    return [
        (
            len(present & graph.dependents(one.subject.component).keys()) / others,
            len(present & graph.dependencies(one.subject.component).keys()) / others,
            float(one.inside),
            float(one.edge and not one.inside),
            float(one.configuration),
            min((_begun(one) - earliest) / MINUTE, LATEST) / 10,
            sum(linker.own_suspects(one).values()),
            float(not one.subject.component),
        )
        for one in group
    ]


def _begun(one: Strand) -> int:
    return one.first if one.since is None else one.since
