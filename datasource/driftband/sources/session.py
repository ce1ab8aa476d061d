"""An HTTP session to the source that cannot hang, cannot be led elsewhere, and tells how long it took."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry
from urllib3.util.wait import wait_for_read

from driftband.query.errors import QueryError

CONNECT_TIMEOUT = 5.0
_HEADER = 64 * 1024
_CLOSE = 0.05
"""Seconds by which the timers of one deadline may differ."""
MAX_ANSWER = 256 * 2**20
"""Bytes of one answer that is read here; what passes through is not read, and not bounded."""

Observe = Callable[[str, float, str], None]
"""Told of each request to the source: endpoint, seconds, and outcome (a status, or the error's name)."""


@dataclass(frozen=True)
class Connection:
    """How to reach the source. cert: a client certificate and its key. verify: a CA file, or whether to verify at all."""

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    verify: str | bool = True
    cert: tuple[str, str] | None = None


class _Watched(HTTPConnection):
    """A connection whose answer begins in time: a timeout alone starts anew with each byte of a header."""

    def getresponse(self) -> Any:
        """Read status and headers, and cut the connection where that takes longer than its timeout."""
        if _header_has_come(self):
            # The usual case, and a thread for each request would be most of what passing it on costs.
            return super().getresponse()
        watch = threading.Timer(float(self.timeout or CONNECT_TIMEOUT), _cut, (self,))
        watch.start()
        try:
            return super().getresponse()
        finally:
            watch.cancel()


class _WatchedTls(_Watched, HTTPSConnection):
    """The same over TLS."""


def _header_has_come(connection: HTTPConnection) -> bool:
    """Wait for the first bytes, and tell whether the whole header is among them; TLS does not tell.

    Raises:
        TimeoutError: where none come in time.
    """
    sock = connection.sock
    if sock is None or isinstance(sock, ssl.SSLSocket):
        return False
    if not wait_for_read(sock, float(connection.timeout or CONNECT_TIMEOUT)):
        raise TimeoutError("timed out")
    return b"\r\n\r\n" in sock.recv(_HEADER, socket.MSG_PEEK)


def _cut(connection: HTTPConnection) -> None:
    with contextlib.suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class SourceSession(requests.Session):
    """A session that reads answers within a deadline, set for the thread by ``within``.

    It follows no redirects and takes nothing from the environment (proxies, netrc): it talks to the configured source alone.
    """

    def __init__(self, connection: Connection, pool: int, observe: Observe) -> None:
        super().__init__()
        self.trust_env = False
        if connection.url.startswith("http:"):
            # Plain HTTP stays within a network, where packing two megabytes takes longer than sending them.
            self.headers["Accept-Encoding"] = "identity"
        self.headers.update(connection.headers)
        self.auth = connection.auth
        self.verify = connection.verify
        self.cert = connection.cert
        self._observe = observe
        self._now = threading.local()
        retry = Retry(
            total=2, connect=2, read=0, status=2, redirect=0, backoff_factor=0.1,
            status_forcelist=(429, 502, 503, 504), allowed_methods=None, raise_on_status=False, respect_retry_after_header=False,
        )  # fmt: skip
        self._plain = _Adapter(pool_maxsize=pool, max_retries=Retry(total=0, redirect=0))
        self.retrying = _Adapter(pool_maxsize=pool, max_retries=retry)

    def within(self, deadline: float, headers: dict[str, str]) -> None:
        """Set the deadline (monotonic clock) and the client's own headers for what this thread asks next."""
        self._now.deadline = deadline
        self._now.headers = headers

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send, and unless streaming read the whole answer before the deadline."""
        stream = bool(kwargs.get("stream"))
        left = max(self._now.deadline - time.monotonic(), 0.001)
        kwargs.update(timeout=(min(CONNECT_TIMEOUT, left), left), allow_redirects=False, stream=True)
        request.headers.update(self._now.headers)
        endpoint = str(request.path_url).partition("?")[0].rpartition("/api/v1/")[2]
        started = time.monotonic()
        outcome = "error"
        try:
            response = super().send(request, **kwargs)
            outcome = str(response.status_code)
            if not stream:
                self._read(response)
                if response.status_code != requests.codes.ok:
                    raise _refusal(response)
            self._in_time()
        except requests.RequestException as error:
            outcome = type(error).__name__
            # Cut off at the deadline, a connection looks broken; what it was is late.
            self._in_time()
            raise
        finally:
            self._observe(endpoint, time.monotonic() - started, outcome)
        return response

    def _in_time(self) -> None:
        if time.monotonic() >= self._now.deadline - _CLOSE:
            raise requests.ReadTimeout("the answer did not come in time")

    def _read(self, response: requests.Response) -> None:
        content = bytearray()
        # read1 gives what has come: a source that drips must not keep anybody past the deadline.
        while chunk := self._chunk(response):
            content += chunk
            if time.monotonic() > self._now.deadline:
                response.close()
                raise requests.ReadTimeout("the answer did not end in time")
            if len(content) > MAX_ANSWER:
                response.close()
                raise requests.exceptions.ContentDecodingError(f"the answer is larger than {MAX_ANSWER >> 20} MiB")
        response._content = bytes(content)  # noqa: SLF001 - as requests itself does when it reads an answer
        vars(response)["json"] = lambda **_: orjson.loads(response.content)

    @staticmethod
    def _chunk(response: requests.Response) -> bytes:
        try:
            return bytes(response.raw.read1(256 * 1024, decode_content=True))
        except TimeoutError as error:
            raise requests.ReadTimeout(str(error)) from error
        except HTTPError as error:
            raise requests.exceptions.ChunkedEncodingError(str(error)) from error

    def get_adapter(self, url: str) -> HTTPAdapter:  # noqa: ARG002 - requests calls it
        """Return the adapter: requests that pass through are not tried again here, since the client does that."""
        return self.retrying if getattr(self._now, "retry", True) else self._plain

    def once(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Send a request without trying again."""
        self._now.retry = False
        try:
            return self.request(method, url, **kwargs)
        finally:
            self._now.retry = True


def unavailable(error: requests.RequestException) -> QueryError:
    """Say what is wrong with the source, without its address, which may hold credentials."""
    if isinstance(error, requests.Timeout):
        return QueryError(
            "timeout", "the source did not answer in time; is it overloaded, or limits.query_timeout too short?"
        )
    if isinstance(error, requests.exceptions.SSLError):
        return QueryError(
            "unavailable", "no secure connection to the source; see prometheus.tls, or run driftband doctor"
        )
    if isinstance(error, requests.ConnectionError):
        return QueryError("unavailable", "the source cannot be reached; is it running? driftband doctor tells more")
    return QueryError("unavailable", f"the source broke off its answer ({type(error).__name__})")


def _refusal(response: requests.Response) -> QueryError:
    status = response.status_code
    try:
        reason = orjson.loads(response.content)["error"]
    except (ValueError, KeyError, TypeError):
        reason = None
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        return QueryError(
            "unavailable", f"the source refused driftband's credentials ({status}); see prometheus in the configuration"
        )
    if not isinstance(reason, str):
        return QueryError(
            "unavailable", f"the source answered {status}, and not as a Prometheus does; is prometheus.url right?"
        )
    if status == requests.codes.bad_request:
        return QueryError("bad_data", reason)
    if status == requests.codes.unprocessable_entity:
        return QueryError("execution", reason)
    return QueryError("unavailable", f"the source answered {status}: {reason}")
