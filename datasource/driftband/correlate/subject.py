"""What a finding is about and what a change touched, in the same words."""

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from driftband.correlate.context import Context
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.moment import to_ms

Side = Literal["inside", "edge", "unknown"]
Places = tuple[tuple[str, str], ...]

_INSIDE = frozenset(
    """
    cpu memory mem heap gc oom restart restarts pool connection connections conn queue disk thread threads replica replicas
    saturation throttled throttling evicted fds goroutines lock locks backlog iops swap buffer cache
    """.split()  # noqa: SIM905 - as words they are read at a glance
)
_EDGE = frozenset(
    """
    latency duration error errors 5xx request requests rps qps traffic throughput success availability apdex response
    responses timeout timeouts slo
    """.split()  # noqa: SIM905
)
_INSIDE_KINDS = frozenset({"intent_violated", "saturation"})
_EDGE_KINDS = frozenset({"new_dependency", "gone_dependency"})
_TRIVIAL = frozenset({"tags", "tags_all", "labels", "annotations", "description", "comment", "display_name", "title"})
_LONGEST_NAME = 5
_WORD = re.compile(r"[a-z0-9]+")


class Subject(NamedTuple):
    """What a finding is about. component: the service, empty where unknown. told: by a label, not read from a name."""

    component: str
    told: bool
    places: Places
    workspace: str
    module: str
    address: str

    @property
    def key(self) -> tuple[object, ...]:
        """What two findings of one component have in common; of a resource where the component is unknown."""
        if self.component:
            return (self.component, self.places)
        return (self.workspace, self.address, self.places)


@dataclass(frozen=True, slots=True)
class Act:
    """What a change touched. began, ended: epoch ms; ended is None while it runs, or where nobody said that it ended.

    components: told by labels; named: read from names alone. matters: something moved that can have an effect;
    trivial: nothing but tags and descriptions did. words: of the attributes and types.
    """

    change: Change
    began: int
    ended: int | None
    components: frozenset[str]
    named: frozenset[str]
    places: Places
    addresses: frozenset[str]
    modules: frozenset[str]
    matters: bool
    trivial: bool
    destroys: bool
    words: frozenset[str]


class Reader:
    """Reads subjects off findings and changes. services: the names that may be recognised in other names."""

    def __init__(self, context: Context, services: Iterable[str]) -> None:
        self._context = context
        self._places = context.places
        self._services = {"-".join(_WORD.findall(name.lower())): name for name in sorted(services, reverse=True)}
        self._named: dict[str, str] = {}
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable) -> int:
        """Return a number that stands for ``key``: what is compared over and over is compared as a number."""
        return self._numbers.setdefault(key, len(self._numbers))

    @property
    def services(self) -> int:
        """How many names there are that may be recognised."""
        return len(self._services)

    def subject(self, finding: Finding) -> Subject:
        """Return what the finding is about."""
        identity = finding.identity
        if finding.address and not identity.get(self._context.component):
            identity = {**self._context.identities.get((finding.workspace, finding.address), {}), **identity}
        told = identity.get(self._context.component, "")
        return Subject(
            component=told
            or self._recognise(f"{finding.signal} / {finding.address} / {finding.module} / {finding.workspace}"),
            told=bool(told),
            places=self._where(identity),
            workspace=finding.workspace,
            module=finding.module,
            address=finding.address,
        )

    def act(self, change: Change) -> Act:
        """Return what the change touched."""
        components = self._told(change)
        texts = (change.workspace, *(f"{touched.address} / {touched.module}" for touched in change.resources))
        named = {name for name in map(self._recognise, texts) if name} if not components else set()
        paths = [attribute.path for touched in change.resources for attribute in touched.attributes]
        heads = [path.partition(".")[0].partition("[")[0] for path in paths]
        actions = {action for touched in change.resources for action in touched.actions}
        trivial = bool(heads) and all(head in _TRIVIAL for head in heads) and not actions & {"create", "delete"}
        return Act(
            change=change,
            began=to_ms(change.started_at),
            ended=_end(change),
            components=frozenset(components),
            named=frozenset(named),
            places=self._where(change.identity),
            addresses=frozenset(touched.address for touched in change.resources),
            modules=frozenset(touched.module for touched in change.resources if touched.module),
            matters=not trivial and (bool(heads) or bool(actions & {"create", "delete"})),
            trivial=trivial,
            destroys="delete" in actions,
            words=frozenset(word for path in paths for word in words_of(path)),
        )

    def _told(self, change: Change) -> set[str]:
        label, identities = self._context.component, self._context.identities
        told = [change.identity]
        if identities:
            told += [identities.get((change.workspace, touched.address), {}) for touched in change.resources]
        return {identity[label] for identity in told if identity.get(label)}

    def _where(self, identity: Mapping[str, str]) -> Places:
        return tuple([(name, identity[name]) for name in self._places if identity.get(name)])

    def _recognise(self, text: str) -> str:
        """Return the longest name of a service that stands in ``text`` as whole words; empty where none does."""
        if text not in self._named:
            self._named[text] = self._longest(text)
        return self._named[text]

    def _longest(self, text: str) -> str:
        parts = [_WORD.findall(part.lower()) for part in text.split(" / ")]
        for length in range(_LONGEST_NAME, 0, -1):
            for words in parts:
                for start in range(len(words) - length + 1):
                    found = self._services.get("-".join(words[start : start + length]))
                    if found:
                        return found
        return ""


def _end(change: Change) -> int | None:
    if change.ended_at is not None:
        return to_ms(change.ended_at)
    return None if change.status == "running" else to_ms(change.started_at)


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """Return the words of a name, in lower case."""
    return frozenset(_WORD.findall(text.lower()))


def side(finding: Finding) -> Side:
    """Return whether what moved lies inside its component, or is what crosses its edge and so may be a victim's.

    By layer and kind, else by the words of the signal's name, else by those of its query.
    """
    if finding.layer == "configuration" or finding.kind in _INSIDE_KINDS:
        return "inside"
    if finding.kind in _EDGE_KINDS:
        return "edge"
    by_name = _side_of(finding.signal)
    query = finding.evidence.get("query") if by_name == "unknown" else None
    return _side_of(query) if isinstance(query, str) else by_name


@lru_cache(maxsize=4096)
def _side_of(text: str) -> Side:
    words = words_of(text)
    inside, edge = bool(words & _INSIDE), bool(words & _EDGE)
    if inside == edge:
        return "unknown"
    return "inside" if inside else "edge"


@lru_cache(maxsize=4096)
def conflict(one: Places, other: Places) -> int:
    """Return how many labels that both have differ."""
    theirs = dict(other)
    return sum(1 for name, value in one if theirs.get(name, value) != value)


@lru_cache(maxsize=4096)
def agreement(one: Places, other: Places) -> int:
    """Return how many labels that both have are the same."""
    theirs = dict(other)
    return sum(1 for name, value in one if theirs.get(name) == value)
