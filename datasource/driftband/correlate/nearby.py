"""Which strands a strand may have a link to at all, so that links are weighed only there."""

from collections.abc import Hashable, Iterator

from driftband.correlate.graph import Graph
from driftband.correlate.linking import CROWDED, FARTHEST, WIDEST, insider
from driftband.correlate.strand import Strand


class Nearby:
    """Strands by component, by resource and by time."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._filed: dict[Hashable, dict[Strand, None]] = {}

    def add(self, strand: Strand) -> None:
        """File a strand."""
        for key in self._keys(strand):
            self._filed.setdefault(key, {})[strand] = None

    def remove(self, strand: Strand) -> None:
        """Take a strand out again."""
        for key in self._keys(strand):
            del self._filed[key][strand]

    def around(self, strand: Strand) -> Iterator[Strand]:
        """Yield the strands that may be tied to a strand, each once, itself left out, in no order that means anything."""
        found: dict[Strand, None] = {}
        for key in self._asks(strand):
            found.update(self._filed.get(key, {}))
        found.pop(strand, None)
        yield from found

    @staticmethod
    def _keys(strand: Strand) -> Iterator[Hashable]:
        subject = strand.subject
        yield "component", subject.component
        yield from (("series", one) for one in strand.series)
        if subject.workspace:
            yield "workspace", subject.workspace
        for stretch in _stretches(strand):
            yield "then", stretch, subject.component
            if subject.component:
                yield "named", stretch
        if insider(strand):
            yield "insider", strand.first // CROWDED

    def _asks(self, strand: Strand) -> Iterator[Hashable]:
        subject = strand.subject
        yield from (("series", one) for one in strand.series)
        if subject.workspace:
            yield "workspace", subject.workspace
        stretches = _stretches(strand)
        yield from (("then", stretch, "") for stretch in stretches)
        if not subject.component:
            yield from (("named", stretch) for stretch in stretches)
            return
        yield "component", subject.component
        for names in (self._graph.dependencies(subject.component), self._graph.dependents(subject.component)):
            yield from (("then", stretch, name) for name in names for stretch in stretches)
        if insider(strand):
            bucket = strand.first // CROWDED
            yield from (("insider", one) for one in (bucket - 1, bucket, bucket + 1))


def _stretches(strand: Strand) -> range:
    """Return the stretches of time that a strand may be tied within: two that may be tied have one in common."""
    begun = strand.first if strand.since is None else max(strand.since, strand.first - WIDEST)
    return range((begun - FARTHEST // 2) // FARTHEST, (strand.last + FARTHEST // 2) // FARTHEST + 1)
