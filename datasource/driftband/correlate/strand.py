"""Strands: the findings of one subject within one incident, the nodes that evidence is weighed between."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from driftband.correlate.subject import Reader, Subject, side, words_of
from driftband.model.finding import Finding
from driftband.model.moment import to_ms

_COMMON = frozenset({"total", "count", "sum", "rate", "per", "avg", "max", "min", "name", "value", "seconds", "bytes"})
_SHORTEST = 3
APART = timedelta(minutes=10)
"""A pause after which what opens at the same subject is another strand: it may belong to another trouble."""
OPEN = 1 << 62
"""The end of what is open, epoch ms."""

Series = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Strand:
    """Findings of one subject that opened without a long pause, the first opened first.

    first, last: when the first and the last one opened, echoes left out: what another detector says later of a series that
    has not come back tells nothing of time. until: when the last one closed. since: the last instant at which the first one
    was known not to be there; of configuration alone, where a look comes once an hour and the time of opening says little.
    inside, edge: what is among them. series: until when each one was out. Times: epoch ms.
    """

    subject: Subject
    findings: tuple[Finding, ...]
    first: int
    last: int
    until: int
    since: int | None
    inside: bool
    edge: bool
    configuration: bool
    series: dict[Series, int]

    @property
    def key(self) -> tuple[object, ...]:
        """What strands have in common that may be one."""
        return (*self.subject.key, self.configuration)

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


def series_of(finding: Finding) -> Series | None:
    """Return by what the series is known that a finding is about, None where it is about none."""
    if not finding.signal:
        return None
    labels = finding.evidence.get("labels")
    told = labels if isinstance(labels, Mapping) else finding.identity
    return (finding.signal, finding.workspace, finding.address, *sorted(told.items()))


class _Part:
    """A strand while it is being gathered."""

    def __init__(self, subject: Subject, first: Finding) -> None:
        self._subject = subject
        self._last = first.opened_at
        self._until: dict[Series, int] = {}
        self._findings: list[Finding] = []
        self.add(first)

    def takes(self, finding: Finding) -> bool:
        """Whether a finding that opened later belongs here: soon after the others, or about a series that is still out."""
        return self._echoes(finding) or finding.opened_at - self._last <= APART

    def _echoes(self, finding: Finding) -> bool:
        series = series_of(finding)
        return series in self._until and self._until[series] >= to_ms(finding.opened_at)

    def add(self, finding: Finding) -> None:
        """Add a finding that opened no earlier than the others."""
        if not self._echoes(finding):
            self._last = finding.opened_at
        self._findings.append(finding)
        series, end = series_of(finding), _end(finding)
        if series is not None:
            self._until[series] = max(end, self._until.get(series, 0))

    def strand(self) -> Strand:
        """Return the strand."""
        listed = tuple(self._findings)
        configuration = listed[0].layer == "configuration"
        sides = {side(one) for one in listed}
        window = listed[0].window_from if configuration else None
        return Strand(
            subject=self._subject,
            findings=listed,
            first=to_ms(listed[0].opened_at),
            last=to_ms(self._last),
            until=max(map(_end, listed)),
            since=to_ms(window) if window is not None else None,
            inside="inside" in sides,
            edge="edge" in sides,
            configuration=configuration,
            series=self._until,
        )


def _end(finding: Finding) -> int:
    return OPEN if finding.closed_at is None else to_ms(finding.closed_at)


def strands(findings: Sequence[Finding], reader: Reader) -> tuple[Strand, ...]:
    """Return the strands of findings, the first opened first.

    Configuration is a strand of its own beside what was measured at the same subject: its times mean something else.
    """
    gathered: dict[tuple[object, ...], list[_Part]] = {}
    for finding in sorted(findings, key=order):
        subject = reader.subject(finding)
        parts = gathered.setdefault((*subject.key, finding.layer == "configuration"), [])
        there = next((part for part in parts if part.takes(finding)), None)
        if there is None:
            parts.append(_Part(subject, finding))
        else:
            there.add(finding)
    return in_order(part.strand() for part in _all(gathered.values()))


def _all(gathered: Iterable[list[_Part]]) -> Iterator[_Part]:
    for parts in gathered:
        yield from parts


def in_order(made: Iterable[Strand]) -> tuple[Strand, ...]:
    """Return strands, the first opened first."""
    return tuple(sorted(made, key=lambda one: order(one.findings[0])))
