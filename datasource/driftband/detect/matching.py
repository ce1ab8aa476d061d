"""How well an audit event names a resource."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

from driftband.detect.identifiers import KUBERNETES_KINDS, is_weak


class Match(IntEnum):
    """How well, from not at all. Only ``SUFFIX`` and ``EXACT`` are evidence."""

    NONE = 0
    WEAK = 1
    SUFFIX = 2
    EXACT = 3


@dataclass(frozen=True)
class Names:
    """Names of one thing, compared without case: IAM, Azure and RDS keep the case they were given, and ignore it."""

    all: tuple[str, ...]

    @cached_property
    def folded(self) -> Mapping[str, str]:
        """Each name as written, by the form that is compared."""
        return {name.casefold(): name for name in reversed(self.all)}

    @cached_property
    def tails(self) -> Mapping[str, str]:
        """Each name as written, by each of its own tails."""
        return {tail: name for folded, name in self.folded.items() for tail in _tails(folded)}

    def match(self, mentions: Sequence[str]) -> tuple[Match, str]:
        """Return how well the mentions name the thing, and the mention that does it best."""
        said = _names(tuple(mentions))
        same = [(folded, Match.EXACT, said.folded[folded]) for folded in self.folded if folded in said.folded]
        longer = [(folded, Match.SUFFIX, said.tails[folded]) for folded in self.folded if folded in said.tails]
        shorter = [(folded, Match.SUFFIX, mention) for folded, mention in said.folded.items() if folded in self.tails]
        best = (Match.NONE, "")
        for shared, match, mention in (*same, *longer, *shorter):
            found = Match.WEAK if is_weak(shared) else match
            if found > best[0] and not self._contradicted(shared, said):
                best = (found, mention)
        return best

    def _contradicted(self, shared: str, said: "Names") -> bool:
        """Whether both know a fuller form of a shared name, and not the same one: of another namespace, account or kind."""
        ours, theirs = self.fuller(shared), said.fuller(shared)
        if not ours or not theirs:
            return False
        sorts = set(map(_sort, ours)) & set(map(_sort, theirs)) - {""}
        if sorts:
            return {name for name in ours if _sort(name) in sorts}.isdisjoint(theirs)
        return _with_tails(ours, shared).isdisjoint(_with_tails(theirs, shared))

    def fuller(self, shared: str) -> list[str]:
        """Return the names that end with another one."""
        return [name for name in self.folded if shared in _tails(name)]


@lru_cache(maxsize=16_384)
def _names(mentions: tuple[str, ...]) -> Names:
    """Keep what was made of an event's mentions: each of them is compared with many resources."""
    return Names(mentions)


def _sort(name: str) -> str:
    """Return of which sort a name is that is whole, so that two of them that differ name two things."""
    if name.startswith("arn:"):
        return ":".join(name.split(":", 3)[:3])
    return "kubernetes" if name.partition("/")[0] in KUBERNETES_KINDS else ""


def _with_tails(names: Iterable[str], shared: str) -> set[str]:
    return {form for name in names for form in (name, *_tails(name)) if shared in _tails(form)}


def _tails(name: str) -> tuple[str, ...]:
    """Return what follows each ``/`` and ``:`` of a name."""
    return tuple(tail for match in re.finditer(r"[/:]", name) if (tail := name[match.end() :]))
