"""The store as our own API sees it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import update

from driftband.detect.acceptance import accept
from driftband.detect.configuration import kept
from driftband.detect.moves import moves_of
from driftband.detect.noise import propose
from driftband.model.audit import AuditEvent
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.ignore import Ignore
from driftband.model.moment import show_moment
from driftband.model.refusal import ConflictError, RefusedError, UnknownError
from driftband.model.report import Inventory, Report
from driftband.model.run import About, Run, Taken
from driftband.store import attribution, audit, changes, findings, ignores, inventory, runs
from driftband.store.changing import Owed, put_change
from driftband.store.database import Database
from driftband.store.inventory import Identities
from driftband.store.ledger import take_report
from driftband.store.tables import findings as table
from driftband.store.tables import workspaces
from driftband.store.tidying import expire_rules, ignore_open
from driftband.store.workspaces import lock_workspace

LEARN_FROM = timedelta(days=30)
MOST_LEARNT = 20_000


class Part(Protocol):
    """Which part of a list is wanted, as :mod:`driftband.web.listing` reads it."""

    @property
    def equal(self) -> dict[str, str]:
        """Fields that must have a value."""

    @property
    def since(self) -> datetime | None:
        """From when on."""

    @property
    def until(self) -> datetime | None:
        """Until when."""

    @property
    def after(self) -> tuple[datetime, str] | None:
        """The cursor."""

    @property
    def limit(self) -> int:
        """How many."""


@dataclass(frozen=True)
class StoredEvidence:
    """Takes evidence in and gives what became of it. The readers raise RefusedError; ``clock`` gives now.

    owed: what destinations are told of a change.
    """

    database: Database
    identities: Identities
    read_report: Callable[[bytes], Report]
    read_inventory: Callable[[bytes], Inventory]
    read_change: Callable[[Mapping[str, Any]], tuple[Change, frozenset[str]]]
    read_audit: Callable[[bytes], Sequence[AuditEvent]]
    clock: Callable[[], datetime]
    owed: Owed

    def report(self, body: bytes, about: About) -> Taken:
        """Take a drift report."""
        return self.take(self.read_report(body), about)

    def take(self, report: Report, about: About) -> Taken:
        """Take a report that has been read already."""
        return take_report(self.database, report, about, self.identities, self.clock())

    def stock(self, body: bytes, about: About) -> int:
        """Take a state as the inventory of a workspace."""
        found, now = self.read_inventory(body), self.clock()
        lineage = found.lineage or about.lineage
        with self.database.write() as connection:
            known = lock_workspace(connection, about.workspace).lineage
            if known and lineage and known != lineage and not about.adopt:
                raise ConflictError(
                    f"the state is of lineage {lineage[:64]}, and {about.workspace}'s is {known}; is it another workspace's? "
                    "If it was made anew, send it with adopt=true"
                )
            listed = kept(found.resources)
            inventory.take_stock(
                connection, about.workspace, listed, at=now, commit=about.commit, identities=self.identities
            )
            values = {"lineage": lineage or known, "read": len(listed)}
            connection.execute(update(workspaces).where(workspaces.c.name == about.workspace).values(values))
        return len(listed)

    def resources(self, workspace: str) -> list[dict[str, Any]]:
        """Return the inventory of a workspace."""
        with self.database.read() as connection:
            rows = inventory.current(connection, workspace)
        names = ("address", "type", "module", "module_version", "provider", "commit", "identity", "tags", "attributes")
        return [{name: row[name] for name in names} for row in sorted(rows, key=lambda row: row["address"])]

    def findings(self, part: Part) -> list[Finding]:
        """Return findings, one more than wanted where there are more."""
        with self.database.read() as connection:
            return findings.page(
                connection, equal=part.equal, since=part.since, until=part.until, after=part.after, limit=part.limit + 1
            )

    def open_findings(self) -> dict[tuple[str, str, str], int]:
        """Return how many findings are open by layer, class and severity."""
        with self.database.read() as connection:
            return findings.count_open(connection)

    def finding(self, finding_id: str) -> tuple[Finding, list[dict[str, Any]]]:
        """Return a finding and its story."""
        with self.database.read() as connection:
            found = findings.by_ids(connection, [finding_id])
            steps = findings.story(connection, [finding_id]).get(finding_id, [])
        if not found:
            raise UnknownError(f"there is no finding {finding_id[:60]!r}")
        story = [
            {"at": show_moment(s.at), "state": s.state, "class": s.class_, "reason": s.reason, "run": s.run}
            for s in steps
        ]
        return found[0], story

    def accept(self, finding_id: str, by: str, reason: str, until: datetime | None) -> Finding:
        """Accept a finding: it stays on record, and out of the series, until then or until it closes."""
        now = self.clock()
        if until is not None and until <= now:
            raise RefusedError("until must lie in the future")
        with self.database.write() as connection:
            found = findings.by_ids(connection, [finding_id])
            if not found:
                raise UnknownError(f"there is no finding {finding_id[:60]!r}")
            if found[0].state == "closed":
                raise ConflictError("the finding is closed already")
            moved, transition = accept(found[0], max(now, found[0].opened_at), by, reason, until)
            if moved != found[0]:
                findings.save(connection, [moved], [transition])
            connection.execute(update(table).where(table.c.id == finding_id).values(accepted_until=until))
        return moved

    def runs(self, part: Part) -> list[Run]:
        """Return runs."""
        with self.database.read() as connection:
            return runs.page(connection, workspace=part.equal.get("workspace"), after=part.after, limit=part.limit + 1)

    def change(self, fields: Mapping[str, Any]) -> tuple[Change, bool]:
        """Take a change, and tell whether it is new."""
        change, given = self.read_change(fields)
        return put_change(self.database, change, given, self.identities, self.clock(), self.owed)

    def changes(self, part: Part) -> list[Change]:
        """Return changes."""
        with self.database.read() as connection:
            return changes.page(
                connection, equal=part.equal, since=part.since, until=part.until, after=part.after, limit=part.limit + 1
            )

    def one_change(self, change_id: str) -> Change:
        """Return a change."""
        with self.database.read() as connection:
            change = changes.one(connection, change_id)
        if change is None:
            raise UnknownError(f"there is no change {change_id[:60]!r}")
        return change

    def ignores(self) -> tuple[list[Ignore], list[dict[str, Any]]]:
        """Return the ignore rules, and those that history proposes and nobody has made."""
        now = self.clock()
        with self.database.read() as connection:
            rules = ignores.in_force(connection)
            recent = findings.overlapping(connection, now - LEARN_FROM, now, {"layer": "configuration"}, MOST_LEARNT)
        learnt = (f for f, _ in recent if f.kind == "attribute_changed" and f.class_ != "normalisation")
        moves = [move for finding in learnt for move in moves_of(finding)]
        made = {(r.resource_type, r.attribute) for r in rules}
        return rules, [p.json() for p in propose(moves) if (p.resource_type, p.attribute) not in made]

    def ignore(self, fields: Mapping[str, Any]) -> tuple[Ignore, bool]:
        """Add an ignore rule, put it in force for what is open, and tell whether it is new: one says the same once."""
        now = self.clock()
        content = repr(sorted((k, str(v)) for k, v in fields.items())) + show_moment(now)
        try:
            rule = Ignore(id=hashlib.blake2b(content.encode(), digest_size=8).hexdigest(), created_at=now, **fields)
        except ValueError as error:
            raise RefusedError(str(error)) from None
        if rule.expires_at is not None and rule.expires_at <= now:
            raise RefusedError("expires_at must lie in the future")
        with self.database.write() as connection:
            for known in ignores.in_force(connection):
                if known.holds_at(now) and replace(rule, id=known.id, created_at=known.created_at) == known:
                    return known, False
            ignores.add(connection, rule)
            ignore_open(connection, rule, now)
        return rule, True

    def unignore(self, rule_id: str) -> None:
        """Take an ignore rule back: what it ignored is drift again."""
        now = self.clock()
        with self.database.write() as connection:
            if not ignores.remove(connection, rule_id, now):
                raise UnknownError(f"there is no ignore rule {rule_id[:60]!r}")
            expire_rules(connection, now)

    def audit(self, body: bytes) -> tuple[int, int]:
        """Take audit events, and return how many there were and how many findings they attributed."""
        events = self.read_audit(body)
        with self.database.write() as connection:
            fresh = audit.add(connection, events)
            return len(events), attribution.after_events(connection, fresh)
