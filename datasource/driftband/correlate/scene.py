"""The scene: findings, changes and context made ready, once for a decision."""

from collections.abc import Iterable, Sequence

from driftband.correlate import rooting
from driftband.correlate.context import Context
from driftband.correlate.court import Court, Weighed
from driftband.correlate.graph import Graph
from driftband.correlate.linking import Linker
from driftband.correlate.strand import Sign, Strand, in_order, sign, strands
from driftband.correlate.subject import Reader
from driftband.model.change import Change
from driftband.model.finding import Finding


class Scene:
    """What all parts of a decision look at."""

    def __init__(self, findings: Sequence[Finding], changes: Sequence[Change], context: Context) -> None:
        self.context = context
        self.graph = Graph(context.edges)
        label = context.component
        identities = [finding.identity for finding in findings]
        identities += [change.identity for change in changes]
        identities += context.identities.values()
        services = {identity[label] for identity in identities if identity.get(label)}
        self._reader = Reader(context, services | self.graph.services)
        self._signs: dict[str, Sign] = {}
        self._made: dict[tuple[str, ...], Strand] = {}
        self._gathered: dict[frozenset[str], tuple[Strand, ...]] = {}
        self.court = Court(changes, self.graph, self._reader, context)
        self.linker = Linker(self.court, self.strands(findings))

    def strands(self, findings: Sequence[Finding]) -> tuple[Strand, ...]:
        """Return the strands of findings, the first opened first; of the same findings, the very same strand."""
        ids = frozenset(finding.id for finding in findings)
        if ids not in self._gathered:
            self._gathered[ids] = tuple(self._known(one) for one in strands(map(self._sign, findings)))
        return self._gathered[ids]

    def joined(self, there: Sequence[Strand], more: Iterable[Strand]) -> tuple[Strand, ...]:
        """Return the strands of one group after ``more`` have come to those that are ``there``."""
        coming = tuple(more)
        keys = {one.key for one in coming}
        touched = [one for one in there if one.key in keys]
        if not touched:
            return in_order((*there, *coming))
        findings = [finding for one in (*touched, *coming) for finding in one.findings]
        return in_order((*(one for one in there if one.key not in keys), *self.strands(findings)))

    def _sign(self, finding: Finding) -> Sign:
        if finding.id not in self._signs:
            self._signs[finding.id] = sign(finding, self._reader)
        return self._signs[finding.id]

    def _known(self, one: Strand) -> Strand:
        return self._made.setdefault(tuple(finding.id for finding in one.findings), one)

    def root(self, group: Sequence[Strand]) -> Strand:
        """Return the strand of a group that began it."""
        return rooting.root(group, self.graph, self.linker)

    def weigh(self, group: Sequence[Strand], most: int) -> tuple[Weighed, ...]:
        """Return the ``most`` probable changes, wherever it may have begun."""
        roots = rooting.roots(group, self.graph, self.linker)
        return self.court.weigh(group, roots, self.linker.own_suspects, most)
