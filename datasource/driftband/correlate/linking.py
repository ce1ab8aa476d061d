"""How probable it is that one strand is the victim, or another sign, of what another one shows."""

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul

from driftband.correlate.coefficients import LINK_WEIGHTS, SPLIT
from driftband.correlate.court import Court
from driftband.correlate.evidence import MINUTE
from driftband.correlate.strand import APART, Strand
from driftband.correlate.subject import agreement, conflict

FARTHEST = 20 * MINUTE
"""Strands that are further apart in time have nothing to do with each other, unless they are of one component."""
WIDEST = 60 * MINUTE
"""Of the window before a configuration finding: a scan once a day does not tie it to all that happens on that day."""
CROWDED = 5 * MINUTE
"""What hits a place moves the inside of many components within so long."""
FEW, MANY = 2, 8
"""So many components of a place may have troubles of their own at once; beyond so many, more make no difference."""
LEAST = 0.005
"""Below this score a change is no suspect that two strands could share."""
AT_ONCE = 64
"""So many strands have their suspects reckoned at once; a thousand changes may be of interest to each."""
KNOTS = (-20.0, -5.0, -2.0, 0.0, 2.0, 5.0, 10.0, 20.0)
"""Minutes by which the victim comes after; what lies between two is interpolated."""
OUT_KNOTS = (10.0, 40.0, 120.0)
"""Minutes by which it comes after something of its own component that is still out."""
RELATIONS = (
    "same resource", "same component", "same by name", "calls it", "calls it over one", "calls it over two",
    "called by it", "same workspace", "same place", "unknown",
)  # fmt: skip
FEATURES = (
    *RELATIONS,
    *(f"after {knot:g} minutes" for knot in KNOTS),
    *(f"still out, after {knot:g} minutes" for knot in OUT_KNOTS),
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
_OUT = _AT[f"still out, after {OUT_KNOTS[0]:g} minutes"]
_WEIGHTS = tuple(LINK_WEIGHTS[name] for name in FEATURES)
_CALLS = ("calls it", "calls it over one", "calls it over two")
SAME = RELATIONS[:3]
FOREIGN = (*_CALLS, "called by it")
_HOPELESS = math.log(SPLIT / (1 - SPLIT)) - max(0.0, LINK_WEIGHTS["shared suspects"])
"""Below these log odds even the same suspects would not make it a link."""
_TIMES = tuple(LINK_WEIGHTS[f"after {knot:g} minutes"] for knot in KNOTS)
_AT_BEST = {
    how: LINK_WEIGHTS[how]
    + max(0.0, LINK_WEIGHTS["inside the victim"], LINK_WEIGHTS["edge of the victim"])
    + max(0.0, LINK_WEIGHTS["inside the cause"])
    + max(0.0, LINK_WEIGHTS["other place"])
    for how in FOREIGN
}
"""What speaks for a link beyond a component if time, crowds and suspects are left out, at most."""


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
            if insider(one):
                for place in one.subject.places:
                    self._moved.setdefault(place, []).append((one.first, one.subject.component))
        for listed in self._moved.values():
            listed.sort()
        self._known: dict[tuple[tuple[str, str], int], int] = {}

    def size(self, one: Strand, other: Strand) -> float:
        """Return how many more than a few, in the narrowest place that both are in; 0 where one is not of them."""
        if abs(one.first - other.first) > CROWDED or not (one.inside and other.inside):
            return 0.0
        shared = set(one.subject.places) & set(other.subject.places)
        number = min((self._around(place, one.first) for place in shared), default=0)
        return float(min(max(0, number - FEW), MANY - FEW))

    def _around(self, place: tuple[str, str], moment: int) -> int:
        if (place, moment) not in self._known:
            listed = self._moved.get(place, [])
            first = bisect.bisect_left(listed, (moment - CROWDED, ""))
            last = bisect.bisect_right(listed, (moment + CROWDED, "\U0010ffff"))
            self._known[place, moment] = len({component for _, component in listed[first:last]})
        return self._known[place, moment]


class Linker:
    """Weighs links. What has been weighed is known."""

    def __init__(self, court: Court, present: Sequence[Strand]) -> None:
        self._court = court
        self._crowd = Crowd(present)
        self._own: dict[Strand, Mapping[int, float]] = {}
        for begin in range(0, len(present), AT_ONCE):
            self._learn(present[begin : begin + AT_ONCE])
        self._links: dict[tuple[Strand, Strand], Link | None] = {}

    def link(self, victim: Strand, cause: Strand) -> Link | None:
        """Return the link, None where nothing speaks for one."""
        pair = (victim, cause)
        if pair not in self._links:
            self._links[pair] = self._weigh(victim, cause)
        return self._links[pair]

    def _weigh(self, victim: Strand, cause: Strand) -> Link | None:
        if same_series(victim, cause):
            return Link(1.0, "same series", 0.0)
        if came_back(victim, cause) or came_back(cause, victim):
            return Link(1.0, "came back", 0.0)
        how = self.relation(victim, cause)
        if how is None or self._hopeless(victim, cause, how):
            return None
        values = self.circumstances(victim, cause, how)
        if _dot(values) < _HOPELESS:
            return None
        self.compare(victim, cause, values)
        return Link(1 / (1 + math.exp(-_dot(values))), how, values[_AT["shared suspects"]])

    def _hopeless(self, victim: Strand, cause: Strand, how: str) -> bool:
        """Whether time alone rules a link out: a look that costs little, as most pairs end here."""
        if how not in _AT_BEST or (insider(victim) and insider(cause)):
            return False
        lag = sum(_TIMES[index] * weight for index, weight in _hats(gap(victim, cause) / MINUTE, KNOTS))
        return _AT_BEST[how] + lag < _HOPELESS

    def relation(self, victim: Strand, cause: Strand) -> str | None:
        """Return how two strands are related, of ``RELATIONS``; None where they are not, or are too far apart in time."""
        one, other = victim.subject, cause.subject
        if one.component and one.component == other.component:
            near = abs(gap(victim, cause)) <= FARTHEST or still_out(victim, cause)
            return ("same component" if one.told and other.told else "same by name") if near else None
        if abs(gap(victim, cause)) > FARTHEST:
            return None
        if one.address and (one.address, one.workspace) == (other.address, other.workspace):
            return "same resource"
        if one.component and other.component:
            hops = self._court.graph.dependencies(one.component).get(other.component)
            if hops is not None:
                return _CALLS[hops - 1]
            if self._court.graph.dependents(one.component).get(other.component) == 1:
                return "called by it"
            crowded = insider(victim) and insider(cause) and abs(victim.first - cause.first) <= CROWDED
            return "same place" if crowded and _agree(victim, cause) else None
        if one.workspace and one.workspace == other.workspace:
            return "same workspace"
        # What does not say what it is may belong to others, and ties nobody to itself: else it would tie strangers.
        return "unknown" if not one.component and _agree(victim, cause) else None

    def values(self, victim: Strand, cause: Strand, how: str) -> list[float]:
        """Return what speaks for and against, of ``FEATURES``."""
        values = self.circumstances(victim, cause, how)
        self.compare(victim, cause, values)
        return values

    def circumstances(self, victim: Strand, cause: Strand, how: str) -> list[float]:
        """Return all but what suspects tell."""
        values = [0.0] * len(FEATURES)
        values[_AT[how]] = 1.0
        if how in SAME and still_out(victim, cause) and gap(victim, cause) > APART:
            for index, weight in _hats(gap(victim, cause) / MINUTE, OUT_KNOTS):
                values[_OUT + index] = weight
        else:
            for index, weight in _hats(gap(victim, cause) / MINUTE, KNOTS):
                values[len(RELATIONS) + index] = weight
        if how in FOREIGN:
            values[_AT["inside the victim"]] = float(victim.inside and not victim.configuration)
            values[_AT["edge of the victim"]] = float(victim.edge and not victim.inside)
            values[_AT["inside the cause"]] = float(cause.inside and not cause.configuration)
        if how not in SAME:
            values[_AT["crowd"]] = self._crowd.size(victim, cause)
        if victim.configuration != cause.configuration:
            values[_AT["configuration of one" if how in SAME else "configuration of one, elsewhere"]] = 1.0
        if conflict(victim.subject.places, cause.subject.places):
            values[_AT["other place"]] = 1.0
        return values

    def compare(self, victim: Strand, cause: Strand, values: list[float]) -> None:
        """Fill in what suspects tell."""
        mine, theirs = self._affairs(victim), self._affairs(cause)
        shared = together = alone = 0.0
        for change, score in mine.items():
            if change in theirs:
                shared += min(score, theirs[change])
                together += score * theirs[change]
            else:
                alone += score
        different = sum(mine.values()) * sum(theirs.values()) - together
        values[_AT["shared suspects"]] = shared
        values[_AT["different suspects"]] = max(different, 0.0)
        values[_AT["suspect of the victim alone"]] = alone

    def own_suspects(self, one: Strand) -> Mapping[int, float]:
        """Return the scores of changes, as they would be if nothing else had moved."""
        if one not in self._own:
            self._learn((one,))
        return self._own[one]

    def _affairs(self, one: Strand) -> Mapping[int, float]:
        """Return the scores of its own suspects; what undoes a change counts as that change."""
        own = self.own_suspects(one)
        if self._court.undoing.keys().isdisjoint(own):
            return own
        found: dict[int, float] = {}
        for change, score in own.items():
            affair = self._court.undoing.get(change, change)
            found[affair] = found.get(affair, 0.0) + score
        return found

    def _learn(self, strands: Sequence[Strand]) -> None:
        self._own.update(zip(strands, self._court.scores(strands, LEAST), strict=True))


def _dot(values: Sequence[float]) -> float:
    return sum(map(mul, _WEIGHTS, values))


def _agree(one: Strand, other: Strand) -> bool:
    mine, theirs = one.subject.places, other.subject.places
    return agreement(mine, theirs) > 0 and not conflict(mine, theirs)


def insider(one: Strand) -> bool:
    """Whether the inside of a known component has moved, in what was measured."""
    return one.inside and not one.configuration and bool(one.subject.component)


def still_out(victim: Strand, cause: Strand) -> bool:
    """Whether the one was not over when the other began."""
    return not (victim.configuration or cause.configuration) and cause.first <= victim.first <= cause.until


def same_series(one: Strand, other: Strand) -> bool:
    """Whether the later one tells of a series that had not come back since the earlier one told of it."""
    earlier, later = (one, other) if one.first <= other.first else (other, one)
    return not earlier.series.keys().isdisjoint(later.series) and any(
        earlier.series.get(series, 0) >= later.first for series in later.series
    )


def came_back(one: Strand, other: Strand) -> bool:
    """Whether the one tells again of what the other one has told of."""
    return bool(one.returns) and not one.returns.isdisjoint(other.ids)


def gap(victim: Strand, cause: Strand) -> int:
    """Return by how much the victim came after, ms; 0 where one opened while the other gathered findings.

    Of configuration, only the window is known in which it was changed: trouble that began within it lies at no distance.
    """
    if victim.since is None and cause.since is None:
        return max(0, victim.first - cause.last) if victim.first >= cause.first else victim.first - cause.first
    begun, caused = _begun(victim), _begun(cause)
    # What was changed after a trouble had begun did not begin it, however long that trouble went on.
    onset = cause.first if cause.since is None else cause.last
    if begun > onset:
        return begun - onset
    return min(0, (victim.first if victim.since is None else victim.last) - caused)


def _begun(one: Strand) -> int:
    return one.first if one.since is None else max(one.since, one.first - WIDEST)


def _hats(minutes: float, knots: Sequence[float]) -> Sequence[tuple[int, float]]:
    if minutes <= knots[0]:
        return ((0, 1.0),)
    if minutes >= knots[-1]:
        return ((len(knots) - 1, 1.0),)
    right = bisect.bisect_right(knots, minutes)
    share = (minutes - knots[right - 1]) / (knots[right] - knots[right - 1])
    return ((right - 1, 1 - share), (right, share))
