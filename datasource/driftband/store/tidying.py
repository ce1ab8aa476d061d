"""What time alone does: ignore rules and acceptances end, and what is older than the retention goes."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, or_, select

from driftband.detect.acceptance import reopened
from driftband.detect.configuration import said_of
from driftband.model.finding import ALARMING, Finding, Transition, step
from driftband.model.ignore import Ignore
from driftband.store import attribution, findings, ignores
from driftband.store.database import Database
from driftband.store.tables import (
    applied_identities,
    audit_events,
    audit_resources,
    changes,
    resources,
    runs,
    transitions,
)
from driftband.store.tables import findings as table

AT_ONCE = 2_000


def tidy(database: Database, now: datetime, retention: timedelta) -> None:
    """Bring back what was ignored or accepted until now, and forget what ended before the retention."""
    with database.write() as connection:
        expire_rules(connection, now)
        _expire_acceptances(connection, now)
    with database.write() as connection:
        _forget(connection, now - retention)


def expire_rules(connection: Connection, now: datetime) -> None:
    """Make again what it was of what rules ignored that have expired or were taken back, unless another rule ignores it too."""
    over = {rule.id: rule for rule in ignores.expired(connection, now)}
    if not over:
        return
    ignored = findings.matching(connection, table.c.state == "open", table.c["class"] == "ignored")
    back = [f for f in ignored if f.ignored_by in over]
    last = findings.last_steps(connection, [f.id for f in back])
    others = [rule for rule in ignores.in_force(connection) if rule.holds_at(now)]
    moved = []
    for finding in back:
        heir = next((rule for rule in others if _covered(finding, rule)), None)
        if heir is not None:
            moved.append(step(finding, max(now, last[finding.id]), said_of(heir), ignored_by=heir.id))
        else:
            moved.append(_return(finding, over[str(finding.ignored_by)], last[finding.id], now))
    attribution.save(connection, [f for f, _ in moved], [t for _, t in moved])


def _return(finding: Finding, rule: Ignore, last: datetime, now: datetime) -> tuple[Finding, Transition]:
    expired = rule.expires_at is not None and rule.expires_at <= now
    at = max(rule.expires_at, last) if expired and rule.expires_at else now
    reason = f"the ignore rule of {rule.owner} {'expired' if expired else 'was taken back'}: {rule.reason}"
    class_ = finding.unless_ignored or "drift"
    by = "plan" if class_ == "ignored" else None
    return step(finding, at, reason, class_=class_, ignored_by=by, unless_ignored=None)


def ignore_open(connection: Connection, rule: Ignore, now: datetime) -> None:
    """Put a new rule in force for what is open."""
    held = findings.matching(
        connection,
        table.c.state == "open",
        table.c.layer == "configuration",
        table.c["class"].in_(ALARMING),
    )
    moved = [
        step(f, now, said_of(rule), class_="ignored", ignored_by=rule.id, unless_ignored=f.class_)
        for f in held
        if _covered(f, rule)
    ]
    findings.save(connection, [f for f, _ in moved], [t for _, t in moved])


def _covered(finding: Finding, rule: Ignore) -> bool:
    if not rule.covers(finding.workspace, finding.address, finding.resource_type):
        return False
    if not rule.attribute:
        return True
    return bool(finding.attributes) and all(rule.covers_attribute(a.path) for a in finding.attributes)


def _expire_acceptances(connection: Connection, now: datetime) -> None:
    ended = (table.c.state == "accepted", table.c.accepted_until <= now)
    due = connection.execute(select(table.c.id, table.c.accepted_until).where(*ended))
    until = {row.id: row.accepted_until for row in due}
    last = findings.last_steps(connection, until)
    moved = [
        step(reopened(f), max(until[f.id], last[f.id]), "its acceptance has ended")
        for f in findings.by_ids(connection, until)
    ]
    attribution.save(connection, [f for f, _ in moved], [t for _, t in moved])


def _forget(connection: Connection, before: datetime) -> None:
    old = list(connection.execute(select(table.c.id).where(table.c.closed_at < before).limit(AT_ONCE)).scalars())
    connection.execute(delete(transitions).where(transitions.c.finding.in_(old)))
    connection.execute(delete(table).where(table.c.id.in_(old)))
    connection.execute(delete(runs).where(runs.c.at < before))
    connection.execute(delete(resources).where(resources.c.valid_to < before))
    connection.execute(
        delete(changes).where(
            or_(changes.c.ended_at < before, changes.c.ended_at.is_(None) & (changes.c.started_at < before))
        )
    )
    connection.execute(delete(audit_events).where(audit_events.c.at < before))
    connection.execute(delete(audit_resources).where(audit_resources.c.at < before))
    a, newer = applied_identities.c, applied_identities.alias().c
    followed = exists().where(newer.identity_key == a.identity_key, newer.at > a.at)
    connection.execute(delete(applied_identities).where(a.at < before, followed))
