"""Strands: the findings of one subject within one incident, the nodes that evidence is weighed between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from driftband.correlate.subject import Reader, Side, Subject, side, words_of
from driftband.model.finding import Finding
from driftband.model.moment import to_ms

_COMMON = frozenset({"total", "count", "sum", "rate", "per", "avg", "max", "min", "name", "value", "seconds", "bytes"})
_SHORTEST = 3
APART = 10 * 60_000
"""A pause, ms, after which what opens at the same subject is another strand: it may belong to another trouble."""
OPEN = 1 << 62
"""The end of what is open, epoch ms."""


@dataclass(frozen=True, eq=False)
class Strand:
    """Findings of one subject that opened without a long pause, the first opened first.

    first, last: when the first and the last one opened, echoes left out: what another detector says later of a series that
    has not come back tells nothing of time. until: when the last one closed. since: the last instant at which the first one
    was known not to be there; of configuration alone, where a look comes once an hour and the time of opening says little.
    inside, edge: what is among them. series: until when each one was out. key: what strands have in common that may be one.
    returns: ids of findings that had closed and have come back in these. Times: epoch ms. Series and keys: by their number.
    """

    key: int
    subject: Subject
    findings: tuple[Finding, ...]
    first: int
    last: int
    until: int
    since: int | None
    inside: bool
    edge: bool
    configuration: bool
    series: dict[int, int]
    returns: frozenset[str]

    @cached_property
    def ids(self) -> frozenset[str]:
        """The findings' ids."""
        return frozenset(one.id for one in self.findings)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that tell what moved: of signals, attributes and types."""
        texts = {text for one in self.findings for text in (one.signal, one.resource_type)}
        texts |= {attribute.path for one in self.findings for attribute in one.attributes}
        words = frozenset(word for text in texts for word in words_of(text) if len(word) >= _SHORTEST)
        return words - _COMMON - words_of(self.subject.component)


def order(finding: Finding) -> tuple[object, ...]:
    """Return by what findings are ordered, whatever the order in which they are handed over."""
    return (finding.opened_at, finding.id)


def series_of(finding: Finding) -> tuple[object, ...] | None:
    """Return by what the series is known that a finding is about, None where it is about none."""
    if not finding.signal:
        return None
    labels = finding.evidence.get("labels")
    told = labels if isinstance(labels, Mapping) else finding.identity
    return (finding.signal, finding.workspace, finding.address, *sorted(told.items()))


class Sign(NamedTuple):
    """A finding and what it tells of its strand: by what it is gathered, its series, when it opened and closed (epoch ms).

    key, series: numbers of the reader's.
    """

    opened: int
    id: str
    finding: Finding
    subject: Subject
    key: int
    series: int | None
    end: int
    side: Side


def sign(finding: Finding, reader: Reader) -> Sign:
    """Return what a finding tells.

    Configuration is a strand of its own beside what was measured at the same subject: its times mean something else.
    """
    subject, series = reader.subject(finding), series_of(finding)
    return Sign(
        opened=to_ms(finding.opened_at),
        id=finding.id,
        finding=finding,
        subject=subject,
        key=reader.number((*subject.key, finding.layer == "configuration")),
        series=None if series is None else reader.number(series),
        end=OPEN if finding.closed_at is None else to_ms(finding.closed_at),
        side=side(finding),
    )


class _Part:
    """A strand while it is being gathered."""

    def __init__(self, first: Sign) -> None:
        self._first = first
        self._last = first.opened
        self._until: dict[int, int] = {}
        self._signs: list[Sign] = []
        self.takes(first)

    def takes(self, one: Sign) -> bool:
        """Add what opened no earlier than the rest, if it belongs here: soon after, or about a series that is still out."""
        until = -1 if one.series is None else self._until.get(one.series, -1)
        if until < one.opened:
            if one.opened - self._last > APART:
                return False
            self._last = one.opened
        self._signs.append(one)
        if one.series is not None:
            self._until[one.series] = max(one.end, until)
        return True

    def strand(self) -> Strand:
        """Return the strand."""
        listed = tuple(one.finding for one in self._signs)
        configuration = listed[0].layer == "configuration"
        sides = {one.side for one in self._signs}
        window = listed[0].window_from if configuration else None
        return Strand(
            key=self._first.key,
            subject=self._first.subject,
            findings=listed,
            first=self._first.opened,
            last=self._last,
            until=max(one.end for one in self._signs),
            since=to_ms(window) if window is not None else None,
            inside="inside" in sides,
            edge="edge" in sides,
            configuration=configuration,
            series=self._until,
            returns=frozenset(one.reopens for one in listed if one.reopens),
        )


def strands(signs: Iterable[Sign]) -> tuple[Strand, ...]:
    """Return the strands of findings, the first opened first."""
    gathered: dict[int, list[_Part]] = {}
    for one in sorted(signs, key=itemgetter(0, 1)):
        parts = gathered.setdefault(one.key, [])
        for part in parts:
            if part.takes(one):
                break
        else:
            parts.append(_Part(one))
    return in_order(part.strand() for parts in gathered.values() for part in parts)


def in_order(made: Iterable[Strand]) -> tuple[Strand, ...]:
    """Return strands, the first opened first."""
    return tuple(sorted(made, key=lambda one: order(one.findings[0])))
