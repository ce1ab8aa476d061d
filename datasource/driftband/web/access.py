"""Who may do what: tokens, compared in constant time.

A browser gets a cookie that proves knowledge of a read token without holding it.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from flask import Request

COOKIE = "driftband_session"
Refusal = Literal["missing", "wrong", "kind", "foreign"]


@dataclass(frozen=True)
class Tokens:
    """The tokens by what they allow; without any read token, reading is open to whoever can connect."""

    read: Sequence[str] = field(default=(), repr=False)
    write: Sequence[str] = field(default=(), repr=False)
    approve: Sequence[str] = field(default=(), repr=False)

    def refuse_read(self, request: Request) -> Refusal | None:
        """Return why this request may not read, or None where it may."""
        if not self.read:
            return None
        if token := _bearer(request):
            return _refusal(token, self.read, [*self.write, *self.approve])
        cookie = request.cookies.get(COOKIE, "")
        return None if cookie and _one_of(cookie, [session_of(t) for t in self.read]) else "missing"

    def refuse_write(self, request: Request) -> Refusal | None:
        """Return why this request may not write, or None where it may; a browser's cookie does not write."""
        if not self.write:
            return "foreign" if _comes_from_elsewhere(request) else None
        token = _bearer(request)
        return _refusal(token, self.write, [*self.read, *self.approve]) if token else "missing"

    def session(self, token: str) -> str | None:
        """Return the cookie for a read token, or None where it is none."""
        return session_of(token) if _one_of(token, self.read) else None


def session_of(token: str) -> str:
    """Return what a browser keeps in place of a token."""
    return hmac.new(token.encode(), b"driftband session", hashlib.sha256).hexdigest()


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refusal(token: str, allowed: Sequence[str], others: Sequence[str]) -> Refusal | None:
    if _one_of(token, allowed):
        return None
    return "kind" if _one_of(token, others) else "wrong"


def _comes_from_elsewhere(request: Request) -> bool:
    """Whether a page of another site sends this: where no token is asked for, any page that one visits could write.

    A page may also have had its own name lead here since; without tokens the service is on loopback, under no such name.
    """
    site, origin = request.headers.get("Sec-Fetch-Site", "none"), request.headers.get("Origin", "")
    if site not in ("none", "same-origin") or (origin != "" and urlsplit(origin).netloc != request.host):
        return True
    from_a_page = site == "same-origin" or origin != ""
    return from_a_page and re.fullmatch(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?", request.host) is None


def _one_of(given: str, known: Sequence[str]) -> bool:
    found = False
    for token in known:
        # No early end: the time taken must not tell which one it is.
        found |= hmac.compare_digest(given.encode(), token.encode())
    return found
