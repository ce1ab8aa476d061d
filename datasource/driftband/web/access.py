"""Who may do what: tokens, compared in constant time; sessions that prove knowledge of one; a proxy that is believed."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from flask import Request

from driftband.web.proxy import Proxy
from driftband.web.sessions import Forms, Sessions

READING, WRITING = "driftband_session", "driftband_write_session"
"""The cookies of who has given a read token, and a write token too."""
PROOF = "proof"
"""The field in which a form carries its proof."""
Refusal = Literal["missing", "wrong", "kind", "foreign", "host"]
_LOCAL = re.compile(r"localhost|127(\.\d+){3}|\[::1\]|host\.(docker|containers)\.internal")
"""Names that no page can have: of loopback, and what a container calls its host."""


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page. name: as the proxy says. session: what forms are made for. writes: whether forms are taken."""

    name: str
    session: str
    writes: bool


class Access:
    """Decides by tokens, by what kind they are of; without any read token, reading is open to whoever can connect.

    external_url: our own pages come from its origin where a proxy stands before us. listen: the host listened on. Where no
    token is asked for, no other names than these and loopback's are answered to: a page may have had its own name lead here
    since it was loaded, and would read with its visitor's browser.
    """

    def __init__(self, tokens: "Tokens", proxy: Proxy | None = None, external_url: str = "", listen: str = "") -> None:
        self._tokens, self._proxy = tokens, proxy
        self._origin = urlsplit(external_url)
        self._hosts = {listen.lower(), self._origin.hostname} - {"", None}
        self._reading, self._writing = Sessions(tokens.read, "read"), Sessions(tokens.write, "write")
        self._forms = Forms(tokens.write)

    @property
    def guarded(self) -> bool:
        """Whether tokens are wanted."""
        return bool(self._tokens.read or self._tokens.write)

    def refuse_read(self, request: Request) -> Refusal | None:
        """Return why this request may not read, or None where it may."""
        known = self._tokens
        if not known.read:
            return None if self._leads_here(request.host) else "host"
        if token := _bearer(request):
            return _refusal(token, known.read, [*known.write, *known.approve])
        return None if self._reading.name(request.cookies.get(READING, "")) or self._named(request) else "missing"

    def refuse_write(self, request: Request) -> Refusal | None:
        """Return why this request may not write by the API, or None where it may; a browser's cookie does not write."""
        known = self._tokens
        if not known.write:
            return (
                "host" if not self._leads_here(request.host) else "foreign" if _comes_from_elsewhere(request) else None
            )
        token = _bearer(request)
        return _refusal(token, known.write, [*known.read, *known.approve]) if token else "missing"

    def refuse_form(self, request: Request) -> Refusal | None:
        """Return why a form that this request sends is not taken, or None where it is."""
        if refusal := self.refuse_read(request):
            return refusal
        visitor = self.visitor(request)
        if not visitor.writes:
            return "kind"
        if not self._tokens.write and (not self._leads_here(request.host) or _comes_from_elsewhere(request)):
            return "foreign"
        proven = self._forms.fits(request.form.get(PROOF, ""), visitor.session)
        return None if proven and self.is_of_ours(request) else "foreign"

    def visitor(self, request: Request) -> Visitor:
        """Return who looks at a page that they may read."""
        if name := self._named(request):
            writes = self._proxy is not None and self._proxy.writes
            if writes:
                return Visitor(name, f"proxy {name}", writes=True)
        session = self._writing.name(request.cookies.get(WRITING, ""))
        return Visitor(name, session, writes=bool(session) or not self._tokens.write)

    def has_sessions(self, request: Request) -> bool:
        """Whether this browser has signed in here, and so may sign out."""
        return bool(request.cookies.get(READING) or request.cookies.get(WRITING))

    def proof(self, visitor: Visitor) -> str:
        """Return what a form for this visitor carries."""
        return self._forms.proof(visitor.session)

    def sign_in(self, token: str) -> str | None:
        """Return the cookie for a read token, or None where it is none."""
        return self._reading.of(token) if _one_of(token, self._tokens.read) else None

    def sign_in_to_write(self, token: str) -> str | None:
        """Return the cookie for a write token, or None where it is none."""
        return self._writing.of(token) if _one_of(token, self._tokens.write) else None

    def is_of_ours(self, request: Request) -> bool:
        """Whether a page of ours sends this, as far as the browser tells."""
        site, origin = request.headers.get("Sec-Fetch-Site", "same-origin"), request.headers.get("Origin", "")
        return site == "same-origin" and (not origin or urlsplit(origin).netloc in (request.host, self._origin.netloc))

    def _leads_here(self, host: str) -> bool:
        name = re.sub(r":\d+$", "", host.lower())
        return name in self._hosts or _LOCAL.fullmatch(name) is not None

    def _named(self, request: Request) -> str:
        return self._proxy.user(request) if self._proxy is not None else ""


@dataclass(frozen=True)
class Tokens:
    """The tokens by what they allow."""

    read: Sequence[str] = field(default=(), repr=False)
    write: Sequence[str] = field(default=(), repr=False)
    approve: Sequence[str] = field(default=(), repr=False)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refusal(token: str, allowed: Sequence[str], others: Sequence[str]) -> Refusal | None:
    if _one_of(token, allowed):
        return None
    return "kind" if _one_of(token, others) else "wrong"


def _comes_from_elsewhere(request: Request) -> bool:
    """Whether a page of another site sends this: where no token is asked for, any page that one visits could write."""
    site, origin = request.headers.get("Sec-Fetch-Site", "none"), request.headers.get("Origin", "")
    return site not in ("none", "same-origin") or (origin != "" and urlsplit(origin).netloc != request.host)


def _one_of(given: str, known: Sequence[str]) -> bool:
    found = False
    for token in known:
        # No early end: the time taken must not tell which one it is.
        found |= hmac.compare_digest(given.encode(), token.encode())
    return found
