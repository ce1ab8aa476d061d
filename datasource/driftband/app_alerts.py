"""Wires alerts in: from a webhook that is believed, over the durable queue, to findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from driftband.app_evidence import Chore
from driftband.config import Config
from driftband.model.alert import AlertSource
from driftband.model.refusal import RefusedError
from driftband.sources.alerts import AlertError, read_alerts, refuse_grafana
from driftband.sources.alerts.signature import TIMESTAMP
from driftband.store.alerts import AlertTaker, enqueue, forget, oldest, set_back
from driftband.store.database import Database

log = structlog.get_logger(__name__)

REPEATS_KNOWN = timedelta(hours=1)
"""For so long a webhook that was worked off is known again; a signed one is refused after a few minutes already."""
ALERTS_KNOWN = timedelta(days=7)
"""For so long after an alert was last told it is known again; that it has a finding is known for longer."""
FAILED_KEPT = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """Where webhooks of alerts come in."""

    database: Database
    secret: str | None
    clock: Callable[[], datetime]

    def refuse(self, body: bytes, headers: Mapping[str, str]) -> str | None:
        """Return why a webhook of Grafana's is not believed, or None where it is."""
        return refuse_grafana(body, headers, self.secret, self.clock())

    def take(self, source: AlertSource, body: bytes, headers: Mapping[str, str]) -> int:
        """Keep a webhook for later, and return how many alerts it has; 0 where the very same is known.

        Raises:
            RefusedError: where it is none.
        """
        try:
            told = read_alerts(body, source)
        except AlertError as error:
            raise RefusedError(str(error)) from None
        if told.truncated:
            log.warning("the sender left alerts out; raise or remove its limit", source=source, count=told.truncated)
        stamp = headers.get(TIMESTAMP, "") if source == "grafana" else ""
        if not enqueue(self.database, source, stamp, body, self.clock()):
            return 0
        return len(told.alerts)


def inbox_of(config: Config, database: Database, clock: Callable[[], datetime]) -> Inbox:
    """Return the inbox of a configuration."""
    secret = config.access.webhook_secret
    return Inbox(database=database, secret=secret.get_secret_value() if secret else None, clock=clock)


def taker_of(config: Config, database: Database) -> AlertTaker:
    """Return what works the inbox off."""
    names = tuple(config.identity)
    return AlertTaker(database=database, read=read_alerts, names=names, signals=config.watched_names)


def work_off(taker: AlertTaker, now: datetime) -> None:
    """Work off all that waits. What fails is tried again, and set aside in the end."""
    while (body := oldest(taker.database)) is not None:
        try:
            taker.take(body, now)
        except Exception as error:
            log.exception("alerts cannot be taken", body=body)
            if not set_back(taker.database, body, type(error).__name__, now):
                break


def taking(taker: AlertTaker) -> Chore:
    """Return the chore that works the inbox off. It has no lease: a webhook is locked while it is taken."""
    return Chore("alerts", None, lambda now: work_off(taker, now))


def forgetting_alerts(database: Database) -> Chore:
    """Return the chore that lets go what is known of alerts for telling repeats."""
    return Chore(
        "forget alerts",
        timedelta(minutes=10),
        lambda now: forget(database, now - REPEATS_KNOWN, now - ALERTS_KNOWN, now - FAILED_KEPT),
    )
