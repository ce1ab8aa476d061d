"""All changes as columns: what does not hang on the findings is reckoned once, and what hangs on their subject once for each."""

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from driftband.correlate.graph import Graph
from driftband.correlate.subject import Act, Places, Subject, agreement, conflict

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_Name = TypeVar("_Name")

RUNNING = np.iinfo(np.int64).max
"""The end of what has none."""


class Relation(IntEnum):
    """How a change is related to where the trouble began; the closer ones first."""

    RESOURCE = 0
    SERVICE = 1
    NAMED = 2
    DEPENDENCY = 3
    FAR_DEPENDENCY = 4
    CALLER = 5
    SYMPTOM = 6
    WORKSPACE = 7
    PLACE = 8
    UNKNOWN = 9
    ELSEWHERE = 10


OWN: tuple[tuple[str, Callable[[Act], float]], ...] = (
    ("matters", lambda act: act.matters),
    ("trivial", lambda act: act.trivial),
    ("destroys", lambda act: act.destroys),
    ("size", lambda act: float(np.log1p(len(act.change.resources)))),
    ("deploy", lambda act: act.change.kind == "deploy"),
    ("manual", lambda act: act.change.kind == "manual"),
    ("other", lambda act: act.change.kind == "other"),
    ("failed", lambda act: act.change.status == "failed"),
)
"""Evidence that is the change's own."""


class Acts:
    """Changes in the order in which they began; an index stands for one of them."""

    def __init__(self, acts: Iterable[Act], components: int) -> None:
        """components: how many there are in all."""
        self.all = sorted(acts, key=lambda act: (act.began, act.change.id))
        self.began = np.array([act.began for act in self.all], dtype=np.int64)
        self.ended = np.array([RUNNING if act.ended is None else act.ended for act in self.all], dtype=np.int64)
        self.trivial = np.array([act.trivial for act in self.all], dtype=np.int64)
        self.own = np.array([[read(act) for _, read in OWN] for act in self.all], dtype=float).reshape(-1, len(OWN))
        self.touching = np.array([bool(act.components or act.named) for act in self.all], dtype=bool)
        self._components = max(1, components)
        counted = np.array((self.touching & (self.trivial == 0), self.touching), dtype=np.int64)
        self._up_to = np.pad(counted.cumsum(axis=1), ((0, 0), (1, 0)))
        self._told = self._index(lambda act: act.components)
        self._named = self._index(lambda act: () if act.components else act.named)
        self._modules = self._index(lambda act: act.modules)
        self._workspaces = self._index(lambda act: (act.change.workspace,))
        self._resources = self._index(lambda act: [(act.change.workspace, one) for one in act.addresses])
        self._words = self._index(lambda act: act.words)
        self._places = self._index(lambda act: (act.places,))
        self._relations: dict[Subject, Ints] = {}
        self._elsewhere: dict[Places, Ints] = {}
        self._somewhere: dict[Places, Flags] = {}
        self._kin: dict[frozenset[str], Flags] = {}
        self._reached: dict[Subject, Ints] = {}

    def _index(self, names: Callable[[Act], Iterable[_Name]]) -> Mapping[_Name, Ints]:
        found: dict[_Name, list[int]] = {}
        for index, act in enumerate(self.all):
            for name in names(act):
                found.setdefault(name, []).append(index)
        return {name: np.array(listed, dtype=np.int64) for name, listed in found.items()}

    def relations(self, subject: Subject, graph: Graph) -> Ints:
        """Return how each change is related to a subject, as :class:`Relation` counts, ``SYMPTOM`` left out."""
        if subject not in self._relations:
            self._relations[subject] = self._related(subject, graph)
        return self._relations[subject]

    def _related(self, subject: Subject, graph: Graph) -> Ints:
        # What names no component, or is held against a subject without one, may have touched anything.
        open_ = ~self.touching if subject.component else np.ones(len(self.all), dtype=bool)
        found = np.where(open_, int(Relation.UNKNOWN), int(Relation.ELSEWHERE))
        found[~self.touching & self._agreeing(subject.places)] = Relation.PLACE

        def say(how: Relation, index: Mapping[_Name, Ints], name: _Name) -> None:
            if name in index:
                found[index[name]] = np.minimum(found[index[name]], int(how))

        for index, name in ((self._workspaces, subject.workspace), (self._modules, subject.module)):
            if name and name in index:
                there = index[name]
                found[there[open_[there]]] = Relation.WORKSPACE
        component = subject.component
        if component:
            for name, hops in graph.dependencies(component).items():
                how = Relation.DEPENDENCY if hops == 1 else Relation.FAR_DEPENDENCY
                say(how, self._told, name)
                say(how, self._named, name)
            for name, hops in graph.dependents(component).items():
                if hops == 1:
                    say(Relation.CALLER, self._told, name)
                    say(Relation.CALLER, self._named, name)
            say(Relation.SERVICE if subject.told else Relation.NAMED, self._told, component)
            say(Relation.NAMED, self._named, component)
        if subject.address:
            say(Relation.RESOURCE, self._resources, (subject.workspace, subject.address))
        return found

    def each(self, begins: Ints, ends: Ints) -> Floats:
        """Return how many of the changes from a begin to an end there are for each component: not trivial ones, and all."""
        return np.maximum(1, self._up_to[:, ends] - self._up_to[:, begins]) / self._components

    def reaches(self, subject: Subject, graph: Graph) -> Ints:
        """Return which changes can have moved a subject, 1 or 0: its own, and those of what it depends on.

        Of those that do not say what they touched: in the first row those of no other place; in the second all, as may be where
        they are close to where it began.
        """
        if subject not in self._reached:
            near = self.conflicts(subject.places) == 0
            own = self.relations(subject, graph) <= Relation.FAR_DEPENDENCY
            said = self.touching & bool(subject.component)
            self._reached[subject] = np.array((np.where(said, own, near), np.where(said, own, True)), dtype=np.int64)
        return self._reached[subject]

    def touched(self, components: Iterable[str]) -> Ints:
        """Return the changes that touched any of ``components``."""
        parts = [index[name] for name in components for index in (self._told, self._named) if name in index]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def akin(self, words: frozenset[str]) -> Flags:
        """Return which changes touched something that is called by one of ``words``."""
        if words not in self._kin:
            found = np.zeros(len(self.all), dtype=bool)
            for word in words & self._words.keys():
                found[self._words[word]] = True
            self._kin[words] = found
        return self._kin[words]

    def conflicts(self, places: Places) -> Ints:
        """Return by how many labels of place, of those that both have, each change differs."""
        if places not in self._elsewhere:
            self._compare(places)
        return self._elsewhere[places]

    def _agreeing(self, places: Places) -> Flags:
        if places not in self._somewhere:
            self._compare(places)
        return self._somewhere[places]

    def _compare(self, places: Places) -> None:
        differ, agree = np.zeros(len(self.all), dtype=np.int64), np.zeros(len(self.all), dtype=bool)
        for theirs, there in self._places.items():
            differ[there] = conflict(places, theirs)
            agree[there] = not conflict(places, theirs) and agreement(places, theirs) > 0
        self._elsewhere[places], self._somewhere[places] = differ, agree
