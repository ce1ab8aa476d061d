"""The court: changes weighed against each other, and against there being none, as what brought a group about.

At most one change is the cause, and there may be none: the changes and "none of them" are weighed against each other (a
conditional logit), so that two changes that are equally near get half each, and a calibrated score comes out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from driftband.correlate.acts import Acts, Floats, Relation
from driftband.correlate.coefficients import NULL_WEIGHTS, SUSPECT_WEIGHTS
from driftband.correlate.context import Context
from driftband.correlate.evidence import FEATURES, Case, Docket, Evidence, gather
from driftband.correlate.graph import Graph
from driftband.correlate.strand import Strand
from driftband.correlate.subject import Reader
from driftband.correlate.undoing import undoing
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
    """All changes and the graph, made ready for being weighed against many groups. undoing: which of them undo which."""

    def __init__(self, changes: Sequence[Change], graph: Graph, reader: Reader, context: Context) -> None:
        self._acts = Acts([reader.act(change) for change in changes], reader.services)
        self._since = to_ms(context.changes_since) if context.changes_since else None
        self.undoing = undoing(self._acts.all)
        self.graph = graph

    def docket(self, cases: Sequence[Case]) -> Docket:
        """Return the evidence of each change that may have to do with each case."""
        return gather(cases, self._acts, self.graph, self._since)

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
        docket = self.docket([Case(group, root) for root, _ in roots])
        shares = np.array([probability for _, probability in roots])[docket.case] * _shares(docket)
        total = np.zeros(len(self._acts.all))
        np.add.at(total, docket.index, shares)
        speaks: dict[int, int] = {}
        for place in np.argsort(-shares, kind="stable").tolist():
            speaks.setdefault(int(docket.index[place]), place)
        apart = self._apart(int(total.argmax()), group, roots[0][0], own) if speaks else {}
        if apart:
            total *= 1 - DOUBT
            whole = max(1.0, sum(score for score, _ in apart.values()))
            for index, (score, _) in apart.items():
                total[index] += DOUBT * score / whole
        ranked = sorted({*speaks, *apart}, key=lambda index: (-total[index], self._acts.all[index].change.id))
        return tuple(
            Weighed(
                docket.row(speaks[index]) if index in speaks else self._alone(apart[index][1], index),
                float(total[index]),
            )
            for index in ranked[:most]
        )

    def _alone(self, one: Strand, index: int) -> Evidence:
        """Return a change's evidence as it would be if nothing but a strand had moved."""
        docket = self.docket([Case((one,), one)])
        return docket.row(int(np.flatnonzero(docket.index == index)[0]))

    def _apart(
        self, first: int, group: Sequence[Strand], root: Strand, own: Callable[[Strand], Mapping[int, float]]
    ) -> Mapping[int, tuple[float, Strand]]:
        """Return the suspects of what the first one cannot have moved, and the strand that speaks most for each.

        Two troubles at once look like one.
        """
        close = self._acts.relations(root.subject, self.graph)[first] <= Relation.NAMED
        found: dict[int, tuple[float, Strand]] = {}
        for one in group:
            if not self._acts.reaches(one.subject, self.graph)[int(close), first]:
                for index, score in own(one).items():
                    if score > found.get(index, (0.0, one))[0]:
                        found[index] = (score, one)
        return found

    def scores(self, strands: Sequence[Strand], least: float) -> list[dict[int, float]]:
        """Return for each strand the scores of changes, as they would be if nothing else had moved; those of ``least`` or more."""
        docket = self.docket([Case((one,), one) for one in strands])
        shares = _shares(docket)
        found: list[dict[int, float]] = [{} for _ in strands]
        kept = np.flatnonzero(shares >= least)
        for case, index, score in zip(
            *(column[kept].tolist() for column in (docket.case, docket.index, shares)), strict=True
        ):
            found[case][index] = score
        return found


_SUSPECT = np.array([SUSPECT_WEIGHTS[name] for name in FEATURES])
_NULL = np.array([NULL_WEIGHTS[name] for name in NULL_FEATURES])


def _shares(docket: Docket) -> Floats:
    """Return the probability of each change; what is left to 1 of a case is that of none."""
    # Row by row, each added up in the same order: two changes of which all is equal must not differ in the last digit.
    odds = np.exp((docket.values * _SUSPECT).sum(axis=1))
    none = np.exp([np.dot(null_values(case.group), _NULL) for case in docket.cases])
    return odds / (np.bincount(docket.case, odds, minlength=len(none)) + none)[docket.case]


def null_values(group: Sequence[Strand]) -> tuple[float, ...]:
    """Return what speaks for "no change", of ``NULL_FEATURES``."""
    alone = len(group) == 1 and len(group[0].findings) == 1
    drifted = [one.configuration for one in group]
    return float(alone), float(all(drifted)), float(any(drifted) and not all(drifted))
