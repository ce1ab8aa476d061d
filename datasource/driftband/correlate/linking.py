"""How probable it is that one strand is the victim, or another sign, of what another one shows."""

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from driftband.correlate.coefficients import LINK_WEIGHTS
from driftband.correlate.court import Court
from driftband.correlate.evidence import MINUTE
from driftband.correlate.strand import Strand
from driftband.correlate.subject import agreement, conflict

FARTHEST = 120 * MINUTE
"""Strands that are further apart in time have nothing to do with each other."""
WIDEST = 60 * MINUTE
"""Of the window before a configuration finding: a scan once a day does not tie it to all that happens on that day."""
CROWDED = 5 * MINUTE
KNOTS = (-20.0, -5.0, -2.0, 0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 120.0)
"""Minutes by which the victim comes after; what lies between two is interpolated."""
RELATIONS = (
    "same resource", "same component", "same by name", "calls it", "calls it over one", "calls it over two",
    "called by it", "same workspace", "same place", "unknown",
)  # fmt: skip
FEATURES = (
    *RELATIONS,
    *(f"after {knot:g} minutes" for knot in KNOTS),
    "inside the victim",
    "edge of the victim",
    "inside the cause",
    "crowd",
    "configuration of one",
    "configuration of one, elsewhere",
    "other place",
    "shared suspects",
    "different suspects",
    "suspect of the victim alone",
)
_AT = {name: index for index, name in enumerate(FEATURES)}
_WEIGHTS = tuple(LINK_WEIGHTS[name] for name in FEATURES)
_CALLS = ("calls it", "calls it over one", "calls it over two")
SAME = RELATIONS[:3]
FOREIGN = (*_CALLS, "called by it")


@dataclass(frozen=True, slots=True)
class Link:
    """How strongly a victim hangs on a cause. share: of suspects that they have in common."""

    probability: float
    relation: str
    shared: float


class Crowd:
    """How many components of one place have moved inside at about the same time: what hits a place hits many."""

    def __init__(self, present: Iterable[Strand]) -> None:
        self._moved: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for one in present:
            if one.inside and not one.configuration and one.subject.component:
                for place in one.subject.places:
                    self._moved.setdefault(place, []).append((one.first, one.subject.component))
        for listed in self._moved.values():
            listed.sort()

    def size(self, one: Strand, other: Strand) -> float:
        """Return the logarithm of the number, in the narrowest place that both are in; 0 where one is not of them."""
        if abs(one.first - other.first) > CROWDED or not (one.inside and other.inside):
            return 0.0
        shared = set(one.subject.places) & set(other.subject.places)
        return math.log1p(min((self._around(place, one.first) for place in shared), default=0))

    def _around(self, place: tuple[str, str], moment: int) -> int:
        listed = self._moved.get(place, [])
        first = bisect.bisect_left(listed, (moment - CROWDED, ""))
        last = bisect.bisect_right(listed, (moment + CROWDED, "\U0010ffff"))
        return len({component for _, component in listed[first:last]})


class Linker:
    """Weighs links. What each strand's own suspects are is reckoned once."""

    def __init__(self, court: Court, present: Iterable[Strand]) -> None:
        self._court = court
        self._crowd = Crowd(present)
        self._own: dict[int, tuple[Strand, Mapping[str, float]]] = {}

    def link(self, victim: Strand, cause: Strand) -> Link | None:
        """Return the link, None where nothing speaks for one."""
        how = self.relation(victim, cause)
        if how is None or abs(gap(victim, cause)) > FARTHEST:
            return None
        values = self.values(victim, cause, how)
        utility = sum(weight * value for weight, value in zip(_WEIGHTS, values, strict=True) if value)
        return Link(1 / (1 + math.exp(-utility)), how, values[_AT["shared suspects"]])

    def relation(self, victim: Strand, cause: Strand) -> str | None:
        """Return how two strands are related, of ``RELATIONS``; None where they are not."""
        one, other = victim.subject, cause.subject
        if one.address and (one.address, one.workspace) == (other.address, other.workspace):
            return "same resource"
        if one.component and other.component:
            if one.component == other.component:
                return "same component" if one.told and other.told else "same by name"
            hops = self._court.graph.dependencies(one.component).get(other.component)
            if hops is not None:
                return _CALLS[hops - 1]
            if self._court.graph.dependents(one.component).get(other.component) == 1:
                return "called by it"
        elif one.workspace and one.workspace == other.workspace:
            return "same workspace"
        if agreement(one.places, other.places) and not conflict(one.places, other.places):
            return "same place" if one.component and other.component else "unknown"
        return None

    def values(self, victim: Strand, cause: Strand, how: str) -> tuple[float, ...]:
        """Return what speaks for and against, of ``FEATURES``."""
        values = [0.0] * len(FEATURES)
        values[_AT[how]] = 1.0
        for index, weight in _hats(gap(victim, cause) / MINUTE):
            values[len(RELATIONS) + index] = weight
        mine, theirs = self.own_suspects(victim), self.own_suspects(cause)
        shared = sum(min(score, theirs[change]) for change, score in mine.items() if change in theirs)
        together = sum(score * theirs[change] for change, score in mine.items() if change in theirs)
        different = sum(mine.values()) * sum(theirs.values()) - together
        foreign = how in FOREIGN
        one_drifted = victim.configuration != cause.configuration
        told = {
            "inside the victim": victim.inside and foreign and not victim.configuration,
            "edge of the victim": victim.edge and not victim.inside and foreign,
            "inside the cause": cause.inside and foreign and not cause.configuration,
            "crowd": self._crowd.size(victim, cause) if how not in SAME else 0.0,
            "configuration of one": one_drifted and how in SAME,
            "configuration of one, elsewhere": one_drifted and how not in SAME,
            "other place": conflict(victim.subject.places, cause.subject.places) > 0,
            "shared suspects": shared,
            "different suspects": max(different, 0.0),
            "suspect of the victim alone": sum(score for change, score in mine.items() if change not in theirs),
        }
        for name, value in told.items():
            values[_AT[name]] = float(value)
        return tuple(values)

    def own_suspects(self, one: Strand) -> Mapping[str, float]:
        """Return the scores of changes, by id, as they would be if nothing else had moved."""
        if id(one) not in self._own:
            scores = {weighed.evidence.act.change.id: weighed.score for weighed in self._court.weigh((one,), one)}
            self._own[id(one)] = (one, scores)
        return self._own[id(one)][1]


def gap(victim: Strand, cause: Strand) -> int:
    """Return by how much the victim came after, ms; 0 where one opened while the other gathered findings.

    Of configuration, only the window is known in which it was changed: what lies within it lies at no distance.
    """
    if victim.since is None and cause.since is None:
        return max(0, victim.first - cause.last) if victim.first >= cause.first else victim.first - cause.first
    begun, caused = _begun(victim), _begun(cause)
    if begun > cause.last:
        return begun - cause.last
    return min(0, victim.last - caused)


def _begun(one: Strand) -> int:
    return one.first if one.since is None else max(one.since, one.first - WIDEST)


def _hats(minutes: float) -> Sequence[tuple[int, float]]:
    if minutes <= KNOTS[0]:
        return ((0, 1.0),)
    if minutes >= KNOTS[-1]:
        return ((len(KNOTS) - 1, 1.0),)
    right = bisect.bisect_right(KNOTS, minutes)
    share = (minutes - KNOTS[right - 1]) / (KNOTS[right] - KNOTS[right - 1])
    return ((right - 1, 1 - share), (right, share))
