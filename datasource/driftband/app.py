"""The only place that wires things together."""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import structlog
from flask import Flask, Response, request

from driftband import app_demo, logs
from driftband.app_ahead import Ahead
from driftband.app_alerts import inbox_of
from driftband.app_evidence import Evidence, open_evidence, signed_by_hcp
from driftband.app_incidents import Incidents, always, incidents_of
from driftband.app_pagerduty import pagerduty_inbox
from driftband.app_pictures import pictures_of
from driftband.app_server import THREADS, Server, listenable
from driftband.app_source import open_source, wall_clock
from driftband.app_verify import Gate
from driftband.app_watch import watcher
from driftband.config import Config
from driftband.query.errors import QueryError
from driftband.query.fetch import Fetch
from driftband.query.fitting import Fitter
from driftband.query.leaves import Engine
from driftband.query.native import Signal
from driftband.query.watching import MOST_SERIES
from driftband.sources.asking import Ask, Forward, Source
from driftband.sources.fetching import Flights, RequestFetch
from driftband.sources.history import HistoryCache
from driftband.sources.own import OwnSamples
from driftband.sources.ranges import RangeCache
from driftband.store.accepted import accepted_of
from driftband.store.database import Database, StoreError
from driftband.store.lookup import StoredLookup
from driftband.store.overview import StoredOverview
from driftband.store.series import intervals
from driftband.web.access import Access, Tokens
from driftband.web.application import Readiness, Service, create
from driftband.web.catalog import Catalog
from driftband.web.measure import Measure
from driftband.web.prometheus import Gateway
from driftband.web.proxy import Proxy

log = structlog.get_logger(__name__)

HISTORY_MEMORY = 128 * 2**20
FIT_MEMORY = 128 * 2**20
ANSWER_MEMORY = 32 * 2**20
RANGE_MEMORY = 32 * 2**20
WATCHED_SERIES = 3 * MOST_SERIES
WATCHER_THREADS = 2
EXAMPLE = "anomaly_band(sum by (service) (rate(http_requests_total[5m])), 0.99)"
SAMPLE_EXAMPLE = 'anomaly_band(sum by (service) (rate(http_requests_total{service="checkout"}[5m])), 0.99)'


@dataclass(frozen=True)
class Querying:
    """What queries are answered with; one for the service."""

    source: Source
    cache: HistoryCache
    ranges: RangeCache
    flights: Flights
    engine: Engine

    def fetch(self, ask: Ask) -> Fetch:
        """Return the source as one request sees it."""
        return RequestFetch(self.source, self.cache, self.ranges, self.flights, ask, wall_clock())


def querying_of(config: Config, database: Database, measure: Measure, own: OwnSamples | None = None) -> Querying:
    """Return it for a configuration. own: the service's own samples, where the source is to have them."""
    settings = config.bands.settings()
    # A service may come and go over two weeks: its band counts, its earlier selves only cost.
    source = open_source(config, measure, max_series=10 * config.limits.series, threads=THREADS, own=own)
    cache = HistoryCache(source.history, settings.step, HISTORY_MEMORY, measure.history)
    fitter = Fitter(settings, FIT_MEMORY, measure.fit)
    ranges = RangeCache(source.range, RANGE_MEMORY)
    flights = Flights(ANSWER_MEMORY)
    measure.watch_memory("history", lambda: cache.size)
    measure.watch_memory("fits", lambda: fitter.size)
    measure.watch_memory("ranges", lambda: ranges.size)
    measure.watch_memory("answers", lambda: flights.size)
    graph = None if config.dependencies is None else config.dependencies.expr
    states = partial(intervals, database)
    accepted = partial(accepted_of, database, settings.accept_after)
    named = tuple(Signal(s.name, s.expr, s.level, s.model) for s in config.all_signals)
    engine = Engine(settings, fitter, named, config.limits.series, states, graph, accepted)
    return Querying(source, cache, ranges, flights, engine)


@dataclass(frozen=True)
class _Passage:
    """The way to the source for the present request."""

    source: Source
    fetch: Fetch
    ask: Ask

    def forward(self, path: str) -> Response:
        answer = self.source.forward(self.ask, self._forward(path, dict(request.headers)))
        response = Response(answer.body, answer.status, direct_passthrough=True)
        response.headers.clear()
        response.headers.extend(list(answer.headers))
        return response

    def read(self, path: str) -> tuple[int, bytes, str]:
        plain = {k: v for k, v in request.headers.items() if k.lower() != "accept-encoding"}
        answer = self.source.forward(self.ask, self._forward(path, plain))
        kind = next((v for k, v in answer.headers if k.lower() == "content-type"), "application/json")
        return answer.status, b"".join(answer.body), kind

    def _forward(self, path: str, headers: Mapping[str, str]) -> Forward:
        return Forward(request.method, path, request.query_string, request.get_data(cache=True), headers)


def create_app(
    config: Config,
    evidence: Evidence,
    incidents: Incidents | None = None,
    measure: Measure | None = None,
    querying: Querying | None = None,
) -> Flask:
    """Return the WSGI application for a configuration. incidents: those that the background looks after too."""
    incidents = incidents or incidents_of(config, evidence.database, evidence.clock)
    measure = measure or Measure()
    querying = querying or querying_of(config, evidence.database, measure)
    source, engine = querying.source, querying.engine
    measure.watch_findings(evidence.open_findings)
    seconds = config.limits.query_timeout / 1000
    forwarded = config.prometheus.forward_headers

    def passage(within: float) -> _Passage:
        mine = tuple((name, request.headers[name]) for name in forwarded if name in request.headers)
        ask = Ask(time.monotonic() + within, mine)
        return _Passage(source, querying.fetch(ask), ask)

    gateway = Gateway(
        passage=passage,
        answer=engine.answer,
        catalog=Catalog(engine.signals, engine.states, engine.dependencies),
        clock=wall_clock,
        query_timeout=seconds,
        version=version("driftband"),
        on_error=measure.error,
    )
    service = Service(
        gateway=gateway,
        evidence=evidence,
        overview=StoredOverview(evidence.database),
        lookup=StoredLookup(evidence.database),
        signed=signed_by_hcp(config),
        incidents=incidents,
        inbox=inbox_of(config, evidence.database, evidence.clock),
        pagerduty=pagerduty_inbox(config, incidents),
        gate=Gate(incidents=incidents),
        moved=incidents.moved.set,
        access=_access(config),
        pictures=pictures_of(config, evidence.database),
        measure=measure,
        readiness=lambda: _readiness(source, evidence.database),
        max_body=config.limits.body,
        external_url=config.external_url,
        example=EXAMPLE if config.prometheus.is_http else SAMPLE_EXAMPLE,
    )
    return create(service)


def _access(config: Config) -> Access:
    access = config.access
    tokens = Tokens(
        *(
            [token.get_secret_value() for token in kind]
            for kind in (access.read_tokens, access.write_tokens, access.approve_tokens)
        )
    )
    proxy = None
    if (trusted := access.proxy) is not None:
        networks = tuple(ip_network(address) for address in trusted.addresses)
        proxy = Proxy(trusted.header, networks, writes=trusted.allow == "write")
    return Access(tokens, proxy, config.external_url, config.host)


def _readiness(source: Source, database: Database) -> Readiness:
    try:
        database.check()
        store = "ok"
    except StoreError as error:
        store = str(error)
    try:
        source.instant(Ask(time.monotonic() + 2), "1+1", wall_clock())
        state = "ok"
    except QueryError as error:
        state = str(error)
    return Readiness(ready=store == "ok", states={"listener": "ok", "store": store, "source": state})


def serve(config: Config) -> None:
    """Serve until stopped. SIGTERM and SIGINT let requests under way end first. Raises ListenError."""
    listenable(config)
    logs.configure(config.secrets())
    _run(config, open_evidence(config))


def _run(config: Config, evidence: Evidence, ready: Callable[[], bool] = always, *, scraped: bool = False) -> None:
    # Made before any worker is, so that what is wrong ends the command and not one worker after another.
    measure = Measure()
    own = app_demo.own_samples(config, measure) if scraped else None
    incidents = replace(incidents_of(config, evidence.database, evidence.clock), ready=ready)
    source = open_source(config, measure, max_series=WATCHED_SERIES, threads=WATCHER_THREADS)
    querying = querying_of(config, evidence.database, measure, own)
    watching = watcher(config, evidence.database, source, measure, querying.cache)
    app = create_app(config, evidence, incidents, measure, querying)
    ahead = _ahead(config, querying) if config.prometheus.is_http else None
    cast("Any", Server(config, app, evidence, incidents, watching, own, ahead)).run()


def _ahead(config: Config, querying: Querying) -> Ahead:
    seconds, cache = config.limits.query_timeout / 1000, querying.cache
    return Ahead(
        signals=querying.engine.signals,
        engine=querying.engine,
        fetch=lambda: querying.fetch(Ask(time.monotonic() + seconds)),
        room=lambda: cache.size < HISTORY_MEMORY // 2,
    )


def demo(environ: Mapping[str, str]) -> None:
    """Serve the sample world, with a ready configuration that the environment may override. Raises ListenError."""
    folder = tempfile.TemporaryDirectory(prefix="driftband-demo-")
    now = wall_clock()
    config = app_demo.ready(Path(folder.name) / "driftband.db", environ, now)
    listenable(config)
    evidence = open_evidence(config)
    app_demo.tell(config, evidence, now)
    sys.stdout.write(app_demo.banner(config.external_url.rstrip("/"), SAMPLE_EXAMPLE))
    sys.stdout.flush()
    logs.configure(config.secrets())  # not before: how the store was made is nothing to begin with
    _run(config, evidence, app_demo.caught_up(config, evidence.database, now), scraped=True)


__all__ = ["create_app", "demo", "serve"]
