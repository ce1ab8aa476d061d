"""The scene: findings, changes and context made ready, once for a decision."""

from collections.abc import Sequence

from driftband.correlate import rooting
from driftband.correlate.context import Context
from driftband.correlate.court import Court
from driftband.correlate.graph import Graph
from driftband.correlate.linking import Linker
from driftband.correlate.strand import Strand, strands
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
        self.court = Court(changes, self.graph, self._reader, context)
        self.linker = Linker(self.court, self.strands(findings))

    def strands(self, findings: Sequence[Finding]) -> tuple[Strand, ...]:
        """Return the strands of findings, the first opened first."""
        return strands(findings, self._reader)

    def root(self, group: Sequence[Strand]) -> Strand:
        """Return the strand of a group that began it."""
        return rooting.root(group, self.graph, self.linker)
