"""What the life of incidents is decided on: findings, changes, known incidents, and who is who."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.incident import Incident
from driftband.store import findings, incidents, inventory
from driftband.store.changes import RUNS_AT_MOST
from driftband.store.changes import by_ids as changes_of
from driftband.store.incident_progress import Progress
from driftband.store.rows import to_change, to_finding
from driftband.store.tables import changes, transitions
from driftband.store.tables import findings as table

BEFORE = timedelta(days=1)
"""How long before trouble a change is still looked for."""
OLDEST = timedelta(days=2)
"""Of incidents older than this suspects are not ranked again, unless findings of that time come in."""
SLACK = 1_000
"""Transitions that are looked at again: transactions may end in another order than they began."""
MOST_FINDINGS = 20_000
MOST_CHANGES = 5_000
MOST_ADDRESSES = 20_000
SILENT = frozenset({"evidence_missing", "intent_unknown"})
"""Kinds of findings that are no trouble of anybody's: nothing is known, good or bad."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What there is to decide on. changes_since: all changes from then on are here. identities: by workspace and address.

    instants: when something happened that has not been decided on.
    """

    instants: frozenset[datetime]
    known: tuple[Incident, ...]
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    changes_since: datetime
    identities: Mapping[tuple[str, str], Mapping[str, str]]

    @property
    def commits(self) -> dict[str, str]:
        """Return the commits of the changes."""
        return {change.id: change.commit for change in self.changes}


def world(connection: Connection, done: Progress, now: datetime, reopen_within: timedelta) -> World:
    """Return what there is to decide on, where ``done`` has been looked at before."""
    steps, overlooked = _steps(connection, done.last_transition)
    standing, moved = _loud(_standing(connection)), _loud(findings.by_ids(connection, [*steps, *overlooked]))
    owners = incidents.of_findings(connection, [f.id for f in (*standing, *moved)])
    fresh = [f.opened_at for f in moved if f.id not in owners]
    known = incidents.known(
        connection, min([now, *fresh]) - reopen_within, {incident for ids in owners.values() for incident in ids}
    )
    held = {finding for incident in known for finding in incident.findings}
    here = {f.id: f for f in (*standing, *moved)}
    rest = findings.by_ids(connection, sorted(held - here.keys()))
    listed = (*here.values(), *rest)
    recent = [i.opened_at for i in known if i.opened_at > now - OLDEST]
    since, found = _changes(connection, min([now, *fresh, *recent]) - BEFORE)
    suspected = {s.change for i in known for s in i.suspects} - {c.id for c in found}
    every = (*changes_of(connection, suspected), *found)
    happened = {at for f in moved for at in steps.get(f.id, ())} | _told(connection, done.last_change_at)
    late = now if any(f.alarming and f.id in overlooked for f in moved) else None
    return World(
        instants=frozenset({at if at > done.decided_until else now for at in happened} | ({late} if late else set())),
        known=tuple(known),
        findings=listed,
        changes=every,
        changes_since=since,
        identities=_identities(connection, listed, every),
    )


def _steps(connection: Connection, after: int) -> tuple[dict[str, set[datetime]], set[str]]:
    """Return the instants of the steps that findings have made since then, and the findings that may be overlooked.

    These have a step a little before, and no incident holds them.
    """
    t = transitions.c
    recent = select(t.finding, t.id, t.at).where(t.id > after - SLACK).order_by(t.id.desc()).limit(MOST_FINDINGS)
    steps: dict[str, set[datetime]] = {}
    before: set[str] = set()
    for finding, step, at in connection.execute(recent):
        if step > after:
            steps.setdefault(finding, set()).add(at)
        else:
            before.add(finding)
    return steps, before - steps.keys() - incidents.of_findings(connection, before).keys()


def _told(connection: Connection, after: datetime) -> set[datetime]:
    """Return when changes were told of since then."""
    u = changes.c.updated_at
    statement = select(u).where(u > after).distinct().order_by(u.desc()).limit(MOST_CHANGES)
    return set(connection.execute(statement).scalars())


def _loud(found: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.kind not in SILENT]


def _standing(connection: Connection) -> list[Finding]:
    statement = select(table).where(table.c.state.in_(("open", "accepted"))).order_by(table.c.opened_at.desc())
    return [to_finding(row) for row in connection.execute(statement.limit(MOST_FINDINGS)).mappings()]


def _changes(connection: Connection, since: datetime) -> tuple[datetime, list[Change]]:
    """Return the changes from ``since`` on, and from when on they are all: the youngest where there are too many."""
    c = changes.c
    begun = and_(c.ended_at.is_(None), c.started_at >= since - RUNS_AT_MOST)
    statement = select(changes).where(or_(c.started_at >= since, c.ended_at >= since, begun))
    ordered = statement.order_by(c.started_at.desc(), c.id.desc()).limit(MOST_CHANGES + 1)
    found = [to_change(row) for row in connection.execute(ordered).mappings()]
    if len(found) > MOST_CHANGES:
        since = max(since, found[MOST_CHANGES].started_at + timedelta(milliseconds=1))
        found = [change for change in found if change.started_at >= since]
    return since, found[::-1]


def _identities(
    connection: Connection, listed: Sequence[Finding], every: Sequence[Change]
) -> dict[tuple[str, str], Mapping[str, str]]:
    """Return the identity labels of the resources that findings and changes are about."""
    wanted: dict[str, set[str]] = {}
    named = [(f.workspace, f.address) for f in listed]
    named += [(change.workspace, touched.address) for change in reversed(every) for touched in change.resources]
    for workspace, address in named[:MOST_ADDRESSES]:
        if workspace and address:
            wanted.setdefault(workspace, set()).add(address)
    return {
        (workspace, row["address"]): row["identity"]
        for workspace, addresses in wanted.items()
        for row in inventory.current(connection, workspace, sorted(addresses))
    }
