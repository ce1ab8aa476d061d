"""Alerts in: the durable queue of webhooks, and what becomes of each in one transaction."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from driftband.detect.alerts import Meaning, Settling, alert_key, finding_id, meaning, named, noted
from driftband.model.alert import Alert, AlertSource, Webhook
from driftband.model.finding import Finding
from driftband.store import findings, incidents
from driftband.store.database import Database
from driftband.store.rows import chunks, upsert
from driftband.store.tables import findings as finding_table
from driftband.store.tables_incidents import alert_bodies, alerts_seen

_b = alert_bodies.c
_s = alerts_seen.c
_f = finding_table.c
ATTEMPTS = 5
"""A body that fails so often is set aside: what comes after it must not wait for it."""

Read = Callable[[bytes, AlertSource], Webhook]


def enqueue(database: Database, source: AlertSource, stamp: str, body: bytes, now: datetime) -> bool:
    """Put a webhook into the queue; False where the same one is known. stamp: what else makes it itself, a timestamp."""
    digest = hashlib.blake2b(digest_size=20)
    for part in (source.encode(), stamp.encode(), body):
        digest.update(len(part).to_bytes(8, "big") + part)
    key = digest.hexdigest()
    row = {"key": key, "source": source, "body": body, "received_at": now, "attempts": 0}
    with database.write(beside=True) as connection:
        kind = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = kind.insert(alert_bodies).values(row).on_conflict_do_nothing().returning(_b.id)
        return connection.execute(statement).scalar() is not None


def oldest(database: Database) -> int | None:
    """Return the id of the webhook that has waited longest: they are worked off in order, by one instance at a time."""
    statement = select(_b.id).where(_b.done_at.is_(None)).order_by(_b.id).limit(1)
    with database.read() as connection:
        return connection.execute(statement).scalar()


def set_back(database: Database, body_id: int, error: str, now: datetime) -> bool:
    """Note that a webhook could not be worked off; return whether it is set aside. Its body is kept for whoever looks."""
    with database.write() as connection:
        mine = _b.id == body_id
        values = {"attempts": _b.attempts + 1, "error": error[:500]}
        connection.execute(update(alert_bodies).where(mine).values(values))
        last = mine & (_b.attempts >= ATTEMPTS)
        return connection.execute(update(alert_bodies).where(last).values(done_at=now)).rowcount == 1


def forget(database: Database, done_before: datetime, seen_before: datetime, failed_before: datetime) -> None:
    """Delete what was worked off, what was last seen, and what was set aside before an instant each."""
    with database.write() as connection:
        connection.execute(delete(alert_bodies).where(_b.done_at < done_before, _b.body.is_(None)))
        connection.execute(delete(alert_bodies).where(_b.done_at < failed_before))
        connection.execute(delete(alerts_seen).where(_s.received_at < seen_before))


@dataclass(frozen=True, kw_only=True)
class AlertTaker:
    """Works webhooks off. names: of identity labels. signals: the names of those that driftband watches."""

    database: Database
    read: Read
    names: Sequence[str]
    signals: frozenset[str]

    def take(self, body_id: int, now: datetime) -> int | None:
        """Turn one webhook of the queue into findings, all of it or nothing.

        Returns how many findings moved; None where another instance has been faster.
        """
        with self.database.write() as connection:
            statement = select(alert_bodies).where(_b.id == body_id, _b.done_at.is_(None)).with_for_update()
            row = connection.execute(statement).mappings().first()
            if row is None:
                return None
            alerts = self.read(row["body"], row["source"]).alerts
            moved = _Taking(connection, self, row["received_at"]).take(alerts)
            done = {"done_at": now, "body": None}
            connection.execute(update(alert_bodies).where(_b.id == body_id).values(done))
        return moved


class _Taking:
    """One webhook on its way into the ledger."""

    def __init__(self, connection: Connection, taker: AlertTaker, received_at: datetime) -> None:
        self._connection, self._taker, self._at = connection, taker, received_at

    def take(self, alerts: Sequence[Alert]) -> int:
        unique = {alert_key(alert): alert for alert in alerts}
        seen = self._seen(unique)
        in_order = sorted(unique.items(), key=lambda item: (item[1].starts_at, item[1].status))
        fresh = {key: alert for key, alert in in_order if key not in seen}
        meanings = {key: meaning(alert, self._taker.signals) for key, alert in fresh.items()}
        own = self._own({key: alert for key, alert in fresh.items() if meanings[key] == "own"})
        settling = Settling(self._taker.names, self._at, self._known(fresh.values()))
        taken: dict[str, str | None] = {}
        for key, alert in fresh.items():
            if meanings[key] == "own" and key not in own:
                meanings[key] = (
                    "trouble"  # of a label that somebody else uses too, or of a rule whose finding nobody keeps
                )
            if meanings[key] == "evidence_missing":
                taken[key] = settling.take(alert, "evidence_missing")
            elif meanings[key] == "trouble":
                taken[key] = settling.take(alert, "alert_firing")
            elif meanings[key] == "own":
                taken[key] = own[key]
        findings.save(self._connection, list(settling.moved.values()), settling.steps)
        self._remember(fresh, meanings, taken)
        self._touch(seen)
        return len(settling.moved)

    def _seen(self, keys: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for some in chunks(keys):
            found |= set(self._connection.execute(select(_s.key).where(_s.key.in_(some))).scalars())
        return found

    def _touch(self, keys: Iterable[str]) -> None:
        for some in chunks(keys):
            self._connection.execute(update(alerts_seen).where(_s.key.in_(some)).values(received_at=self._at))

    def _known(self, alerts: Iterable[Alert]) -> dict[str, Finding]:
        """Return the kept findings of alerts, and those of earlier starts of the same ones that are still open."""
        listed = list(alerts)
        ids = {finding_id(alert) for alert in listed}
        for some in chunks({alert.fingerprint for alert in listed}):
            statement = select(_s.finding).where(_s.fingerprint.in_(some), _s.finding.is_not(None))
            ids |= set(self._connection.execute(statement).scalars())
        return {finding.id: finding for finding in findings.by_ids(self._connection, sorted(ids))}

    def _own(self, alerts: dict[str, Alert]) -> dict[str, str | None]:
        """Note own alerts at the findings that they are about; return which, None where the watcher will tell of it."""
        noted_at: dict[str, str | None] = {}
        for key, alert in alerts.items():
            finding = self._meant(alert)
            if finding is not None:
                self._note(finding.id, alert)
                noted_at[key] = finding.id
            elif alert.labels.get("signal") in self._taker.signals:
                noted_at[key] = None
        return noted_at

    def _meant(self, alert: Alert) -> Finding | None:
        labels = alert.labels
        about = incidents.by_ids(self._connection, [labels.get("incident", "")])
        ids = [labels.get("finding", ""), *(incident.root or incident.findings[0] for incident in about)]
        if direct := findings.by_ids(self._connection, ids):
            return direct[0]
        if labels.get("signal") not in self._taker.signals:
            return None
        mine = (_f.signal == labels["signal"], _f.state == "open", _f.kind != "alert_firing")
        return named(alert, findings.matching(self._connection, *mine))

    def _note(self, finding: str, alert: Alert) -> None:
        mine = _f.id == finding
        evidence = self._connection.execute(select(_f.evidence).where(mine).with_for_update()).scalar_one()
        values = {"evidence": noted(evidence, alert)}
        self._connection.execute(update(finding_table).where(mine).values(values))

    def _remember(self, fresh: dict[str, Alert], meanings: dict[str, Meaning], taken: dict[str, str | None]) -> None:
        rows = [
            {
                "key": key,
                "fingerprint": alert.fingerprint,
                "source": alert.source,
                "name": alert.name,
                "status": alert.status,
                "meaning": meanings[key],
                "finding": taken.get(key),
                "received_at": self._at,
            }
            for key, alert in fresh.items()
        ]
        for some in chunks(rows):
            upsert(self._connection, alerts_seen, some)
