"""One POST to one configured address.

It goes there and nowhere else: no redirect is followed, no proxy of the environment is asked, no credentials of the user's
files are added. Nothing is tried again, since the outbox does that. It ends in time, however slowly an answer drips.
"""

import base64
import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import certifi

from driftband.respond.outcome import Answer, Failed

CONNECT_WITHIN = 5.0
WITHIN = 15.0
"""Seconds, from the first byte sent to the last byte read."""
_CLOSE = 0.05
"""Seconds by which the timers of one deadline may differ."""
_READ = 64 * 1024
"""Bytes of an answer that are looked at."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to send. Its parts may be tokens: it is shown without them. url: http(s), with user:password where needed."""

    url: str = field(repr=False)

    def secrets(self) -> frozenset[str]:
        """Return what must not be told of it: user, password, path and query."""
        parts = urlsplit(self.url)
        whole = {self.url, parts.username, parts.password, parts.path.rstrip("/"), parts.query}
        return frozenset(text for text in whole if text and len(text) > 2)  # noqa: PLR2004 - /x hides nothing


def post(
    address: Address, path: str, body: bytes, headers: Mapping[str, str], within: float = WITHIN
) -> Answer | Failed:
    """Send ``body`` to the address, ``path`` put behind its own."""
    parts = urlsplit(address.url)
    ends = time.monotonic() + within
    connection = _connection(parts.scheme, parts.hostname or "", parts.port, min(CONNECT_WITHIN, within))
    target = (parts.path.rstrip("/") + path if path else parts.path) or "/"
    target += f"?{parts.query}" if parts.query else ""
    try:
        connection.connect()
        # The socket's own timeout starts anew with each byte; this one does not.
        watch = threading.Timer(max(ends - time.monotonic(), 0.01), _cut, (connection,))
        watch.daemon = True
        watch.start()
        try:
            connection.sock.settimeout(within)
            connection.request("POST", target, body, {**_credentials(parts.username, parts.password), **headers})
            answer = connection.getresponse()
            content = answer.read(_READ)
            if time.monotonic() >= ends - _CLOSE:
                raise TimeoutError  # cut off, a header that goes on looks like one that has ended
            return Answer(
                status=answer.status, headers={name.lower(): value for name, value in answer.getheaders()}, body=content
            )
        finally:
            watch.cancel()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Failed(error=_trouble(error, late=time.monotonic() >= ends - _CLOSE), unreached=True)
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=_trust())
    return http.client.HTTPConnection(host, port, timeout=timeout)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Trust what the system trusts (SSL_CERT_FILE adds to it), and the usual authorities where it trusts nobody."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _credentials(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    pair = f"{unquote(username)}:{unquote(password or '')}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _cut(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _trouble(error: Exception, *, late: bool) -> str:
    """Say what is wrong in words of our own: those of the error may hold the address."""
    if isinstance(error, ssl.SSLError):
        return "no secure connection: its certificate is not trusted, or it does not speak TLS"
    if late or isinstance(error, TimeoutError):
        return "did not answer in time; it may have the message all the same"
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "refuses the connection; is it running?"
    if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.RemoteDisconnected):
        return "answered something that is not HTTP"
    return "broke the connection off; it may have the message all the same"
