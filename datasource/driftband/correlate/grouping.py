"""Grouping: which findings belong together. Findings do not hop: groups grow, merge and split, each on the record."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from driftband.correlate.coefficients import JOIN, MERGE, SPLIT
from driftband.correlate.linking import FARTHEST, Link
from driftband.correlate.nearby import Nearby
from driftband.correlate.scene import Scene
from driftband.correlate.strand import Strand, in_order
from driftband.model.finding import Finding

_ROUNDS = 5
"""One step may allow another one; what does not come to rest is left as it is."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One step of the record. group: where findings are now; other: where they were. findings: ids."""

    what: Literal["opened", "joined", "merged", "split"]
    group: str
    other: str | None = None
    findings: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """groups: by their id. loose: findings that belong to none and open none. moves: in their order."""

    groups: Mapping[str, "Group"]
    loose: tuple[Finding, ...]
    moves: tuple[Move, ...]


@dataclass
class Group:
    """Strands that belong together, the first opened first, and the one that began it."""

    id: str
    strands: tuple[Strand, ...]
    root: Strand

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings, strand by strand."""
        return (finding for strand in self.strands for finding in strand.findings)

    @property
    def age(self) -> tuple[int, str]:
        """By what groups are ordered, the older ones first."""
        return (self.strands[0].first, self.id)


def opens(finding: Finding) -> bool:
    """Return whether a finding makes an incident by itself: an alarming one, of configuration only if it is an error."""
    least = {"error", "critical"} if finding.layer == "configuration" else {"warning", "error", "critical"}
    return finding.alarming and finding.severity in least


def group(
    known: Mapping[str, Sequence[Finding]], loose: Sequence[Finding], scene: Scene, taken: Iterable[str] = ()
) -> Grouping:
    """Place the ``loose`` findings in the ``known`` groups or in new ones, then merge and split where evidence asks for it.

    The outcome does not depend on the order in which either is handed over. taken: ids that no new group may have.
    """
    table = _Table(scene, taken)
    for identifier, findings in sorted(known.items()):
        table.add(identifier, scene.strands(findings))
    left = tuple(loose)
    for _ in range(_ROUNDS):
        moves = len(table.moves)
        table.split()
        left = table.seat(left)
        table.merge()
        if len(table.moves) == moves:
            break
    return Grouping(groups=table.groups(), loose=left, moves=tuple(table.moves))


def incident_id(finding: str, taken: Iterable[str]) -> str:
    """Return the id of the incident that a finding opens; another one where the id is taken."""
    used = set(taken)
    number = 0
    while True:
        text = f"incident\0{finding}\0{number}" if number else f"incident\0{finding}"
        identifier = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=10).hexdigest()
        if identifier not in used:
            return identifier
        number += 1


class _Table:
    """The groups while they are being decided upon."""

    def __init__(self, scene: Scene, taken: Iterable[str]) -> None:
        self._scene = scene
        self._link = scene.linker.link
        self._groups: dict[str, Group] = {}
        self._nearby = Nearby(scene.graph)
        self._home: dict[Strand, Group] = {}
        self._taken = set(taken)
        self.moves: list[Move] = []

    def groups(self) -> Mapping[str, Group]:
        return dict(self._groups)

    def add(self, identifier: str, strands: Sequence[Strand]) -> Group:
        made = Group(identifier, (), strands[0])
        self._groups[identifier] = made
        self._taken.add(identifier)
        self._renew(made, tuple(strands))
        return made

    def seat(self, loose: Sequence[Finding]) -> tuple[Finding, ...]:
        """Place all that may be placed, what opens a group first, and return what is left."""
        placed = sorted(
            self._scene.strands(loose),
            key=lambda one: (not any(map(opens, one.findings)), one.first, one.findings[0].id),
        )
        return tuple(finding for strand in placed if not self.place(strand) for finding in strand.findings)

    def place(self, strand: Strand) -> bool:
        """Join the group that it belongs to with most probability, else open one; False where it may do neither."""
        bonds = [
            (link, self._home[there]) for there in self._nearby.around(strand) for link in self._bond(strand, there)
        ]
        strong = [(link, there) for link, there in bonds if link.probability >= JOIN]
        ids = tuple(finding.id for finding in strand.findings)
        if strong:
            link, there = min(strong, key=lambda pair: (-pair[0].probability, pair[1].id, pair[0].relation))
            self._renew(there, self._scene.joined(there.strands, (strand,)))
            self._record("joined", there.id, ids, say(strand, link))
            return True
        first = next((finding for finding in strand.findings if opens(finding)), None)
        if first is None:
            return False
        made = self.add(incident_id(first.id, self._taken), (strand,))
        self._record("opened", made.id, ids, first.reason)
        return True

    def _bond(self, strand: Strand, there: Strand) -> Iterator[Link]:
        """Yield the links of a strand to one of a group: as its victim, or as what the group's root hangs on.

        Between configuration and what was measured only the beginning of the group counts: what came to it later says
        nothing of when the trouble began.
        """
        begun = self._home[there].strands[0].first
        if strand.configuration != there.configuration and there.first - begun > FARTHEST:
            return
        yield from filter(None, (self._link(strand, there),))
        if self._home[there].root is there:
            yield from filter(None, (self._link(there, strand),))

    def merge(self) -> None:
        """Let the younger of two groups go into the older one where the root of one proves to hang on the other."""
        ties: dict[tuple[tuple[int, str], tuple[int, str]], Link] = {}
        for one in self._groups.values():
            for there in self._nearby.around(one.root):
                other = self._home[there]
                link = self._link(one.root, there) if other is not one else None
                if link is not None and link.probability >= MERGE:
                    older, younger = sorted((one.age, other.age))
                    known = ties.get((older, younger))
                    if known is None or _stronger(link, known):
                        ties[older, younger] = link
        gone: set[str] = set()
        for ((_, into), (_, taken)), link in sorted(ties.items(), key=lambda pair: pair[0]):
            if into not in gone and taken not in gone:
                self._unite(self._groups[into], self._groups[taken], link)
                gone.add(taken)

    def split(self) -> None:
        """Let parts go that nothing ties to the root any more: an edge has gone, or a late change explains them apart."""
        for one in tuple(self._groups.values()):
            for part in self._parts(one):
                first = next((finding for strand in part for finding in strand.findings if opens(finding)), None)
                if first is None:
                    continue
                self._renew(one, tuple(strand for strand in one.strands if strand not in part))
                made = self.add(incident_id(first.id, self._taken), in_order(part))
                reason = "nothing ties it to where the trouble began any more"
                self._record("split", made.id, tuple(finding.id for finding in made.findings), reason, one.id)

    def _unite(self, older: Group, younger: Group, link: Link) -> None:
        taken = tuple(finding.id for finding in younger.findings)
        reason = say(younger.root, link)
        coming = younger.strands
        self._renew(younger, ())
        del self._groups[younger.id]
        self._renew(older, self._scene.joined(older.strands, coming))
        self._record("merged", older.id, taken, reason, younger.id)

    def _renew(self, one: Group, strands: tuple[Strand, ...]) -> None:
        """Give a group these strands."""
        for gone in set(one.strands) - set(strands):
            self._nearby.remove(gone)
            del self._home[gone]
        for new in set(strands) - set(one.strands):
            self._nearby.add(new)
            self._home[new] = one
        one.strands = strands
        if strands:
            one.root = self._scene.root(strands)

    def _parts(self, one: Group) -> list[tuple[Strand, ...]]:
        """Return the parts that no link, however weak, ties to the root."""
        left = dict.fromkeys(one.strands)
        parts = []
        border = [one.root]
        while left:
            border = border or [next(iter(left))]
            part = list(border)
            left.pop(border[0])
            while border:
                here = border.pop()
                tied = [there for there in self._nearby.around(here) if there in left and self._holds(here, there)]
                for there in tied:
                    del left[there]
                border += tied
                part += tied
            parts.append(tuple(part))
        return parts[1:]

    def _holds(self, one: Strand, other: Strand) -> bool:
        links = (self._link(one, other), self._link(other, one))
        return any(link is not None and link.probability >= SPLIT for link in links)

    def _record(
        self,
        what: Literal["opened", "joined", "merged", "split"],
        identifier: str,
        findings: tuple[str, ...],
        reason: str,
        other: str | None = None,
    ) -> None:
        self.moves.append(Move(what=what, group=identifier, other=other, findings=findings, reason=reason))


def _stronger(one: Link, other: Link) -> bool:
    return (one.probability, other.relation) > (other.probability, one.relation)


def say(strand: Strand, link: Link) -> str:
    """Say in words why a strand belongs to a group."""
    subject = strand.subject.component or strand.subject.address or strand.subject.workspace or "a finding"
    words = {
        "same series": "it is out still, and another detector says so too",
        "came back": "it has come back",
        "calls it": "it calls a component that moves",
        "calls it over one": "it calls a component that moves, over another one",
        "calls it over two": "it calls a component that moves, over two others",
        "called by it": "a component that moves calls it",
        "unknown": "it moves in the same place, and does not say what it is",
    }
    said = words.get(link.relation, f"{link.relation} as one that moves")
    shared = ", and the same changes are suspected" if link.shared >= 0.3 else ""  # noqa: PLR2004
    return f"{subject}: {said}{shared} ({link.probability:.0%})"
