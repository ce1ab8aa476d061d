"""Grouping: which findings belong together. Findings do not hop: groups grow, merge and split, each on the record."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from driftband.correlate.coefficients import JOIN, MERGE, SPLIT
from driftband.correlate.linking import FARTHEST, Link
from driftband.correlate.scene import Scene
from driftband.correlate.strand import Strand
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
    """groups: findings by the group's id. loose: findings that belong to none and open none. moves: in their order."""

    groups: Mapping[str, tuple[Finding, ...]]
    loose: tuple[Finding, ...]
    moves: tuple[Move, ...]


@dataclass
class _Group:
    id: str
    findings: list[Finding]
    strands: tuple[Strand, ...] = ()
    root: Strand | None = None
    span: tuple[int, int] = (0, 0)
    fresh: bool = field(default=True)


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
        table.add(identifier, findings)
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
        self._groups: dict[str, _Group] = {}
        self._taken = set(taken)
        self.moves: list[Move] = []

    def groups(self) -> Mapping[str, tuple[Finding, ...]]:
        return {one.id: tuple(one.findings) for one in self._groups.values()}

    def add(self, identifier: str, findings: Sequence[Finding]) -> _Group:
        made = _Group(identifier, list(findings))
        self._groups[identifier] = made
        self._taken.add(identifier)
        self._renew(made)
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
        best: tuple[float, str] | None = None
        reason = ""
        for one in self._groups.values():
            link = self._bond(strand, one)
            if link is not None and link.probability >= JOIN and (best is None or (-link.probability, one.id) < best):
                best, reason = (-link.probability, one.id), say(strand, link)
        ids = tuple(finding.id for finding in strand.findings)
        if best is not None:
            there = self._groups[best[1]]
            there.findings += strand.findings
            self._renew(there)
            self._record("joined", there.id, ids, reason)
            return True
        first = next((finding for finding in strand.findings if opens(finding)), None)
        if first is None:
            return False
        made = self.add(incident_id(first.id, self._taken), strand.findings)
        self._record("opened", made.id, ids, first.reason)
        return True

    def merge(self) -> None:
        """Let the younger of two groups go into the older one where it proves to be its victim, or its root."""
        ordered = sorted(self._groups.values(), key=lambda one: (one.span[0], one.id))
        for index, older in enumerate(ordered):
            for younger in ordered[index + 1 :]:
                if younger.span[0] > older.span[1] + FARTHEST:
                    break
                if older.id not in self._groups or younger.id not in self._groups:
                    continue
                link = self._tie(older, younger)
                if link is not None and link.probability >= MERGE:
                    self._unite(older, younger, link)

    def split(self) -> None:
        """Let parts go that nothing ties to the root any more: an edge has gone, or a late change explains them apart."""
        for one in tuple(self._groups.values()):
            for part in self._parts(one):
                first = next((finding for strand in part for finding in strand.findings if opens(finding)), None)
                if first is None:
                    continue
                ids = {finding.id for strand in part for finding in strand.findings}
                leaving = [finding for finding in one.findings if finding.id in ids]
                one.findings = [finding for finding in one.findings if finding.id not in ids]
                self._renew(one)
                made = self.add(incident_id(first.id, self._taken), leaving)
                reason = "nothing ties it to where the trouble began any more"
                self._record("split", made.id, tuple(finding.id for finding in leaving), reason, one.id)

    def _unite(self, older: _Group, younger: _Group, link: Link) -> None:
        older.findings += younger.findings
        del self._groups[younger.id]
        reason = say((younger.root or younger.strands[0]), link)
        self._renew(older)
        self._record("merged", older.id, tuple(finding.id for finding in younger.findings), reason, younger.id)

    def _renew(self, one: _Group) -> None:
        one.strands = self._scene.strands(one.findings)
        one.root = self._scene.root(one.strands)
        one.span = (one.strands[0].first, max(strand.last for strand in one.strands))

    def _bond(self, strand: Strand, one: _Group) -> Link | None:
        """Return the strongest link of a strand to a group: as a victim of any of it, or as what its root hangs on."""
        if strand.first > one.span[1] + FARTHEST or strand.last < one.span[0] - FARTHEST or one.root is None:
            return None
        links = [self._scene.linker.link(strand, there) for there in one.strands]
        links.append(self._scene.linker.link(one.root, strand))
        return max(filter(None, links), key=lambda link: link.probability, default=None)

    def _tie(self, one: _Group, other: _Group) -> Link | None:
        """Return the strongest link by which the root of one group hangs on another group."""
        links = [self._scene.linker.link(one.root, there) for there in other.strands if one.root]
        links += [self._scene.linker.link(other.root, there) for there in one.strands if other.root]
        return max(filter(None, links), key=lambda link: link.probability, default=None)

    def _parts(self, one: _Group) -> Iterator[tuple[Strand, ...]]:
        """Yield the parts that no link, however weak, ties to the root."""
        if len(one.strands) == 1 or one.root is None:
            return
        left = [strand for strand in one.strands if strand is not one.root]
        border = [one.root]
        first = True
        while border or left:
            if not border:
                border = [left.pop(0)]
                first = False
            part = list(border)
            while border:
                here = border.pop()
                tied = [there for there in left if self._holds(here, there)]
                left = [there for there in left if there not in tied]
                border += tied
                part += tied
            if not first:
                yield tuple(part)

    def _holds(self, one: Strand, other: Strand) -> bool:
        links = (self._scene.linker.link(one, other), self._scene.linker.link(other, one))
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


def say(strand: Strand, link: Link) -> str:
    """Say in words why a strand belongs to a group."""
    subject = strand.subject.component or strand.subject.address or strand.subject.workspace or "a finding"
    words = {
        "calls it": "it calls a component that moves",
        "calls it over one": "it calls a component that moves, over another one",
        "calls it over two": "it calls a component that moves, over two others",
        "called by it": "a component that moves calls it",
        "unknown": "it moves in the same place, and does not say what it is",
    }
    said = words.get(link.relation, f"{link.relation} as one that moves")
    shared = ", and the same changes are suspected" if link.shared >= 0.3 else ""  # noqa: PLR2004
    return f"{subject}: {said}{shared} ({link.probability:.0%})"
