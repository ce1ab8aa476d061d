"""The watcher: evaluates signals, intents and the service graph at fixed instants, in one instance at a time, and catches up on what it missed."""

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from driftband.app_evidence import utc_now
from driftband.app_watch_health import Health
from driftband.app_watch_one import MOST_INSTANTS, OneWatch, Surroundings
from driftband.app_watch_rules import Watched, links, watched_of
from driftband.config import Config
from driftband.detect.recording import Recorder
from driftband.detect.registry import DETECTORS
from driftband.model.moment import from_ms, to_ms
from driftband.query.errors import QueryError
from driftband.sources.asking import Source
from driftband.sources.history import HistoryCache
from driftband.sources.watching import WatchedSource
from driftband.store import leases, watching
from driftband.store.database import Database
from driftband.web.measure import Measure

log = structlog.get_logger(__name__)

LEASE = "watch"
HELD = timedelta(seconds=15)
"""For so long the watcher may be silent before another takes over. Both at work would only be wasteful."""
RENEW = 4.0
"""Seconds between two looks, at most."""
RETRY = 15.0
"""Seconds after which a source that is down is asked again, at most."""
STOP_WITHIN = 5.0


class _SourceDownError(Exception):
    """The source gives no answer to anything."""


@dataclass
class _Watch:
    """What is known while the lease is held."""

    all: Sequence[OneWatch[Any]]
    health: Health
    left_out: set[str] = field(default_factory=set)


class Watcher(threading.Thread):
    """Does every instant of every signal once and in order, as ``store.watching`` keeps it."""

    def __init__(self, watched: Mapping[str, Watched], around: Surroundings, more: "_Settings") -> None:
        super().__init__(name="watcher", daemon=True)
        self._watched, self._around, self._more = watched, around, more
        self._database = around.database
        self._me = uuid.uuid4().hex
        self._stop_asked = threading.Event()
        self._held: _Watch | None = None
        self._kept = 0.0

    def run(self) -> None:
        """Watch until asked to stop, then let another go on at once."""
        pause = 0.0
        while not self._stop_asked.wait(pause):
            pause = self.look()
        if self._held is not None:
            leases.hold_until(self._database, LEASE, self._me, utc_now())

    def stop(self) -> None:
        """Ask it to stop, and wait for a moment."""
        self._stop_asked.set()
        if self.is_alive():
            self.join(STOP_WITHIN)

    def look(self) -> float:
        """Do what is due, and return the seconds until the next look."""
        try:
            if not self._keep():
                self._held = None
                self._report(watching.progress(self._database))
                return RENEW
            if self._held is None:
                self._held = self._load()
            return self._tick(self._held)
        except Exception:
            # A store that cannot be written, above all: what it holds is read again.
            log.exception("watching failed")
            self._more.measure.watch_error("internal")
            self._held = None
            return RENEW

    def _keep(self) -> bool:
        if self._held is not None and time.monotonic() - self._kept < RENEW / 2:
            return True
        self._kept = time.monotonic()
        return leases.keep(self._database, LEASE, self._me, utc_now(), HELD)

    def _settled(self) -> int:
        """Return the last instant whose samples should have come."""
        before = to_ms(utc_now()) - self._more.delay
        return before - before % self._around.interval

    def _load(self) -> _Watch:
        interval, start = self._around.interval, self._more.start
        begin = self._settled() if start is None else (to_ms(start) - 1) // interval * interval
        digests = {name: one.digest for name, one in self._watched.items()}
        known = watching.enrol(self._database, digests, from_ms(begin))
        begun = [one.begin(known[name], self._around) for name, one in self._watched.items()]
        return _Watch(begun, Health(self._database))

    def _tick(self, held: _Watch) -> float:
        began = time.monotonic()
        held.left_out.clear()
        settled = self._settled()
        due = any(one.until < settled for one in held.all)
        try:
            while self._round(held, settled):
                self._report({one.rule.name: one.progress for one in held.all})
        except _SourceDownError:
            return min(RETRY, self._around.interval / 1000)
        self._report({one.rule.name: one.progress for one in held.all})
        if due:
            self._more.measure.watch_tick(time.monotonic() - began)
        next_due = (settled + self._around.interval + self._more.delay) / 1000 - utc_now().timestamp()
        return min(max(next_due, 0.0), RENEW)

    def _round(self, held: _Watch, settled: int) -> bool:
        """Take the signals that are furthest behind some instants on; False where there is nothing left to do."""
        due = [one for one in held.all if one.until < settled and one.rule.name not in held.left_out]
        if not due or self._stop_asked.is_set():
            return False
        goal = min(settled, min(one.until for one in due) + MOST_INSTANTS * self._around.interval)
        for one in due:
            if one.until >= goal:
                continue
            if self._stop_asked.is_set() or not self._keep():
                return False
            self._go_on(held, one, goal)
        return True

    def _go_on(self, held: _Watch, one: OneWatch[Any], goal: int) -> None:
        name = one.rule.name
        try:
            outcome = one.go_on(goal, to_ms(utc_now()))
        except QueryError as error:
            self._more.measure.watch_error(error.type)
            held.left_out.add(name)
            now = utc_now()
            if error.status == _UNAVAILABLE and not self._more.source.is_there(to_ms(now)):
                held.health.failed("", str(error), "", now)
                log.warning("the source cannot be reached", reason=str(error))
                raise _SourceDownError from None
            held.health.failed(name, str(error), one.rule.expr, now)
            log.warning("signal cannot be evaluated", signal=name, reason=str(error))
            return
        if outcome == "overtaken":
            raise RuntimeError(f"another watcher has gone on with {name}")
        if outcome == "waiting":
            held.left_out.add(name)
        now = utc_now()
        held.health.fine("", now)
        held.health.fine(name, now)

    def _report(self, progress: Mapping[str, watching.Progress]) -> None:
        """Tell until when all signals are evaluated; those whose query fails have a finding of their own instead."""
        health = self._held.health if self._held is not None else None
        well = [p for name, p in progress.items() if health is None or not health.fails(name)]
        moments = [p.evaluated_until.timestamp() for p in well or progress.values()]
        if moments:
            self._more.measure.watched(len(self._watched), min(moments))


_UNAVAILABLE = 503


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """What the watcher itself needs. delay: ms."""

    start: datetime | None
    delay: int
    measure: Measure
    source: WatchedSource


def watcher(
    config: Config, database: Database, source: Source, measure: Measure, cache: HistoryCache | None = None
) -> Watcher | None:
    """Return the watcher of a configuration's signals, intents and service graph, None where there are none.

    What was watched before is over then. cache: of the queries, with which the histories of signals are shared that may
    be asked for.
    """
    settings, interval = config.bands.settings(), config.watch.interval
    watched = watched_of(config, measure)
    if not watched:
        watching.enrol(database, {}, utc_now())
        return None
    within = config.limits.query_timeout / 1000
    fetch = WatchedSource(source, settings.step, within, cache, config.limits.series)
    around = Surroundings(
        database=database,
        fetch=fetch,
        detectors=DETECTORS,
        recorder=Recorder(names=config.identity, interval=interval, link=links(config)),
        settings=settings,
        interval=interval,
    )
    more = _Settings(start=config.watch.start, delay=config.watch.delay, measure=measure, source=fetch)
    return Watcher(watched, around, more)
