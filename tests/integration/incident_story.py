"""What tests of incidents tell: findings that open and close, and a correlation that does as the test says."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from driftband.app_incidents import Incidents
from driftband.correlate.context import Context, Decision
from driftband.model.change import Change
from driftband.model.finding import Finding, Transition, step
from driftband.model.incident import Deed, Entry, Incident, Suspect
from driftband.store import changes, findings, notifications
from driftband.store.database import Database
from driftband.store.series import intervals

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONCALL = "oncall"


def finding(name: str, at: datetime = NOON, **more: Any) -> Finding:
    given = {"layer": "behavioral", "kind": "band_breach", "severity": "warning", "reason": f"{name} moved", **more}
    identity = {"service": name}
    return Finding(id=key(name), class_="drift", signal=name, identity=identity, opened_at=at, last_seen_at=at, **given)


def key(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=10).hexdigest()


class Story:
    """A store with incidents whose correlation is :meth:`advance`: one incident a service, over as soon as all is calm."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOON
        self.asked: list[dict[str, Any]] = []
        self.suspect: str | None = None
        self.fits: Sequence[str] = (ONCALL,)
        self.room = Incidents(
            database=database,
            clock=lambda: self.now,
            advance=self.advance,
            context=Context(identity=("service",)),
            url="https://driftband.example/incidents/",
            fits=lambda _: self.fits,
        )

    def look(self, minutes: float = 0) -> None:
        self.now += minutes * MINUTE
        self.room.look(self.now)

    def open(self, name: str, **more: Any) -> Finding:
        made = finding(name, self.now, **more)
        opened = Transition(finding=made.id, at=self.now, state="open", class_="drift", reason=made.reason)
        with self.database.write() as connection:
            findings.save(connection, [made], [opened])
        return made

    def close(self, name: str) -> None:
        with self.database.write() as connection:
            (known,) = findings.by_ids(connection, [key(name)])
            moved, closed = step(known, self.now, "calm", state="closed", closed_at=self.now)
            findings.save(connection, [moved], [closed])

    def change(self, name: str, **more: Any) -> None:
        made = Change(id=name, kind="deploy", started_at=self.now, ended_at=self.now, **more)
        with self.database.write() as connection:
            changes.put(connection, made, self.now)

    def advance(
        self,
        known: Sequence[Incident],
        findings: Sequence[Finding],
        changes: Sequence[Change],
        context: Context,
        now: datetime,
    ) -> Decision:
        self.asked.append({"known": known, "findings": findings, "changes": changes, "context": context, "now": now})
        findings = [f for f in findings if f.opened_at <= now]
        by_id, by_service = {f.id: f for f in findings}, {i.identity["service"]: i for i in known}
        moved, deeds = [], list[tuple[str, Deed, str]]()
        for service in sorted({f.identity["service"] for f in findings if f.identity}):
            members = tuple(
                f.id for f in sorted(findings, key=lambda f: f.opened_at) if f.identity == {"service": service}
            )
            before = by_service.get(service)
            calm = all((end := by_id[f].closed_at) is not None and end <= now for f in members)
            after, deed = self._next(service, before, members, calm, now)
            if after != before:
                moved.append(after)
            if deed:
                deeds.append((after.id, deed, "so"))
        return Decision(incidents=tuple(moved), deeds=tuple(deeds))

    def _next(
        self, service: str, before: Incident | None, members: tuple[str, ...], calm: bool, now: datetime
    ) -> tuple[Incident, Deed | None]:
        suspects = (Suspect(change=self.suspect, score=0.9, reasons=("just before",)),) if self.suspect else ()
        verdict: Any = "explained" if suspects else "unexplained"
        entry = Entry(at=now, what="opened", reason="so")
        if before is None:
            return Incident(
                id=f"i-{service}", title=f"{service} moved", severity="warning", verdict=verdict, opened_at=now,
                identity={"service": service}, findings=members, suspects=suspects, timeline=(entry,), owner="payments",
            ), "opened"  # fmt: skip
        timeline = before.timeline
        if calm and before.state != "resolved":
            ended = replace(entry, what="resolved")
            return replace(
                before, state="resolved", resolved_at=now, calm_since=now, timeline=(*timeline, ended)
            ), "resolved"
        if not calm and before.state == "resolved" and before.calm_since is not None:
            again = replace(before, state="open", resolved_at=None, calm_since=None, timeline=(*timeline, entry))
            return again, "opened"
        if (members, suspects) != (before.findings, before.suspects):
            more = replace(entry, what="updated")
            return replace(
                before, findings=members, suspects=suspects, verdict=verdict, severity="error", timeline=(*timeline, more)
            ), "updated"  # fmt: skip
        return before, None

    def told(self, destination: str = ONCALL) -> list[tuple[int, str, str]]:
        """Return number, deed and the incident's state of what a destination was owed."""
        with self.database.read() as connection:
            made = notifications.page(connection, equal={"destination": destination}, after=None, limit=1000)
        return sorted((n.sequence, n.deed, n.incident["state"]) for n in made)

    def series(self, name: str, at: datetime) -> list[tuple[dict[str, str], float]]:
        """Return the labels and values that a native series has at an instant."""
        ms = int(at.timestamp() * 1000)
        found = intervals(self.database, name, ms, ms, {}, 100)
        return [(dict(i.labels), i.value) for i in found if i.start <= ms and (i.end is None or ms < i.end)]
