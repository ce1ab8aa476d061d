"""What speaks for and against changes as the cause of what moved: numbers that a model weighs and a person can check."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftband.correlate.acts import OWN, RUNNING, Acts, Flags, Floats, Ints, Relation
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


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A group of strands, and the one of them where it is taken to have begun."""

    group: Sequence[Strand]
    root: Strand


@dataclass(frozen=True)
class Docket:
    """The evidence of all changes that may have to do with some cases: a row for each change of each case, case by case.

    case: of ``cases``. index: of the changes in ``acts``. timing: of ``_CASES``. values: a column for each of ``FEATURES``. The
    others as in :class:`Evidence`.
    """

    acts: Acts
    cases: Sequence[Case]
    case: Ints
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
        act, root = self.acts.all[self.index[place]], self.cases[self.case[place]].root
        return Evidence(
            act=act,
            relation=Relation(int(self.related[place])),
            timing=_CASES[self.timing[place]],
            lag=float(self.lag[place]),
            explained=int(self.explained[place]),
            per_hour=float(self.per_hour[place]),
            window=max(_LEAST_WINDOW, (root.first - act.began) / MINUTE),
            kin=act.words & root.words,
            conflicts=int(self.conflicts[place]),
        )


def gather(cases: Sequence[Case], acts: Acts, graph: Graph, known_since: int | None) -> Docket:
    """Return the evidence of each change that may have to do with each case.

    known_since: from when on all changes are known; None for always.
    """
    firsts = np.array([case.root.first for case in cases], dtype=np.int64)
    begins = np.searchsorted(acts.began, firsts - LOOKBACK)
    ends = np.searchsorted(acts.began, firsts + SKEW, side="right")
    moved = {id(case.group): _moved(case.group, acts, graph) for case in cases}
    looked = [
        _near(case, moved[id(case.group)], acts, graph, *span) for case, *span in zip(cases, begins, ends, strict=True)
    ]
    index, related, explained, conflicts, kin = map(np.concatenate, zip(*looked, strict=True))
    case = np.repeat(np.arange(len(cases)), [len(near) for near, *_ in looked])
    per_hour = _per_hour(case, related, acts.trivial[index], acts.each(begins, ends), _hours(firsts, known_since))
    # What runs for long began long ago: only its end tells that it is over.
    kept = np.flatnonzero(acts.ended[index] >= firsts[case] - REACH)
    case, index, related, per_hour = case[kept], index[kept], related[kept], per_hour[kept]
    explained, conflicts = explained[kept], conflicts[kept]
    values = np.zeros((len(index), len(FEATURES)))
    timing, lag = _timing(values, acts.began[index], acts.ended[index], cases, case)
    values[np.arange(len(index)), _RELATED + related] = 1.0
    values[:, _AT["share"]] = explained / np.array([len(one.group) for one in cases])[case]
    values[:, _AT["chance"]] = np.log(per_hour)
    values[:, _AT["kin"]] = kin[kept]
    values[:, _AT["other place"]] = conflicts
    values[:, _OWN:] = acts.own[index]
    return Docket(acts, cases, case, index, related, timing, lag, explained, per_hour, conflicts, values)


def _moved(group: Sequence[Strand], acts: Acts, graph: Graph) -> Ints:
    """Return how many strands of a group each change can have moved: as :meth:`Acts.reaches` says firstly, and secondly."""
    found = np.zeros((2, len(acts.all)), dtype=np.int64)
    for subject, number in Counter(one.subject for one in group).items():
        found += number * acts.reaches(subject, graph)
    return found


def _near(
    case: Case, moved: Ints, acts: Acts, graph: Graph, begin: int, end: int
) -> tuple[Ints, Ints, Ints, Ints, Flags]:
    """Return the changes from ``begin`` to ``end`` that are related to a case, and of each its relation, how many strands it
    can have moved, conflicts of place, and whether it shares words.
    """
    group, root = case.group, case.root
    related = acts.relations(root.subject, graph)
    if root.subject.component and len(group) > 1:
        related = related.copy()
        also = acts.touched({one.subject.component for one in group} - {""})
        related[also] = np.minimum(related[also], Relation.SYMPTOM)
    near = begin + np.flatnonzero(related[begin:end] != Relation.ELSEWHERE)
    explained = np.where(related[near] <= Relation.NAMED, moved[1, near], moved[0, near])
    return near, related[near], explained, acts.conflicts(root.subject.places)[near], acts.akin(root.words)[near]


def _hours(firsts: Ints, known_since: int | None) -> Floats:
    """Return over how many hours changes were counted."""
    if known_since is None:
        return np.full(len(firsts), LOOKBACK / HOUR)
    return np.minimum(LOOKBACK / HOUR, np.maximum(1.0, (firsts - known_since) / HOUR))


def _per_hour(case: Ints, related: Ints, trivial: Ints, usual: Floats, hours: Floats) -> Floats:
    """Return how often changes of each one's relation or a closer one come: of those that are not trivial, or of all."""
    bins = (len(hours), len(Relation))
    places = case * len(Relation) + related
    every = np.bincount(places, minlength=bins[0] * bins[1]).reshape(bins)
    serious = np.bincount(places[trivial == 0], minlength=bins[0] * bins[1]).reshape(bins)
    up_to = np.array((serious, every)).cumsum(axis=2)
    # Half a day of one component tells little: what is usual for a component here counts as one change more.
    return up_to[trivial, case, related] / (hours[case] * (1 + 1 / usual[trivial, case]))


def _timing(values: Floats, began: Ints, ended: Ints, cases: Sequence[Case], case: Ints) -> tuple[Ints, Floats]:
    """Fill in the columns of timing, and return the case of timing and the lag in minutes."""
    first = np.array([one.root.first for one in cases])[case]
    since = np.array([one.root.first if one.root.since is None else one.root.since for one in cases])[case]
    windowed = np.array([one.root.since is not None for one in cases])[case]
    after = began > first
    window = ~after & windowed & (ended >= since - SKEW)
    running = ~after & ~window & (ended > first)
    over = ~(after | window | running)
    ends = np.where(ended == RUNNING, first, ended)
    lag = np.where(after | running, np.abs(began - first), since - ends)
    lag[window] = np.maximum(0, first - ends)[window]
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
