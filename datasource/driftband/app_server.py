"""The web server, and what runs beside it in its worker."""

import contextlib
import gc
import socket
import time
from datetime import timedelta
from typing import Any

import orjson
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger as GunicornLogger
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from driftband import logs
from driftband.app_ahead import Ahead, reading_ahead
from driftband.app_alerts import forgetting_alerts, taker_of, taking
from driftband.app_annotations import annotating
from driftband.app_evidence import Background, Chore, Evidence, tidying
from driftband.app_incidents import Incidents, forgetting, looking, telling_late
from driftband.app_pictures import pictures_of
from driftband.app_respond import delivering
from driftband.app_scans import Scans
from driftband.app_source import wall_clock
from driftband.app_watch import Watcher
from driftband.config import Config
from driftband.model.moment import to_ms
from driftband.sources.own import OwnSamples
from driftband.store.outbox import StoredOutbox

THREADS = 32
STOP_WITHIN = 20
GARBAGE_EVERY = 20_000
SCRAPE = 15
"""Seconds between two samples of the demo's own metrics."""
LONGEST_LINE = 8190
"""Of a request: the most that gunicorn takes."""
LINGER = 1.0
"""Seconds that a client has for an answer that it may not be waiting for yet."""


class _Logger(GunicornLogger):
    """Gunicorn's lines go where ours go."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.through_root("gunicorn.error", "gunicorn.access")


class _Worker(ThreadWorker):
    """Says what is wrong with a request that is none yet as Prometheus does: there are most long ones, queries by GET."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        told = next((told for kind, told in _TOLD.items() if isinstance(exc, kind)), None)
        if told is None:
            super().handle_error(req, client, addr, exc)
            return
        status, reason, text = told
        self.log.warning("refused what is no request: %s", type(exc).__name__)  # its words may hold a token
        body = orjson.dumps({"status": "error", "errorType": "bad_data", "error": text})
        head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with contextlib.suppress(OSError):
            client.settimeout(LINGER)
            client.sendall(head.encode() + body)
            _let_end(client)


_TOLD = {
    LimitRequestLine: (
        414, "URI Too Long", f"the request line is longer than {LONGEST_LINE} bytes: send the query by POST (in Grafana: HTTP method POST)"
    ),
    LimitRequestHeaders: (431, "Request Header Fields Too Large", "the headers are too long, or too many"),
    ParseException: (400, "Bad Request", "this is not HTTP as driftband understands it"),
}  # fmt: skip


def _let_end(client: socket.socket) -> None:
    """Read what is still coming for a moment: a connection that is closed on unread bytes is reset, the answer with it."""
    client.shutdown(socket.SHUT_WR)
    until = time.monotonic() + LINGER
    while time.monotonic() < until and client.recv(65_536):
        pass


class ListenError(Exception):
    """It cannot listen where it should; the text says why, and what to set."""


def listenable(config: Config) -> None:
    """Raise ListenError where nothing can listen on ``config.listen``: gunicorn would say so in a line of its log."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((config.host, config.port))
    except OSError as error:
        raise ListenError(
            f"cannot listen on {config.listen}: {error.strerror}; set another address in `listen` or DRIFTBAND_LISTEN"
        ) from None


class Server(BaseApplication):
    """Gunicorn with threads in one process, so that all of them share the caches."""

    def __init__(
        self,
        config: Config,
        app: Flask,
        evidence: Evidence,
        incidents: Incidents,
        watching: Watcher | None,
        own: OwnSamples | None,
        ahead: Ahead | None,
    ) -> None:
        self._driftband, self._own, self._ahead = config, own, ahead
        self._app, self._evidence, self._incidents, self._watching = app, evidence, incidents, watching
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn our settings."""
        host = f"[{self._driftband.host}]" if ":" in self._driftband.host else self._driftband.host
        settings: dict[str, Any] = {
            "bind": f"{host}:{self._driftband.port}",
            "workers": 1,
            "worker_class": _Worker,
            "threads": THREADS,
            "timeout": 0,
            "graceful_timeout": STOP_WITHIN,
            "keepalive": 75,
            "limit_request_line": LONGEST_LINE,
            "proc_name": "driftband",
            "logger_class": _Logger,
            "control_socket_disable": True,
            "worker_exit": self._stop,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _stop(self, _server: object, _worker: object) -> None:
        if self._watching is not None:
            self._watching.stop()

    def load(self) -> Flask:
        """Start what runs beside the requests, in the worker, and return the application."""
        # This is the worker, a fork: connections that its parent opened are not its own.
        self._evidence.database.engine.dispose(close=False)
        # A source's answer is a million small lists: to look through all of them again and again took longer than to
        # read it.
        gc.freeze()
        gc.set_threshold(GARBAGE_EVERY, 10, 10)
        scans = Scans({w.name: w for w in self._driftband.workspaces}, self._evidence)
        chores = [tidying(self._driftband, self._evidence), Chore("scans", None, scans.look)]
        if self._driftband.grafana is not None:
            chores.append(annotating(self._driftband.grafana, self._evidence.database))
        database = self._evidence.database
        chores += [forgetting(self._driftband, database), forgetting_alerts(database)]
        if self._own is not None:
            chores.append(_scraping(self._own))
        Background(database, chores).start()
        # In a thread of their own: an alert must not wait for Grafana to take an annotation.
        swift = [taking(taker_of(self._driftband, database)), looking(self._incidents), telling_late(self._incidents)]
        Background(database, swift, self._incidents.moved).start()
        # And another: a destination may take half a minute to fail.
        outbox = StoredOutbox(database)
        pictures = pictures_of(self._driftband, database)
        if owed := delivering(self._driftband, outbox, outbox, self._evidence.clock, pictures):
            Background(database, owed).start()
        if self._ahead is not None:
            Background(database, [reading_ahead(self._ahead)]).start()
        if self._watching is not None:
            self._watching.start()
        return self._app


def _scraping(own: OwnSamples) -> Chore:
    own.take(wall_clock())
    return Chore("own metrics", timedelta(seconds=SCRAPE), lambda now: own.take(to_ms(now)))
