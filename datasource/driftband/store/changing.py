"""What a change does to the ledger: touched resources, identities, findings seen meanwhile, and who is suspected."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from driftband.detect.configuration import shorten
from driftband.model.change import Change
from driftband.model.finding import step
from driftband.model.notification import Notification
from driftband.model.refusal import RefusedError
from driftband.store import attribution, changes, findings, inventory, notifications
from driftband.store.database import Database
from driftband.store.inventory import Identities
from driftband.store.tables import findings as table
from driftband.store.taking import RUN_TAKES

Owed = Callable[[Change, datetime], Sequence[Notification]]
"""Returns what is owed of a change as of now; the same change is the same notifications."""


def put_change(
    database: Database,
    change: Change,
    given: frozenset[str],
    identities: Identities,
    now: datetime,
    owed: Owed = lambda _change, _now: (),
) -> tuple[Change, bool]:
    """Write a change, and tell whether it is new. given: the fields that the sender named; others stay as they are known."""
    with database.write() as connection:
        known = changes.one(connection, change.id)
        if known is not None:
            change = _merged(known, change, given)
        resources = tuple(replace(t, address=shorten(t.address)) for t in change.resources)
        change = replace(change, resources=resources)
        if change.status != "running" and change.ended_at is None:
            change = replace(change, ended_at=max(now, change.started_at) if known is not None else change.started_at)
        if change == known:
            return change, False
        changes.put(connection, change, now)
        notifications.add_new(connection, owed(change, now))
        if change.kind == "terraform_apply" and change.workspace:
            _of_workspace(connection, change)
        if change.ended_at is not None and change.status == "succeeded" and change.kind in _BRINGING:
            _note_identities(connection, change, identities)
        return change, known is None


_BRINGING = ("terraform_apply", "deploy")
"""Kinds that bring a commit: a load test says nothing of what runs."""


def _merged(known: Change, change: Change, given: frozenset[str]) -> Change:
    try:
        return replace(change, **{name: getattr(known, name) for name in _OPTIONAL if name not in given})
    except ValueError as error:
        raise RefusedError(f"{error}: what is known of {change.id} and what was sent now do not fit together") from None


_OPTIONAL = ("status", "ended_at", "workspace", "commit", "actor", "url", "summary", "identity", "resources")


def _of_workspace(connection: Connection, change: Change) -> None:
    """Mark what was seen while it was applying as provisional, and ask anew who did what."""
    if change.ended_at is not None and change.status == "succeeded":
        touched = [t.address for t in change.resources]
        inventory.mark_applied(connection, change.workspace, touched, change.commit, change.ended_at)
    conditions = [
        table.c.workspace == change.workspace,
        table.c.state == "open",
        table.c["class"] == "drift",
        table.c.opened_at >= change.started_at - RUN_TAKES,
        table.c.last_seen_at == table.c.opened_at,
    ]
    if change.ended_at is not None:
        conditions.append(table.c.opened_at <= change.ended_at)
    reason = f"it was seen while {change.id} was applying; the next run will tell"
    moved = [step(f, f.opened_at, reason, class_="provisional") for f in findings.matching(connection, *conditions)]
    findings.save(connection, [f for f, _ in moved], [t for _, t in moved])
    attribution.after_change(connection, change.workspace, change.started_at)


def _note_identities(connection: Connection, change: Change, identities: Identities) -> None:
    """Note what the apply was of: its own identity, and that of each resource that it touched."""
    found: dict[tuple[tuple[str, str], ...], set[str]] = {}
    rows = inventory.current(connection, change.workspace, [t.address for t in change.resources])
    by_address = {row["address"]: row["identity"] for row in rows}
    own = {k: v for k, v in change.identity.items() if k in identities.names}
    for touched in change.resources:
        identity = {**by_address.get(touched.address, {}), **own}
        found.setdefault(tuple(sorted(identity.items())), set()).add(touched.module_version)
    if not change.resources:
        found[tuple(sorted(own.items()))] = set()
    several = [
        (dict(identity), next(iter(versions - {""})) if len(versions - {""}) == 1 else "")
        for identity, versions in found.items()
        if identity
    ]
    changes.put_identities(connection, change, several)
