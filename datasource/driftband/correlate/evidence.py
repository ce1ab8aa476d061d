"""What speaks for and against changes as the cause of what moved: numbers that a model weighs and a person can check."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftband.correlate.acts import OWN, RUNNING, Acts, Floats, Ints, Relation
from driftband.correlate.graph import Graph
from driftband.correlate.strand import Strand
from driftband.correlate.subject import Act

MINUTE = 60_000
HOUR = 60 * MINUTE
SKEW = 5 * MINUTE
"""How far clocks may differ: a change that began later than this after the finding did not bring it about."""
REACH = 6 * HOUR
"""How long before a finding a change is looked for."""
LOOKBACK = 12 * HOUR
"""Over how long it is counted how often such changes happen here."""
KNOTS = np.array((0.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 360.0))
"""Minutes from a change's end to the finding; what lies between two is interpolated."""
_LEAST_WINDOW = 5.0
_CASES = ("ended", "after", "in its window", "running")

FEATURES = (
    *(f"ended {knot:g} minutes before" for knot in KNOTS),
    "running",
    "began after",
    "in its window",
    *(relation.name.lower() for relation in Relation if relation is not Relation.ELSEWHERE),
    "share",
    "chance",
    "kin",
    "other place",
    *(name for name, _ in OWN),
)
_AT = {name: index for index, name in enumerate(FEATURES)}
_RELATED = _AT[Relation.RESOURCE.name.lower()]
_OWN = _AT[OWN[0][0]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one change for one group of strands. lag: minutes from its end (its begin, where it began after) to the finding.

    timing: the case. explained: how many strands it can have moved. per_hour: how often changes as close as this happen.
    window: minutes in which one is looked for here. kin: words that it shares with what moved.
    """

    act: Act
    relation: Relation
    timing: str
    lag: float
    explained: int
    per_hour: float
    window: float
    kin: frozenset[str]
    conflicts: int


@dataclass(frozen=True)
class Docket:
    """The evidence of all changes that may have to do with a group, a row each; columns as in :class:`Evidence`.

    index: of the changes in ``acts``. timing: of ``_CASES``. values: a column for each of ``FEATURES``.
    """

    acts: Acts
    root: Strand
    index: Ints
    related: Ints
    timing: Ints
    lag: Floats
    explained: Ints
    per_hour: Floats
    conflicts: Ints
    values: Floats

    def row(self, place: int) -> Evidence:
        """Return one change's evidence."""
        act = self.acts.all[self.index[place]]
        return Evidence(
            act=act,
            relation=Relation(int(self.related[place])),
            timing=_CASES[self.timing[place]],
            lag=float(self.lag[place]),
            explained=int(self.explained[place]),
            per_hour=float(self.per_hour[place]),
            window=max(_LEAST_WINDOW, (self.root.first - act.began) / MINUTE),
            kin=act.words & self.root.words,
            conflicts=int(self.conflicts[place]),
        )


def gather(group: Sequence[Strand], root: Strand, acts: Acts, graph: Graph, known_since: int | None) -> Docket:
    """Return the evidence of each change that may have to do with a group, ``root`` being where it began.

    known_since: from when on all changes are known; None for always.
    """
    since = root.first - LOOKBACK
    hours = LOOKBACK / HOUR
    if known_since is not None and known_since > since:
        hours = max(1.0, (root.first - known_since) / HOUR)
    related = acts.relations(root.subject, graph)
    if root.subject.component and len(group) > 1:
        related = related.copy()
        also = acts.touched({one.subject.component for one in group} - {""})
        related[also] = np.minimum(related[also], Relation.SYMPTOM)
    begin = int(np.searchsorted(acts.began, since))
    end = int(np.searchsorted(acts.began, root.first + SKEW, side="right"))
    near = begin + np.flatnonzero(related[begin:end] != Relation.ELSEWHERE)
    how_often = _up_to(acts, related, near)
    usual = acts.each(begin, end)
    # What runs for long began long ago: only its end tells that it is over.
    index = near[acts.ended[near] >= root.first - REACH]
    return _docket(index, related, group, root, acts, graph, how_often, usual, hours)


def _up_to(acts: Acts, related: Ints, near: Ints) -> Ints:
    """Return how many changes there are of each relation or a closer one: those that are not trivial, and all."""
    every = np.bincount(related[near], minlength=len(Relation))
    serious = np.bincount(related[near[acts.trivial[near] == 0]], minlength=len(Relation))
    return np.array((serious, every)).cumsum(axis=1)


def _docket(
    index: Ints,
    related: Ints,
    group: Sequence[Strand],
    root: Strand,
    acts: Acts,
    graph: Graph,
    how_often: Ints,
    usual: Floats,
    hours: float,
) -> Docket:
    how = related[index]
    rows = np.arange(len(index))
    values = np.zeros((len(index), len(FEATURES)))
    timing, lag = _timing(values, acts.began[index], acts.ended[index], root)
    values[rows, _RELATED + how] = 1.0
    explained = np.zeros(len(index), dtype=np.int64)
    for subject, number in Counter(one.subject for one in group).items():
        explained += number * acts.reaches(subject, related, graph)[index]
    # Half a day of one component tells little: what is usual for a component here counts as one change more.
    trivial = acts.trivial[index]
    per_hour = how_often[trivial, how] / (hours * (1 + 1 / usual[trivial]))
    conflicts = acts.conflicts(root.subject.places)[index]
    values[:, _AT["share"]] = explained / len(group)
    values[:, _AT["chance"]] = np.log(per_hour)
    values[:, _AT["kin"]] = acts.akin(root.words)[index]
    values[:, _AT["other place"]] = conflicts
    values[:, _OWN:] = acts.own[index]
    return Docket(
        acts=acts,
        root=root,
        index=index,
        related=how,
        timing=timing,
        lag=lag,
        explained=explained,
        per_hour=per_hour,
        conflicts=conflicts,
        values=values,
    )


def _timing(values: Floats, began: Ints, ended: Ints, root: Strand) -> tuple[Ints, Floats]:
    """Fill in the columns of timing, and return the case and the lag in minutes."""
    first, since = root.first, root.first if root.since is None else root.since
    after = began > first
    window = ~after & (root.since is not None) & (ended >= since - SKEW)
    running = ~after & ~window & (ended > first)
    over = ~(after | window | running)
    ends = np.where(ended == RUNNING, first, ended)
    lag = np.where(after | running, np.abs(began - first), since - ends)
    lag[window] = np.maximum(0, first - ends[window])
    lag = lag / MINUTE
    values[after, 0] = 1.0
    values[after, _AT["began after"]] = lag[after] * MINUTE / SKEW
    values[window, _AT["in its window"]] = 1.0
    values[running, _AT["running"]] = 1.0
    values[over, : len(KNOTS)] = hats(lag[over], KNOTS)
    return after + 2 * window + 3 * running, lag


def hats(minutes: Floats, knots: Floats) -> Floats:
    """Return the shares of the two knots around each lag, a column for each knot; they add up to 1."""
    inside = np.minimum(np.maximum(minutes, knots[0]), knots[-1])
    right = np.minimum(np.searchsorted(knots, inside, side="right"), len(knots) - 1)
    share = (inside - knots[right - 1]) / (knots[right] - knots[right - 1])
    found = np.zeros((len(inside), len(knots)))
    rows = np.arange(len(inside))
    found[rows, right - 1] = 1 - share
    found[rows, right] = share
    return found
