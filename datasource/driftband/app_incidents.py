"""Wires incidents: what has moved goes through correlation, and what it decides goes to the store, all of it or nothing."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from driftband.app_evidence import Chore
from driftband.app_incident_context import context_of
from driftband.app_respond import rules
from driftband.config import Config
from driftband.correlate import lifecycle
from driftband.correlate.catching_up import Advance, catch_up
from driftband.correlate.context import Context, Decision
from driftband.model.incident import Deed, Incident
from driftband.model.notification import Notification
from driftband.model.refusal import ConflictError, UnknownError
from driftband.respond import policy
from driftband.store import findings, incident_progress, incidents, notifications, pagerduty_events, watching
from driftband.store.database import Database
from driftband.store.evidence import Part
from driftband.store.incident_progress import Progress
from driftband.store.incident_world import World, world
from driftband.store.incident_writing import Decided, Escalated, Fits, act, escalate, tell_late, write
from driftband.store.incidents import Telling
from driftband.store.pagerduty_events import Event

log = structlog.get_logger(__name__)

AT_LEAST_EVERY = timedelta(minutes=1)
"""Time alone ends things, and a mark may miss what another instance wrote: a look is due, whatever has moved."""
TRIES = 3
INSTANTS_AT_ONCE = 200
"""Instants that one transaction decides on: what was missed is made up for in several."""
FORGET_AT_ONCE = 2_000
EVENTS_KNOWN = timedelta(days=8)
"""For so long an event of PagerDuty is known again; one that is a day younger than that is not believed any more."""


def no_destinations(_incident: Mapping[str, Any]) -> Sequence[str]:
    """Fit nobody: where no destination is configured."""
    return ()


def nobody_next(_incident: Mapping[str, Any], _told: Mapping[str, datetime], _now: datetime) -> Sequence[str]:
    """Escalate to nobody: where no destination says so."""
    return ()


def always() -> bool:
    """Wait for nothing."""
    return True


def no_edges() -> Sequence[tuple[str, str]]:
    """Tell of no service graph."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Incidents:
    """The life of incidents. fits: the destinations whose matchers an incident meets. edges: who calls whom, now.

    escalated: who is to be told of an incident that nobody acknowledges.
    url: where a person reads about an incident, before its id. moved: set when there may be something to look at.
    ready: whether what is looked at is all there; before, nothing is decided by the background.
    """

    database: Database
    clock: Callable[[], datetime]
    advance: Advance
    context: Context
    url: str
    fits: Fits = no_destinations
    escalated: Escalated = nobody_next
    edges: Callable[[], Sequence[tuple[str, str]]] = no_edges
    moved: threading.Event = field(default_factory=threading.Event)
    ready: Callable[[], bool] = always

    def look(self, now: datetime) -> None:
        """Decide anew where findings or changes have moved, or time has come. Instances may look at once: one writes."""
        for _ in range(TRIES):
            with self.database.read() as connection:
                done = incident_progress.progress(connection)
                seen = incident_progress.marks(connection)
                if now < done.next_at and seen == (done.last_transition, done.last_change_at):
                    return
                there = world(connection, done, now, self.context.reopen_within)
            if self._decide(done, seen, there, now):
                return
        log.info("incidents moved while they were looked at; they are looked at again")

    def _decide(self, done: Progress, seen: tuple[int, datetime], there: World, now: datetime) -> bool:
        caught_up = catch_up(
            self.advance,
            there.known,
            there.findings,
            there.changes,
            replace(
                self.context,
                edges=tuple(self.edges()),
                identities=there.identities,
                changes_since=there.changes_since,
            ),
            instants=there.instants,
            since=done.decided_until,
            now=now,
            most=INSTANTS_AT_ONCE,
        )
        end = caught_up.next_end(self.context) or now + AT_LEAST_EVERY
        decided = Decided(
            revision=done.revision,
            known=there.known,
            steps=[(at, one.incidents, [(i, deed) for i, deed, _ in one.deeds]) for at, one in caught_up.steps],
            seen=seen if caught_up.whole else (done.last_transition, done.last_change_at),
            until=caught_up.until,
            next_at=min(now + AT_LEAST_EVERY, max(end, now)) if caught_up.whole else now,
        )
        return write(self.database, decided, self.fits, self._telling(now, there.commits))

    def _telling(self, now: datetime, commits: Mapping[str, str] | None = None) -> Telling:
        return Telling(now=now, url=self.url, shown_for=self.context.reopen_within, commits=commits or {})

    def escalate(self, now: datetime) -> None:
        """Tell who is next of what nobody has acknowledged in time."""
        if self.escalated is not nobody_next:
            escalate(self.database, self.escalated, self._telling(now))

    def tell_late(self, now: datetime) -> None:
        """Tell of what was caught up on and is still there."""
        if self.fits is not no_destinations:
            tell_late(self.database, self.fits, self._telling(now))

    def acknowledge(self, incident_id: str, by: str) -> Incident:
        """Let somebody look after an incident. Again is harmless. Raises ConflictError where it is over."""

        def step(incident: Incident, now: datetime) -> Decision:
            if incident.state == "resolved":
                raise ConflictError(f"incident {incident.id} is resolved already")
            return lifecycle.acknowledge(incident, by, now)

        return self.act(incident_id, "acknowledged", step)

    def resolve(self, incident_id: str, by: str) -> Incident:
        """Let somebody say that an incident is over. Again is harmless."""
        return self.act(incident_id, "resolved", lambda incident, now: lifecycle.resolve(incident, by, now))

    def act(
        self, incident_id: str, deed: Deed, step: Callable[[Incident, datetime], Decision], event: Event | None = None
    ) -> Incident:
        """Let a person's act change an incident. event: where it was done in PagerDuty. Raises what ``step`` does."""
        now = self.clock()

        def moved(incident: Incident) -> Incident:
            return next(iter(step(incident, max(now, incident.opened_at)).incidents), incident)

        return act(self.database, incident_id, deed, moved, self.fits, self._telling(now), event)

    def page(self, part: Part, states: Sequence[str]) -> list[Incident]:
        """Return incidents, one more than wanted where there are more."""
        with self.database.read() as connection:
            return incidents.page(
                connection,
                states=states,
                equal=part.equal,
                since=part.since,
                until=part.until,
                after=part.after,
                limit=part.limit + 1,
            )

    def one(self, incident_id: str) -> Incident:
        """Return an incident."""
        with self.database.read() as connection:
            found = incidents.by_ids(connection, [incident_id])
        if not found:
            raise UnknownError(f"there is no incident {incident_id[:60]!r}")
        return found[0]

    def alarms(self, incident_id: str) -> bool:
        """Whether a finding of an incident alarms now."""
        incident = self.one(incident_id)
        with self.database.read() as connection:
            return any(finding.alarming for finding in findings.by_ids(connection, incident.findings))

    def notifications(self, part: Part) -> list[Notification]:
        """Return notifications, one more than wanted where there are more."""
        with self.database.read() as connection:
            return notifications.page(connection, equal=part.equal, after=part.after, limit=part.limit + 1)

    def retry(self, notification_id: str | None) -> int:
        """Let the relay try a dead notification again, all of them without an id; return how many."""
        now = self.clock()
        with self.database.write() as connection:
            if notification_id is None:
                return notifications.retry_all(connection, now)
            notifications.retry(connection, notification_id, now)
            return 1


def incidents_of(config: Config, database: Database, clock: Callable[[], datetime]) -> Incidents:
    """Return the life of incidents for a configuration."""
    known = rules(config)
    return Incidents(
        fits=partial(policy.fits, known) if known else no_destinations,
        escalated=partial(policy.escalated, known) if known else nobody_next,
        database=database,
        clock=clock,
        advance=lifecycle.advance,
        context=context_of(config),
        edges=no_edges if config.dependencies is None else partial(watching.edges, database),
        url=f"{config.external_url.rstrip('/')}/incidents/",
    )


def looking(room: Incidents) -> Chore:
    """Return the chore that keeps incidents in step. It has no lease: who comes second finds that it is done."""

    def look(now: datetime) -> None:
        if room.ready():
            room.look(now)
            room.escalate(now)

    return Chore("incidents", None, look)


def telling_late(room: Incidents) -> Chore:
    """Return the chore that tells of what was caught up on."""
    return Chore("late news", timedelta(seconds=15), room.tell_late)


def forgetting(config: Config, database: Database) -> Chore:
    """Return the chore that lets incidents and notifications go that are older than the retention."""
    retention = timedelta(milliseconds=config.retention)

    def forget(now: datetime) -> None:
        with database.write() as connection:
            incidents.forget(connection, now - retention, FORGET_AT_ONCE)
            notifications.forget(connection, now - retention, FORGET_AT_ONCE)
            pagerduty_events.forget(connection, now - EVENTS_KNOWN)

    return Chore("forget incidents", timedelta(minutes=10), forget)
