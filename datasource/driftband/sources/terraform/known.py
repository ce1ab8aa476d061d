"""Secrets that a document itself gives away, and the search for them and for shapes of secrets in its values."""

import base64
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import msgspec
import re2

from driftband.model.attribute import REDACTED
from driftband.sources.terraform.marks import is_mark
from driftband.sources.terraform.names import names_secret, only_refers, secret_pair
from driftband.sources.terraform.shapes import SHAPES, compiled, without_shapes

ANYWHERE_FROM = 6
"""Characters from which on a secret is looked for inside of other values; from EQUAL_FROM on it is compared."""
EQUAL_FROM = 4

_NEVER = frozenset(
    """
    administrator default disabled enabled false infinity localhost mariadb master mongodb mysql none null oracle
    postgres postgresql production public redis root sqlserver staging true
    """.split()  # noqa: SIM905 - words read best as words
)
_REGION = re.compile(
    r"(?:us|eu|ap|ca|sa|me|af|il|cn|mx|europe|asia|australia|northamerica|southamerica|africa)(?:-gov|-iso[a-f]?)?"
    r"-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-?\d{1,2}(?:-?[a-z])?"
)
_PASSWORD_IN_URL = re.compile(r"://[^\s/:@]{0,128}:([^\s/@]{1,256})@")
_JSON = ("{", "[")
_MEMORY = 512 << 20
_PORTION = 10_000
LONG = 256
"""Characters of a secret from which on it is looked for by itself: whole files are few, and no automaton is made of them."""


class Known:
    """The secrets of one document, for as long as it is read."""

    def __init__(self) -> None:
        self._long: set[str] = set()
        self._short: set[str] = set()

    def add(self, value: Any) -> None:
        """Take every text in a value that is marked as a secret: the value itself, and what is nested in it."""
        for text in texts(value):
            self._add(text)

    def _add(self, text: str) -> None:
        plain = text.strip()
        if len(plain) < EQUAL_FROM or plain.lower() in _NEVER or _REGION.fullmatch(plain) or is_mark(plain):
            return
        if len(plain) < ANYWHERE_FROM:
            self._short.add(plain)
            return
        self._long.update(_spellings(plain))
        for password in _PASSWORD_IN_URL.findall(plain):
            self._add(unquote(password))
        for name, inner in named_in(plain):
            if names_secret(name):
                self._add(inner)

    def holding(self, strings: Collection[str]) -> frozenset[str]:
        """Return those of ``strings`` that hold a secret, known or by its shape."""
        blob = "\0".join(strings).encode()
        held = set(self._short.intersection(strings))
        if blob.count(b"\0") >= len(strings) > 0:
            # Not text; nothing of this kind is worth showing.
            held.update(text for text in strings if "\0" in text)
        held.update(_segments(SHAPES, blob))
        held.update(text for text in strings if text[:1] in _JSON and tells_secret(text))
        for pattern in self._patterns():
            held.update(_segments(pattern, blob))
        for text in self._long:
            if len(text) > LONG:
                held.update(_around(text.encode(), blob))
        return frozenset(held)

    def _patterns(self) -> Iterator[Any]:
        """Go through patterns that match any of the secrets, in portions that an automaton has room for."""
        literals = [re2.escape(text) for text in sorted(self._long) if len(text) <= LONG]
        try:
            for start in range(0, len(literals), _PORTION):
                yield compiled("|".join(literals[start : start + _PORTION]).encode(), _MEMORY)
        finally:
            # The library remembers patterns, and these are secrets.
            re2.purge()

    def without(self, text: str) -> str:
        """Return a text with every secret replaced, known or by its shape."""
        for secret in sorted(self._long, key=len, reverse=True):
            if secret in text:
                text = text.replace(secret, REDACTED)
        return without_shapes(text)


def texts(value: Any) -> Iterator[str]:
    """Go through all texts in a JSON value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def tells_secret(text: str) -> bool:
    """Tell whether a JSON text has a value whose name means a secret."""
    return any(value and names_secret(name) and not only_refers(value) for name, value in named_in(text))


def named_in(text: str) -> Iterator[tuple[str, str]]:
    """Go through the names and texts in a JSON text; nothing where it is no object or list in JSON."""
    if text[:1] not in _JSON:
        return
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return
    yield from _named(value)


def _named(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if name := secret_pair(value):
            yield name, value["value"]
        for key, inner in value.items():
            if isinstance(inner, str):
                yield key, inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _spellings(text: str) -> Iterable[str]:
    """Return the ways in which a text stands inside of others: plainly, in JSON, in a URL, in base64."""
    inner = json.dumps(text, ensure_ascii=False)[1:-1]
    if len(text) > LONG:
        return {text, inner}
    escaped = inner.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return {text, inner, escaped, quote(text, safe=""), base64.b64encode(text.encode()).decode()}


def _segments(pattern: Any, blob: bytes) -> Iterator[str]:
    """Go through the parts of ``blob``, between NULs, that ``pattern`` matches somewhere."""
    end = -1
    for found in pattern.finditer(blob):
        position = found.start()
        if position < end:
            continue
        # A shape may begin with the separator, as the character before it.
        start = blob.rfind(b"\0", 0, position + 1) + 1
        end = blob.find(b"\0", start)
        end = len(blob) if end < 0 else end
        yield blob[start:end].decode()


def _around(text: bytes, blob: bytes) -> Iterator[str]:
    """Go through the parts of ``blob``, between NULs, that ``text`` stands in."""
    position = blob.find(text)
    while position >= 0:
        end = blob.find(b"\0", position)
        end = len(blob) if end < 0 else end
        yield blob[blob.rfind(b"\0", 0, position) + 1 : end].decode()
        position = blob.find(text, end)
