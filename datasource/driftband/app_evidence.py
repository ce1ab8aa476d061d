"""Wires evidence: from what is sent, over the readers, to the ledger; and what happens by itself in the background."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import structlog

from driftband.app_changes import owed_changes
from driftband.config import Config
from driftband.model.change import Change
from driftband.model.moment import utc
from driftband.model.refusal import RefusedError, UnknownError
from driftband.model.run import About
from driftband.sources.audit import read_audit_events
from driftband.sources.changes import read_change
from driftband.sources.hooks import Hooked, read_atlantis, read_hcp, verify_hcp
from driftband.sources.terraform import read_inventory, read_report
from driftband.store import leases
from driftband.store.changing import put_change
from driftband.store.database import Database
from driftband.store.evidence import StoredEvidence
from driftband.store.inventory import Identities
from driftband.store.tidying import tidy

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
TICK = 5.0
"""Seconds between two looks at what is due."""
SETTLE = 0.5
"""Seconds that are waited once woken: what comes together is looked at together."""
AT_MOST = timedelta(minutes=30)
"""For so long a chore is one instance's: another takes over what died in it."""


def utc_now() -> datetime:
    """Return now, to the millisecond: what is answered at once and what is read again later are the same."""
    return utc(datetime.now(UTC))


def _refusing(reader: Callable[P, T]) -> Callable[P, T]:
    """Let a reader's refusal be one that the API answers."""

    def read(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return reader(*arguments, **named)
        except ValueError as error:
            raise RefusedError(str(error)) from None

    return read


class Evidence(StoredEvidence):
    """The API's evidence, with the webhooks of CI systems."""

    def hook(self, kind: str, body: bytes) -> dict[str, Any]:
        """Take a webhook. Each thing that it tells is a change or a run's report."""
        read = read_atlantis if kind == "atlantis" else read_hcp
        told: Sequence[Hooked] = _refusing(read)(body, self.clock())
        return {"taken": [self._take_hooked(one) for one in told]}

    def _take_hooked(self, one: Hooked) -> str:
        if one.report is not None:
            # Its time may be that of its arrival, and is not part of what makes two deliveries the same.
            about = About(workspace=one.workspace, run=one.run, started_at=one.report.timestamp)
            return self.take(replace(one.report, timestamp=None), about).run.id
        assert one.change is not None  # noqa: S101 - it tells one of the two
        given = frozenset(name for name in vars(one.change) if getattr(one.change, name))
        change, _ = put_change(self.database, self._timed(one.change), given, self.identities, self.clock(), self.owed)
        return change.id

    def _timed(self, change: Change) -> Change:
        """Return a change with the best times that are known of it."""
        try:
            known = self.one_change(change.id)
        except UnknownError:
            return change
        if known.status == change.status and known.ended_at is not None:
            return replace(change, started_at=known.started_at, ended_at=known.ended_at)  # it is delivered once more
        # A notification of the end knows when the run was made, an earlier one when the apply began.
        fits = change.ended_at is None or known.started_at <= change.ended_at
        return replace(change, started_at=max(known.started_at, change.started_at)) if fits else change


def open_evidence(config: Config) -> Evidence:
    """Open the store and return what the API stands on. Raises StoreError."""
    return Evidence(
        database=Database(config.store.get_secret_value()),
        identities=Identities(
            names=tuple(config.identity), workspaces={w.name: dict(w.identity) for w in config.workspaces}
        ),
        read_report=_refusing(read_report),
        read_inventory=_refusing(read_inventory),
        read_change=_refusing(read_change),
        read_audit=_refusing(read_audit_events),
        clock=utc_now,
        owed=owed_changes(config),
    )


def signed_by_hcp(config: Config) -> Callable[[bytes, Mapping[str, str]], bool]:
    """Return what tells whether a webhook carries HCP Terraform's signature by ``access.webhook_secret``."""
    secret = config.access.webhook_secret

    def check(body: bytes, headers: Mapping[str, str]) -> bool:
        if secret is None:
            return False
        return verify_hcp(body, headers.get("X-Tfe-Notification-Signature"), secret.get_secret_value())

    return check


@dataclass(frozen=True)
class Chore:
    """Something that is done every so often, by one instance at a time."""

    name: str
    every: timedelta | None
    """None: at every look, and in each instance; it has leases of its own."""
    do: Callable[[datetime], None]


class Background(threading.Thread):
    """Does the chores that are due. Each has a lease in the store, so that several instances do not do it twice.

    woken: an event that lets it look before the next tick.
    """

    def __init__(self, database: Database, chores: Sequence[Chore], woken: threading.Event | None = None) -> None:
        super().__init__(name="background", daemon=True)
        self._database, self._chores = database, chores
        self._woken = woken or threading.Event()
        self._me = uuid.uuid4().hex
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look for what is due until asked to stop."""
        while True:
            for chore in self._chores:
                self._do(chore)
            if self._woken.wait(TICK):
                self._stop_asked.wait(SETTLE)
                self._woken.clear()
            if self._stop_asked.is_set():
                return

    def stop(self) -> None:
        """Ask it to stop."""
        self._stop_asked.set()
        self._woken.set()

    def _do(self, chore: Chore) -> None:
        now = utc_now()
        try:
            if chore.every is None:
                chore.do(now)
            elif leases.hold(self._database, chore.name, self._me, now, AT_MOST):
                chore.do(now)
                leases.hold_until(self._database, chore.name, self._me, utc_now() + chore.every)
        except Exception:  # one failed chore must not end the others; it is due again
            log.exception("chore failed", chore=chore.name)


def tidying(config: Config, evidence: Evidence) -> Chore:
    """Return the chore that lets rules and acceptances end, and old rows go."""
    retention = timedelta(milliseconds=config.retention)
    return Chore("tidy", timedelta(seconds=TICK), lambda now: tidy(evidence.database, now, retention))
