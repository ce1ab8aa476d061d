"""What a browser keeps in place of a token, and what proves that a form is one of ours: signed, and of limited age.

Signing by itsdangerous. SHA-384 fills its base64 to the last bit: no other text passes for the same signature.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

SESSION_DAYS, FORM_HOURS = 30, 12
_HOW = {"key_derivation": "hmac", "digest_method": hashlib.sha384}


def keys_of(tokens: Sequence[str]) -> Sequence[str]:
    """Return what to sign by: the tokens; where nobody needs one, something that ends with this process."""
    return tokens or (secrets.token_urlsafe(32),)


class Signed:
    """Signs by one secret, and knows what any of several has signed. purpose: what is signed for one is not for another."""

    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        self._keys, self._purpose = list(keys), purpose

    def sign(self, value: Any, key: str | None = None) -> str:
        """Return text that holds a JSON value, signed by ``key``, which is the first one if not given."""
        text: str = self._serializer([key or self._keys[0]]).dumps(value)
        return text

    def read(self, text: str, seconds: float) -> Any:
        """Return the value of a text no older than ``seconds``, None for what was not signed here."""
        try:
            return self._serializer(self._keys).loads(text, max_age=int(seconds)) if self._keys else None
        except BadData:
            return None

    def _serializer(self, keys: list[str]) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(keys, salt=f"driftband {self._purpose}", signer_kwargs=_HOW)


class Sessions:
    """The cookies of those who have signed in with one kind of token."""

    def __init__(self, tokens: Sequence[str], kind: str) -> None:
        self._signed = Signed(tokens, f"{kind} session")

    def of(self, token: str) -> str:
        """Return the cookie for a token, which is one of ours."""
        return self._signed.sign(secrets.token_urlsafe(9), token)

    def name(self, cookie: str) -> str:
        """Return the name of the session of a cookie, empty where it is none, or too old."""
        found = self._signed.read(cookie, SESSION_DAYS * 86_400)
        return found if isinstance(found, str) else ""


class Forms:
    """Proofs that a form was made for the session that sends it."""

    def __init__(self, keys: Sequence[str]) -> None:
        # Without any token whoever reaches us may write; what other sites send is refused by where it comes from.
        self._signed = Signed(keys_of(keys), "form")

    def proof(self, session: str) -> str:
        """Return what a form carries."""
        return self._signed.sign(session)

    def fits(self, proof: str, session: str) -> bool:
        """Whether a form carries the proof of this session."""
        return self._signed.read(proof, FORM_HOURS * 3600) == session
