"""The connection to a driftband server: asked until it answers, within a time; never showing the token."""

import io
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from urllib3.exceptions import HTTPError

from driftband.client.call import Call

WITHIN = 30.0
_CONNECT = 5.0
_LARGEST_ANSWER = 64 << 20
_LONGEST_TEXT = 600
_BUSY = frozenset({408, 425, 429, 502, 503, 504})


class UnreachedError(Exception):
    """The server could not be reached, or could not take the call now; later it may. Its text is for a person."""


class RefusedError(Exception):
    """The server refused the call. input_is_bad: sending the same again will never work."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    @property
    def input_is_bad(self) -> bool:
        """Whether it is what was sent that is wrong, and not the address or the token."""
        return self.status in {400, 409, 413, 415, 422}


class _Bearer(requests.auth.AuthBase):
    """With an authentication of its own, requests leaves the user's netrc alone."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(kw_only=True)
class Server:
    """A driftband server. url: as ``http_url`` of the configuration gives it. within: seconds for one call, retries and all.

    Proxies and certificate authorities come from the environment, as everywhere in CI; redirects are not followed, since
    a token must not travel to another address.
    """

    url: str
    token: str = field(default="", repr=False)
    within: float = WITHIN
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        """Refuse a token that no header can carry."""
        if not re.fullmatch(r"[!-~]*", self.token):
            raise ValueError("DRIFTBAND_TOKEN must be printable ASCII without blanks")
        self._session = requests.Session()
        self._session.auth = _Bearer(self.token)

    def send(self, call: Call) -> Any:
        """Return the answer's JSON; UnreachedError after the last try, RefusedError at once."""
        deadline = self.clock() + self.within
        for pause in _pauses(self.jitter):
            try:
                return self._once(call, deadline)
            except _LaterError as later:
                wait = pause if later.wait is None else later.wait + 0.1 * self.jitter()
                if self.clock() + wait >= deadline:
                    raise UnreachedError(later.text) from None
            self.sleep(wait)
        raise AssertionError("there is always another pause")

    def _once(self, call: Call, deadline: float) -> Any:
        try:
            response = self._session.request(
                call.method,
                f"{self.url}{call.path}",
                params=dict(call.query),
                data=_Upload(call.body, deadline, self.clock) if call.method == "POST" else None,
                headers={"Content-Type": "application/json", "Accept": "application/json, application/problem+json"},
                timeout=(min(_CONNECT, self._left(deadline)), self._left(deadline)),
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = self._read(response, deadline)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _LaterError(_trouble(error), None) from None
        return self._judge(response, body)

    def _left(self, deadline: float) -> float:
        return max(deadline - self.clock(), 0.01)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        body = bytearray()
        while chunk := response.raw.read1(1 << 18, decode_content=True):
            body += chunk
            if len(body) > _LARGEST_ANSWER or self.clock() > deadline:
                raise requests.ReadTimeout
        return bytes(body)

    def _judge(self, response: requests.Response, body: bytes) -> Any:
        status = response.status_code
        answer = _json(body)
        if status in {200, 201}:
            if isinstance(answer, dict):
                return answer
            raise UnreachedError("what answers at DRIFTBAND_URL is not driftband: its answer is not JSON")
        if status in _BUSY:
            raise _LaterError(f"the server is not ready ({status}){self._said(answer)}", _retry_after(response))
        if status >= requests.codes.internal_server_error:
            raise UnreachedError(f"the server failed ({status}){self._said(answer)}")
        if status in {401, 403}:
            raise RefusedError(
                status, f"the server refuses the token in DRIFTBAND_TOKEN ({status}){self._said(answer)}"
            )
        if 300 <= status < 400:  # noqa: PLR2004 - the redirects
            target = _address(response.headers.get("Location", ""))
            raise RefusedError(status, f"the server redirects{target} ({status}); set DRIFTBAND_URL to where it is")
        raise RefusedError(status, f"the server refuses this ({status}){self._said(answer)}")

    def _said(self, answer: Any) -> str:
        parts = [answer.get("title"), answer.get("detail")] if isinstance(answer, dict) else []
        text = ": ".join(part for part in parts if isinstance(part, str) and part)
        if self.token:
            text = text.replace(self.token, "<secret>")
        shown = "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_TEXT]
        return f": {shown}" if shown else ""


class _LaterError(Exception):
    """It may work a little later. wait: seconds, where the server says how many."""

    def __init__(self, text: str, wait: float | None) -> None:
        super().__init__(text)
        self.text = text
        self.wait = wait


class _Upload(io.BytesIO):
    """A body that is read in pieces, so that a slow line is told from a dead one, and that stops at the deadline."""

    def __init__(self, body: bytes, deadline: float, clock: Callable[[], float]) -> None:
        super().__init__(body)
        self._deadline = deadline
        self._clock = clock

    def read(self, size: int | None = -1, /) -> bytes:
        if self._clock() > self._deadline:
            raise requests.ConnectTimeout
        return super().read(size)


def _pauses(jitter: Callable[[], float]) -> Iterator[float]:
    pause = 0.5
    while True:
        yield pause * (0.5 + jitter())
        pause = min(pause * 2, 8.0)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(response.headers["Date"])
        return max((until - now).total_seconds(), 0.0)
    except (KeyError, TypeError, ValueError):
        return None


def _address(location: str) -> str:
    try:
        parts = urlsplit(location)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        return ""
    known = parts.scheme in {"http", "https"} and host and host.isprintable()
    return f" to {parts.scheme}://{host}" if known else ""


def _trouble(error: Exception) -> str:
    """Say what is wrong without the error's own text, which may hold a proxy's password."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy of the environment (HTTPS_PROXY, HTTP_PROXY) cannot be reached or refuses"
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection to the server: its certificate is not trusted (REQUESTS_CA_BUNDLE names another authority)"
    if isinstance(error, requests.Timeout | TimeoutError):
        return "the server did not answer in time"
    return "the server at DRIFTBAND_URL cannot be reached"
