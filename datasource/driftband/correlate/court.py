"""The court: changes weighed against each other, and against there being none, as what brought a group about.

At most one change is the cause, and there may be none: the changes and "none of them" are weighed against each other (a
conditional logit), so that two changes that are equally near get half each, and a calibrated score comes out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from driftband.correlate.acts import Acts, Floats
from driftband.correlate.coefficients import NULL_WEIGHTS, SUSPECT_WEIGHTS
from driftband.correlate.context import Context
from driftband.correlate.evidence import FEATURES, Docket, Evidence, gather
from driftband.correlate.graph import Graph
from driftband.correlate.strand import Strand
from driftband.correlate.subject import Reader
from driftband.model.change import Change
from driftband.model.moment import to_ms

DOUBT = 0.05
"""How probable it is that a group of which a change cannot have moved all holds another trouble, too: of the choosing part, one in 20 does."""
NULL_FEATURES = ("one finding", "configuration only", "with configuration")


@dataclass(frozen=True, slots=True)
class Weighed:
    """A change's evidence and its score."""

    evidence: Evidence
    score: float


class Court:
    """All changes and the graph, made ready for being weighed against many groups."""

    def __init__(self, changes: Sequence[Change], graph: Graph, reader: Reader, context: Context) -> None:
        self._acts = Acts([reader.act(change) for change in changes], reader.services)
        self._since = to_ms(context.changes_since) if context.changes_since else None
        self.graph = graph

    def docket(self, group: Sequence[Strand], root: Strand) -> Docket:
        """Return the evidence of each change that may have to do with the group."""
        return gather(group, root, self._acts, self.graph, self._since)

    def weigh(
        self,
        group: Sequence[Strand],
        roots: Sequence[tuple[Strand, float]],
        own: Callable[[Strand], Mapping[int, float]],
        most: int,
    ) -> tuple[Weighed, ...]:
        """Return the ``most`` probable changes, the most probable first.

        roots: where it may have begun, and how probably. The evidence is that for the root which speaks most for the change.
        own: scores of changes as they would be if nothing but a strand had moved.
        """
        total = np.zeros(len(self._acts.all))
        best = np.zeros(len(self._acts.all))
        speaks: dict[int, tuple[Docket, int]] = {}
        for root, probability in roots:
            docket = self.docket(group, root)
            shares = probability * _shares(docket, group)
            total[docket.index] += shares
            for place in np.flatnonzero(shares > best[docket.index]).tolist():
                speaks[int(docket.index[place])] = (docket, place)
            best[docket.index] = np.maximum(best[docket.index], shares)
        apart = self._apart(int(total.argmax()), group, roots[0][0], own) if speaks else {}
        if apart:
            total *= 1 - DOUBT
            whole = max(1.0, sum(score for score, _ in apart.values()))
            for index, (score, one) in apart.items():
                total[index] += DOUBT * score / whole
                if index not in speaks:
                    docket = self.docket((one,), one)
                    speaks[index] = (docket, int(np.flatnonzero(docket.index == index)[0]))
        ranked = sorted(speaks, key=lambda index: (-total[index], self._acts.all[index].change.id))
        return tuple(Weighed(_row(speaks[index]), float(total[index])) for index in ranked[:most])

    def _apart(
        self, first: int, group: Sequence[Strand], root: Strand, own: Callable[[Strand], Mapping[int, float]]
    ) -> Mapping[int, tuple[float, Strand]]:
        """Return the suspects of what the first one cannot have moved, and the strand that speaks most for each.

        Two troubles at once look like one.
        """
        related = self._acts.relations(root.subject, self.graph)
        found: dict[int, tuple[float, Strand]] = {}
        for one in group:
            if not self._acts.reaches(one.subject, related, self.graph)[first]:
                for index, score in own(one).items():
                    if score > found.get(index, (0.0, one))[0]:
                        found[index] = (score, one)
        return found

    def scores(self, one: Strand, least: float) -> Mapping[int, float]:
        """Return the scores of changes, as they would be if nothing else had moved; those of ``least`` or more."""
        docket = self.docket((one,), one)
        scores = _shares(docket, (one,))
        kept = np.flatnonzero(scores >= least)
        return dict(zip(docket.index[kept].tolist(), scores[kept].tolist(), strict=True))


def _row(there: tuple[Docket, int]) -> Evidence:
    docket, place = there
    return docket.row(place)


_SUSPECT = np.array([SUSPECT_WEIGHTS[name] for name in FEATURES])
_NULL = np.array([NULL_WEIGHTS[name] for name in NULL_FEATURES])


def _shares(docket: Docket, group: Sequence[Strand]) -> Floats:
    """Return the probability of each change; what is left to 1 is that of none."""
    utilities = np.append(docket.values @ _SUSPECT, np.dot(null_values(group), _NULL))
    odds = np.exp(utilities - utilities.max())
    return odds[:-1] / odds.sum()


def null_values(group: Sequence[Strand]) -> tuple[float, ...]:
    """Return what speaks for "no change", of ``NULL_FEATURES``."""
    alone = len(group) == 1 and len(group[0].findings) == 1
    drifted = [one.configuration for one in group]
    return float(alone), float(all(drifted)), float(any(drifted) and not all(drifted))
