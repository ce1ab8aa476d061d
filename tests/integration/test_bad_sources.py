"""Sources that misbehave, and what driftband says of them: the truth, in time, and no secret."""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from .driftband_server import DriftbandServer
from .program import free_port

pytestmark = pytest.mark.slow  # a server each

USER, PASSWORD, HEADER = "canary-user-4711", "canary-password-4712", "canary-header-4713"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = (USER, PASSWORD, HEADER, BASIC)
HTML = b"<!doctype html><title>Welcome</title><p>Nothing but a page.</p>"
ENOUGH = 20.0
"""Seconds in which an answer that has one second must have come: far more, and far less than what hangs."""

Behaviour = Callable[["_Request"], None]


class _Request(BaseHTTPRequestHandler):
    """One request to a source that does as its server's ``behaviour`` says."""

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _handle(self, body: bytes) -> None:
        self.arguments = parse_qs(self.path.partition("?")[2]) | parse_qs(body.decode())
        server: Any = self.server
        server.source.seen.append((self.path.partition("?")[0], dict(self.headers.items())))
        try:
            server.source.behaviour(self)
        except OSError:  # driftband hung up, as it should
            self.close_connection = True

    def answer(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Source:
    """A source, and what it was asked."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()


@contextmanager
def _running(behaviour: Behaviour) -> Iterator[tuple[str, _Source]]:
    source = _Source(behaviour)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Request)
    server.daemon_threads = True
    server.source = source  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", source
    finally:
        source.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _driftband(folder: Path, address: str, **more: Any) -> Iterator[DriftbandServer]:
    """Start driftband with canary secrets, and look for them in its log and metrics when the test is done."""
    about = {"url": f"http://{USER}:{PASSWORD}@{address}", "headers": {"X-Scope": HEADER}, **more.pop("prometheus", {})}
    limits = {"query_timeout": "1s", **more.pop("limits", {})}
    with DriftbandServer(folder, prometheus=about, limits=limits, **more) as server:
        yield server
        told = server.log.read_text() + server.get("/metrics").text + server.get("/readyz").text + server.get("/").text
        assert "driftband" in told
        _no_secret(told)


def _no_secret(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def _error(answer: requests.Response, *statuses: int) -> str:
    """Check Prometheus's form of an error, and return its words."""
    assert answer.status_code in statuses, answer.text
    body = answer.json()
    assert body["status"] == "error"
    assert body["errorType"]
    assert "data" not in body
    _no_secret(answer.text + str(answer.headers))
    return str(body["error"])


def _ask(driftband: DriftbandServer, query: str = "forecast(up)") -> requests.Response:
    started = time.monotonic()
    answer = driftband.get("/api/v1/query", query=query)
    assert time.monotonic() - started < ENOUGH
    return answer


def _failing(status: int, kind: str, words: str) -> Behaviour:
    body = json.dumps({"status": "error", "errorType": kind, "error": words}).encode()
    return lambda request: request.answer(status, body)


def _result(request: _Request, series: int = 1) -> bytes:
    """Return ``series`` series over the range that was asked for, or at the one instant."""
    labels = [{"__name__": "up", "n": str(n)} for n in range(series)]
    if "start" in request.arguments:
        start, end, step = (float(request.arguments[name][0]) for name in ("start", "end", "step"))
        times = [start + step * k for k in range(int((end - start) // step) + 1)]
        rows: list[dict[str, Any]] = [{"metric": m, "values": [[t, "1"] for t in times]} for m in labels]
        return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}}).encode()
    rows = [{"metric": m, "value": [time.time(), "1"]} for m in labels]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": rows}}).encode()


def test_a_source_that_is_down(tmp_path: Path) -> None:
    with _driftband(tmp_path, f"127.0.0.1:{free_port()}") as driftband:
        for query in ("forecast(up)", "up"):
            assert "cannot be reached" in _error(_ask(driftband, query), 503)
        assert driftband.get("/healthz").status_code == 200
        assert "cannot be reached" in driftband.get("/readyz").json()["source"]


def test_a_source_that_sleeps(tmp_path: Path) -> None:
    def sleep(request: _Request) -> None:
        request.server.source.released.wait(60)  # type: ignore[attr-defined]

    with _running(sleep) as (address, _), _driftband(tmp_path, address) as driftband:
        for query in ("forecast(up)", "up"):
            assert "in time" in _error(_ask(driftband, query), 503)


@pytest.mark.parametrize("part", ["body", "chunks", "headers"])
def test_a_source_that_drips(tmp_path: Path, part: str) -> None:
    def drip(request: _Request) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        if part == "body":
            request.send_header("Content-Length", "1000000")
        if part == "chunks":
            request.send_header("Transfer-Encoding", "chunked")
        request.flush_headers() if part == "headers" else request.end_headers()
        piece = {"body": b" ", "chunks": b"1\r\n \r\n", "headers": b"X-More: x\r\n"}[part]
        for _ in range(80):
            if request.server.source.released.wait(0.5):  # type: ignore[attr-defined]
                break
            request.wfile.write(piece)
        request.close_connection = True

    with _running(drip) as (address, source), _driftband(tmp_path, address) as driftband:
        assert "in time" in _error(_ask(driftband), 503)
        source.released.set()


def test_a_source_that_is_a_page(tmp_path: Path) -> None:
    with (
        _running(lambda request: request.answer(200, HTML, "text/html")) as (address, _),
        _driftband(tmp_path, address) as driftband,
    ):
        assert "prometheus.url" in _error(_ask(driftband), 503)
        passed = _ask(driftband, "up")
        assert (passed.status_code, passed.content, passed.headers["Content-Type"]) == (200, HTML, "text/html")


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"val',
        b"",
        b"[]",
        b'{"status":"success"}',
        b'{"status":"success","data":{"resultType":"matrix","result":null}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"x"]]}]}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[7]}}',
        b"\xff\xfe\x00",
    ],
)
@pytest.mark.parametrize("query", ["forecast(up)", "forecast(up) + on () up"])
def test_a_source_that_answers_half_or_nonsense(tmp_path: Path, body: bytes, query: str) -> None:
    with (
        _running(lambda request: request.answer(200, body)) as (address, _),
        _driftband(tmp_path, address) as driftband,
    ):
        assert "prometheus.url" in _error(_ask(driftband, query), 503)
        assert _ask(driftband, "up").content == body


@pytest.mark.parametrize(
    ("status", "kind", "given", "expected", "words"),
    [
        (401, "unauthorized", "who are you", 503, "credentials"),
        (403, "forbidden", "no", 503, "credentials"),
        (500, "internal", "block is broken", 503, "block is broken"),
        (422, "execution", "too many samples", 422, "too many samples"),
        (400, "bad_data", "1:1: parse error", 400, "1:1: parse error"),
        (503, "unavailable", "starting up", 503, "starting up"),
    ],
)
def test_a_source_that_refuses(tmp_path: Path, status: int, kind: str, given: str, expected: int, words: str) -> None:
    with _running(_failing(status, kind, given)) as (address, _), _driftband(tmp_path, address) as driftband:
        assert words in _error(_ask(driftband), expected)
        passed = _ask(driftband, "up")
        assert passed.status_code == status
        assert passed.json()["error"] == given


def test_ours_are_asked_again_after_a_503_and_what_passes_through_is_not(tmp_path: Path) -> None:
    failed: Counter[str] = Counter()

    def once_busy(request: _Request) -> None:
        key = request.path.partition("?")[0] + str(request.arguments["query"])
        failed[key] += 1
        if failed[key] == 1:
            request.answer(503, b"busy")
        else:
            request.answer(200, _result(request))

    limits = {"query_timeout": "30s"}
    with _running(once_busy) as (address, _), _driftband(tmp_path, address, limits=limits) as driftband:
        answer = _ask(driftband)
        assert answer.status_code == 200, answer.text
        assert answer.json()["data"]["result"]
        passed = _ask(driftband, "passing")
        assert (passed.status_code, passed.content) == (503, b"busy")


def test_a_redirect_is_never_followed(tmp_path: Path) -> None:
    with _running(lambda request: request.answer(200, _result(request))) as (elsewhere, other):
        target = f"http://{elsewhere}/api/v1/query"

        def lead_away(request: _Request) -> None:
            request.answer(307, b"", Location=target)

        with _running(lead_away) as (address, source), _driftband(tmp_path, address) as driftband:
            assert "307" in _error(_ask(driftband), 503)
            passed = requests.get(f"{driftband.url}/api/v1/query?query=up", allow_redirects=False, timeout=30)
            assert passed.status_code == 307
            assert source.seen
        assert other.seen == []


def test_more_series_than_allowed(tmp_path: Path) -> None:
    limits = {"series": 3, "query_timeout": "30s"}
    with (
        _running(lambda request: request.answer(200, _result(request, series=31))) as (address, _),
        _driftband(tmp_path, address, limits=limits) as driftband,
    ):
        words = _error(_ask(driftband), 422)
        assert "limits.series" in words
        assert "aggregate" in words


@pytest.mark.parametrize("forwarded", [[], ["Cookie", "X-Tenant"]])
def test_what_reaches_the_source_of_the_client(tmp_path: Path, forwarded: list[str]) -> None:
    given = {"Authorization": "Bearer of-the-client", "Cookie": "of=the-client", "X-Tenant": "of-the-client"}
    with (
        _running(lambda request: request.answer(200, _result(request))) as (address, source),
        _driftband(
            tmp_path, address, prometheus={"forward_headers": forwarded}, limits={"query_timeout": "30s"}
        ) as driftband,
    ):
        for query in ("forecast(up)", "up"):
            source.seen.clear()
            url = f"{driftband.url}/api/v1/query"
            assert requests.get(url, params={"query": query}, headers=given, timeout=30).status_code == 200
            assert source.seen
            for _, headers in source.seen:
                assert headers["Authorization"] == f"Basic {BASIC}"
                assert headers["X-Scope"] == HEADER
                for name in ("Cookie", "X-Tenant"):
                    assert headers.get(name) == (given[name] if name in forwarded else None)


def test_authorization_reaches_the_source_where_it_is_named(tmp_path: Path) -> None:
    with _running(lambda request: request.answer(200, _result(request))) as (address, source):
        about = {"url": f"http://{address}", "forward_headers": ["Authorization"]}
        with DriftbandServer(tmp_path, prometheus=about) as driftband:
            for query in ("forecast(up)", "up"):
                source.seen.clear()
                for user in ("first", "second"):
                    headers = {"Authorization": f"Bearer {user}"}
                    url = f"{driftband.url}/api/v1/query"
                    assert requests.get(url, params={"query": query}, headers=headers, timeout=30).status_code == 200
                # Nobody is answered from what was fetched with the credentials of another.
                assert {headers["Authorization"] for _, headers in source.seen} == {"Bearer first", "Bearer second"}
            assert "Bearer first" not in driftband.log.read_text()
