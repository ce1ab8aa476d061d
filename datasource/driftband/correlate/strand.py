"""Strands: the findings of one subject within one incident, the nodes that evidence is weighed between."""

from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True)
class Strand:
    """Findings of one subject that opened without a long pause. findings: the first opened first. first, last: when the first and the last one opened.

    since: the last instant at which the first one was known not to be there; of configuration alone, where a look comes
    once an hour and the time of opening says little. inside, edge: what is among them. Times: epoch ms.
    """

    subject: Subject
    findings: tuple[Finding, ...]
    first: int
    last: int
    since: int | None
    inside: bool
    edge: bool
    configuration: bool

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


def strand(subject: Subject, findings: Iterable[Finding]) -> Strand:
    """Return the strand of findings that are about one subject."""
    listed = tuple(sorted(findings, key=order))
    configuration = all(one.layer == "configuration" for one in listed)
    sides = {side(one) for one in listed}
    window = listed[0].window_from if configuration else None
    return Strand(
        subject=subject,
        findings=listed,
        first=to_ms(listed[0].opened_at),
        last=to_ms(listed[-1].opened_at),
        since=to_ms(window) if window is not None else None,
        inside="inside" in sides,
        edge="edge" in sides,
        configuration=configuration,
    )


def strands(findings: Sequence[Finding], reader: Reader) -> tuple[Strand, ...]:
    """Return the strands of findings, the first opened first.

    Configuration is a strand of its own beside what was measured at the same subject: its times mean something else.
    """
    gathered: dict[tuple[object, ...], list[tuple[Subject, list[Finding]]]] = {}
    for finding in sorted(findings, key=order):
        subject = reader.subject(finding)
        key = (*subject.key, finding.layer == "configuration")
        parts = gathered.setdefault(key, [])
        if not parts or finding.opened_at - parts[-1][1][-1].opened_at > APART:
            parts.append((subject, []))
        parts[-1][1].append(finding)
    made = [strand(subject, members) for parts in gathered.values() for subject, members in parts]
    return tuple(sorted(made, key=lambda one: order(one.findings[0])))
