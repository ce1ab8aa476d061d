"""What speaks for and against a change as the cause of what moved: numbers that a model weighs and a person can check."""

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from driftband.correlate.graph import Graph
from driftband.correlate.strand import Strand
from driftband.correlate.subject import Act, agreement, conflict

MINUTE = 60_000
HOUR = 60 * MINUTE
SKEW = 5 * MINUTE
"""How far clocks may differ: a change that began later than this after the finding did not bring it about."""
REACH = 6 * HOUR
"""How long before a finding a change is looked for."""
LOOKBACK = 12 * HOUR
"""Over how long it is counted how often such changes happen here."""
KNOTS = (0.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 360.0)
"""Minutes from a change's end to the finding; what lies between two is interpolated."""


class Relation(IntEnum):
    """How a change is related to where the trouble began; the closer ones first."""

    RESOURCE = 0
    SERVICE = 1
    NAMED = 2
    DEPENDENCY = 3
    FAR_DEPENDENCY = 4
    CALLER = 5
    SYMPTOM = 6
    PLACE = 7
    WORKSPACE = 8
    UNKNOWN = 9
    ELSEWHERE = 10


FEATURES = (
    *(f"ended {knot:g} minutes before" for knot in KNOTS),
    "running",
    "began after",
    "in its window",
    *(relation.name.lower() for relation in Relation if relation is not Relation.ELSEWHERE),
    "share",
    "chance",
    "matters",
    "trivial",
    "kin",
    "destroys",
    "size",
    "deploy",
    "manual",
    "failed",
    "other place",
)
_AT = {name: index for index, name in enumerate(FEATURES)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one change for one group of strands. lag: minutes from its end (its begin, where it began after) to the finding.

    timing: the case. share: of the strands that it can explain. per_hour: how often changes as close as this happen.
    window: minutes in which one is looked for here. kin: words that it shares with what moved. values: of ``FEATURES``.
    """

    act: Act
    relation: Relation
    timing: str
    lag: float
    share: float
    explained: int
    per_hour: float
    window: float
    kin: frozenset[str]
    conflicts: int
    values: tuple[float, ...]


class Acts:
    """All changes, found by component and time."""

    def __init__(self, acts: Iterable[Act]) -> None:
        self._by: dict[str, list[Act]] = {}
        for act in sorted(acts, key=lambda one: (one.began, one.change.id)):
            for name in act.components | act.named or {""}:
                self._by.setdefault(name, []).append(act)
            for address in act.addresses:
                self._by.setdefault(f"{act.change.workspace}\0{address}", []).append(act)
        self._began = {name: [act.began for act in acts] for name, acts in self._by.items()}
        self._all = sorted({act.change.id: act for acts in self._by.values() for act in acts}.values(), key=_order)
        self._times = [act.began for act in self._all]

    def between(self, names: Iterable[str] | None, since: int, until: int) -> Iterator[Act]:
        """Yield the changes that began within, of the components ``names`` or of all, each once, the first first."""
        if names is None:
            yield from self._all[bisect.bisect_left(self._times, since) : bisect.bisect_right(self._times, until)]
            return
        found: dict[str, Act] = {}
        for name in names:
            times = self._began.get(name, [])
            for act in self._by.get(name, [])[bisect.bisect_left(times, since) : bisect.bisect_right(times, until)]:
                found[act.change.id] = act
        yield from sorted(found.values(), key=_order)


def _order(act: Act) -> tuple[int, str]:
    return act.began, act.change.id


def gather(
    group: Sequence[Strand], root: Strand, acts: Acts, graph: Graph, known_since: int | None
) -> tuple[Evidence, ...]:
    """Return the evidence of each change that may have to do with a group, ``root`` being where it began.

    known_since: from when on all changes are known; None for always.
    """
    component = root.subject.component
    members = {one.subject.component for one in group if one.subject.component}
    names: set[str] | None = None
    if component:
        names = {component, "", *graph.dependencies(component), *members}
        names |= {name for name, hops in graph.dependents(component).items() if hops == 1}
        names |= {f"{one.workspace}\0{one.address}" for one in (root.subject,) if one.address}
    since = root.first - LOOKBACK
    hours = LOOKBACK / HOUR
    if known_since is not None and known_since > since:
        hours = max(1.0, (root.first - known_since) / HOUR)
    near = [(act, relation(act, root, members, graph)) for act in acts.between(names, since, root.first + SKEW)]
    near = [(act, how) for act, how in near if how is not Relation.ELSEWHERE]
    how_often = _Frequency(near)
    # What runs for long began long ago: only its end tells that it is over.
    alive = [(act, how) for act, how in near if act.ended is None or act.ended >= root.first - REACH]
    found = []
    for act, how in alive:
        others = how_often.count(act, how) - 1
        found.append(_evidence(act, how, root, group, graph, (others + 0.5) / hours))
    return tuple(found)


class _Frequency:
    """How many changes are of the same kind as one, as close, and no less serious."""

    def __init__(self, near: Iterable[tuple[Act, Relation]]) -> None:
        counts: dict[tuple[str, bool], list[int]] = {}
        for act, how in near:
            counts.setdefault((act.change.kind, act.trivial), [0] * len(Relation))[how] += 1
        self._up_to = {key: list(itertools.accumulate(listed)) for key, listed in counts.items()}

    def count(self, act: Act, how: Relation) -> int:
        kind = act.change.kind
        seriousness = (False, True) if act.trivial else (False,)
        return sum(self._up_to[kind, trivial][how] for trivial in seriousness if (kind, trivial) in self._up_to)


def relation(act: Act, root: Strand, members: set[str], graph: Graph) -> Relation:
    """Return how a change is related to a root; ``members``: the components of its group."""
    subject = root.subject
    component = subject.component
    if subject.address in act.addresses and subject.workspace == act.change.workspace:
        return Relation.RESOURCE
    touched = act.components or act.named
    if component and touched:
        if component in touched:
            return Relation.SERVICE if act.components and subject.told else Relation.NAMED
        below = graph.dependencies(component)
        hops = min((below[name] for name in touched if name in below), default=0)
        if hops:
            return Relation.DEPENDENCY if hops == 1 else Relation.FAR_DEPENDENCY
        above = graph.dependents(component)
        if any(above.get(name) == 1 for name in touched):
            return Relation.CALLER
        return Relation.SYMPTOM if touched & members else Relation.ELSEWHERE
    if subject.module and subject.module in act.modules:
        return Relation.WORKSPACE
    if subject.workspace and subject.workspace == act.change.workspace:
        return Relation.WORKSPACE
    if not touched and agreement(act.places, subject.places) and not conflict(act.places, subject.places):
        return Relation.PLACE
    return Relation.UNKNOWN


def explains(act: Act, one: Strand, how: Relation, graph: Graph) -> bool:
    """Return whether a strand is one that the change can have moved: its own, or what depends on it."""
    touched = act.components or act.named
    component = one.subject.component
    if not touched or not component:
        return how <= Relation.NAMED or not conflict(act.places, one.subject.places)
    return component in touched or not touched.isdisjoint(graph.dependencies(component))


def _evidence(
    act: Act, how: Relation, root: Strand, group: Sequence[Strand], graph: Graph, per_hour: float
) -> Evidence:
    values = [0.0] * len(FEATURES)
    timing, lag = _timing(act, root)
    if timing == "ended":
        for index, weight in hats(lag):
            values[index] = weight
    elif timing == "after":
        values[0] = 1.0
        values[_AT["began after"]] = lag * MINUTE / SKEW
    else:
        values[_AT[timing]] = 1.0
    explained = sum(1 for one in group if explains(act, one, how, graph))
    kin = act.words & root.words
    conflicts = conflict(act.places, root.subject.places)
    values[_AT[how.name.lower()]] = 1.0
    told = {
        "share": explained / len(group),
        "chance": math.log(per_hour),
        "matters": act.matters,
        "trivial": act.trivial,
        "kin": bool(kin),
        "destroys": act.destroys,
        "size": math.log1p(len(act.change.resources)),
        "deploy": act.change.kind == "deploy",
        "manual": act.change.kind == "manual",
        "failed": act.change.status == "failed",
        "other place": conflicts,
    }
    for name, value in told.items():
        values[_AT[name]] = float(value)
    return Evidence(
        act=act,
        relation=how,
        timing=timing,
        lag=lag,
        share=explained / len(group),
        explained=explained,
        per_hour=per_hour,
        window=max(5.0, (root.first - act.began) / MINUTE),
        kin=kin,
        conflicts=conflicts,
        values=tuple(values),
    )


def _timing(act: Act, root: Strand) -> tuple[str, float]:
    first = root.first
    if act.began > first:
        return "after", (act.began - first) / MINUTE
    if root.since is not None and act.began <= first and (act.ended is None or act.ended >= root.since - SKEW):
        return "in its window", max(0.0, (first - (act.ended or first)) / MINUTE)
    if act.ended is None or act.ended > first:
        return "running", (first - act.began) / MINUTE
    return "ended", ((root.since or first) - act.ended) / MINUTE


def hats(minutes: float) -> Iterator[tuple[int, float]]:
    """Yield the knots around a lag and their weights, which add up to 1."""
    if minutes >= KNOTS[-1]:
        yield len(KNOTS) - 1, 1.0
        return
    right = bisect.bisect_right(KNOTS, max(minutes, 0.0))
    share = (max(minutes, 0.0) - KNOTS[right - 1]) / (KNOTS[right] - KNOTS[right - 1])
    yield right - 1, 1 - share
    yield right, share
