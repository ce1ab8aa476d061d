"""Who may do what: tokens, compared in constant time.

A browser gets a cookie that proves knowledge of a read token without holding it.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from flask import Request

COOKIE = "driftband_session"
Refusal = Literal["missing", "wrong", "kind"]


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
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            if _one_of(token.strip(), self.read):
                return None
            return "kind" if _one_of(token.strip(), [*self.write, *self.approve]) else "wrong"
        cookie = request.cookies.get(COOKIE, "")
        return None if cookie and _one_of(cookie, [session_of(t) for t in self.read]) else "missing"

    def session(self, token: str) -> str | None:
        """Return the cookie for a read token, or None where it is none."""
        return session_of(token) if _one_of(token, self.read) else None


def session_of(token: str) -> str:
    """Return what a browser keeps in place of a token."""
    return hmac.new(token.encode(), b"driftband session", hashlib.sha256).hexdigest()


def _one_of(given: str, known: Sequence[str]) -> bool:
    found = False
    for token in known:
        # No early end: the time taken must not tell which one it is.
        found |= hmac.compare_digest(given.encode(), token.encode())
    return found
