"""The intervals of the series that findings tell: what was open, in which class, and since when."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from driftband.detect.recording import OPENED_AS
from driftband.detect.renaming import labels_at_opening
from driftband.model.finding import ALARMING, Finding, Transition
from driftband.model.interval import Interval
from driftband.model.moment import show_moment, to_ms
from driftband.store import findings, ignores
from driftband.store.rows import chunks
from driftband.store.tables import findings as table

MOST_PATHS = 3
"""Attributes that a label names; of more it tells how many."""
# Not by severity: its label is that of the beginning, and the column's that of now.
_COLUMNS = {"layer": "layer", "kind": "kind", "workspace": "workspace", "signal": "signal", "finding": "id"}
_PLACE = ("address", "resource_type", "module")
_STATE_OF_EDGE = {"new_dependency": "new", "gone_dependency": "gone"}


def drift(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_drift: one interval for each time in which a finding was open in one alarming class."""
    for finding, steps in _overlapping(connection, start, end, equal, limit):
        for step, until in _phases(finding, steps):
            if step.state == "open" and step.class_ in ALARMING:
                yield _interval(_labels(finding, step), step.at, until, finding.score)


def opened(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield driftband_finding_opened_timestamp_seconds: of every class, accepted ones too, with what is known by now."""
    found = _overlapping(connection, start, end, equal, limit)
    ends = _ends(connection, [finding for finding, _ in found])
    for finding, steps in found:
        told = {"attribute": _paths(finding), "actor": finding.actor or ""}
        for step, until in _phases(finding, steps):
            silenced = ends.get(finding.id, "") if until is None else ""
            labels = {**_labels(finding, step), **told, "state": step.state, "until": silenced}
            yield _interval(labels, step.at, until, to_ms(finding.opened_at) / 1000)


def edges_told(
    connection: Connection, start: datetime, end: datetime, _equal: Mapping[str, str], limit: int
) -> Iterator[Interval]:
    """Yield the edges of the service graph that findings tell of: new ones and those that have gone."""
    for kind, state in _STATE_OF_EDGE.items():
        for finding, steps in findings.overlapping(connection, start, end, {"kind": kind}, limit):
            edge = finding.evidence["labels"]
            labels = {"source": edge["client"], "target": edge["server"], "state": state}
            for step, until in _phases(finding, steps):
                if step.state == "open" and step.class_ in ALARMING:
                    yield _interval(labels, step.at, until, 1.0)


def _overlapping(
    connection: Connection, start: datetime, end: datetime, equal: Mapping[str, str], limit: int
) -> list[tuple[Finding, list[Transition]]]:
    narrowed = {column: equal[label] for label, column in _COLUMNS.items() if label in equal}
    where = {label: equal[label] for label in _PLACE if label in equal}
    found = findings.overlapping(connection, start, end, {**narrowed, **where}, limit)
    if where:
        # Those have the labels of where they opened.
        was = table.c.renamed_from
        moved = was == where["address"] if "address" in where else was.is_not(None)
        found += findings.overlapping(connection, start, end, narrowed, limit, moved)
    return list({finding.id: (finding, steps) for finding, steps in found}.values())


def _phases(finding: Finding, steps: list[Transition]) -> Iterator[tuple[Transition, datetime | None]]:
    """Yield the steps after which a finding stayed as it was for a time, with the end of it."""
    ends: list[datetime | None] = [step.at for step in steps[1:]]
    for step, until in zip(steps, [*ends, finding.closed_at], strict=True):
        if step.state != "closed" and (until is None or until > step.at):
            yield step, until


def _labels(finding: Finding, step: Transition) -> dict[str, str]:
    return {
        **finding.identity,
        "finding": finding.id,
        "layer": finding.layer,
        "kind": finding.kind,
        "class": step.class_,
        "severity": finding.evidence.get(OPENED_AS, finding.severity),
        "workspace": finding.workspace,
        **labels_at_opening(finding),
        "signal": finding.signal,
    }


def _interval(labels: Mapping[str, str], began: datetime, until: datetime | None, value: float) -> Interval:
    return Interval(labels, to_ms(began), None if until is None else to_ms(until), value)


def _paths(finding: Finding) -> str:
    paths = [one.path for one in finding.attributes]
    more = [f"{len(paths) - MOST_PATHS} more"] if len(paths) > MOST_PATHS else []
    return ", ".join([*paths[:MOST_PATHS], *more])


def _ends(connection: Connection, found: Sequence[Finding]) -> dict[str, str]:
    """Return until when findings are ignored by a rule or accepted by a person, where that ends."""
    rules = {rule.id: rule.expires_at for rule in ignores.in_force(connection)}
    ends = {f.id: rules.get(f.ignored_by) for f in found if f.ignored_by}
    for some in chunks([f.id for f in found]):
        accepted = select(table.c.id, table.c.accepted_until).where(table.c.id.in_(some))
        ends |= {row.id: row.accepted_until for row in connection.execute(accepted) if row.accepted_until}
    return {finding: show_moment(end) for finding, end in ends.items() if end is not None}
