"""Who did it: what audit events and applies say of a finding, asked when it opens and again when more arrives."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from driftband.detect.attribution import NEARBY, Attribution, Window, applies_within, attribute, say_applies
from driftband.detect.identifiers import identifiers
from driftband.model.audit import AuditEvent
from driftband.model.finding import Finding, Transition
from driftband.model.moment import show_moment
from driftband.store import audit, changes, findings, inventory
from driftband.store.tables import findings as table

LOOK_BACK = timedelta(days=7)
"""How far events are looked for where no earlier run tells when all was well."""
MOST = 1_000


def save(connection: Connection, moved: Sequence[Finding], steps: Sequence[Transition]) -> list[Finding]:
    """Write findings and their steps. Those that count as drift by such a step, and nobody answers for, are asked for first."""
    stepped = {each.finding for each in steps}
    asked = [attributed(connection, f) if _is_asked(f) and f.id in stepped else f for f in moved]
    findings.save(connection, asked, steps)
    return asked


def _is_asked(finding: Finding) -> bool:
    return finding.alarming and finding.actor is None and finding.layer == "configuration"


def attributed(connection: Connection, finding: Finding) -> Finding:
    """Return a finding with its actor, the applies of its window, and the reasons in its evidence."""
    window = Window(since=finding.window_from, until=max(finding.opened_at, finding.window_from or finding.opened_at))
    start = window.since or window.until - LOOK_BACK
    found = _event(connection, finding, window, start)
    touching = changes.during(connection, start, window.until, limit=MOST, workspace=finding.workspace)
    applies = applies_within(touching, window)
    evidence = {
        **finding.evidence,
        "window": {"from": show_moment(window.since) if window.since else None, "until": show_moment(window.until)},
        "who": found.reason,
        "applies": [change.id for change in applies],
        "applies_reason": say_applies(applies, window),
    }
    if found.event is not None:
        evidence["audit_event"] = found.event.json()
    return replace(finding, actor=found.actor or finding.actor, evidence=evidence)


def _event(connection: Connection, finding: Finding, window: Window, start: datetime) -> Attribution:
    resource = inventory.known(connection, finding.workspace, finding.address) if finding.address else None
    if resource is None:
        return Attribution(event=None, reason="the inventory does not know the resource, so no audit event can name it")
    names = identifiers(resource)
    events = audit.naming(connection, names, start - NEARBY, window.until + NEARBY)
    return attribute(names, window, events, finding.resource_type)


def after_events(connection: Connection, events: Sequence[AuditEvent]) -> int:
    """Ask again for open findings that nobody answers for; return how many have an actor now."""
    writes = [event.at for event in events if not event.read_only]
    if not writes:
        return 0
    open_ones = findings.matching(
        connection,
        table.c.state == "open",
        table.c.layer == "configuration",
        table.c.actor.is_(None),
        table.c.opened_at >= min(writes) - NEARBY,
    )
    return _save(connection, (f for f in open_ones[:MOST] if f.address))


def after_change(connection: Connection, workspace: str, since: datetime) -> None:
    """Ask again for the open findings of a workspace whose window a change may touch."""
    open_ones = findings.matching(
        connection, table.c.workspace == workspace, table.c.state == "open", table.c.opened_at >= since
    )
    _save(connection, open_ones[:MOST])


def _save(connection: Connection, asked: Iterable[Finding]) -> int:
    before = list(asked)
    after = [attributed(connection, finding) for finding in before]
    moved = [new for old, new in zip(before, after, strict=True) if new != old]
    findings.save(connection, moved, ())
    return sum(finding.actor is not None for finding in moved)
