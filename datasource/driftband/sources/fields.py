"""Fields of somebody else's JSON, read with errors that name their place and never repeat what stood there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from driftband.model.moment import parse_moment

LONGEST = 512
"""Characters of a text that are kept."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def read_json(body: bytes, error: type[ValueError]) -> Any:
    """Parse a body; ``error`` where it is no JSON, or nested deeper than the 1024 levels that orjson takes."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as reason:
        raise error(f"expected JSON, got something else at line {reason.lineno} column {reason.colno}") from None


def tidy(text: str) -> str:
    """Return one line of at most ``LONGEST`` characters without control characters, which not every store takes."""
    return _CONTROL.sub(" ", text).strip()[:LONGEST]


def link(text: str) -> str:
    """Return an address that a page may link to: http or https, and without a user; else nothing."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    return text if fits and tidy(text) == text else ""


@dataclass(frozen=True)
class Fields:
    """An object of the JSON at a place such as ``Records[3]``. error: what is raised where a field is not as expected."""

    raw: Mapping[str, Any]
    place: str
    error: type[ValueError]

    @classmethod
    def of(cls, value: object, place: str, error: type[ValueError]) -> "Fields":
        """Take a value that has to be an object."""
        if not isinstance(value, dict):
            raise error(f"{place or 'the body'}: expected a JSON object, got {_kind(value)}")
        return cls(value, place, error)

    def at(self, name: str) -> str:
        """Return the place of a field."""
        return f"{self.place}.{name}" if self.place else name

    def refuse(self, name: str, expected: str) -> ValueError:
        """Return the error that says what was expected of a field."""
        return self.error(f"{self.at(name)}: expected {expected}, got {_kind(self.raw.get(name))}")

    def text(self, name: str) -> str:
        """Return a text that has to be there."""
        if value := self.optional(name):
            return value
        raise self.refuse(name, "a text")

    def optional(self, name: str) -> str:
        """Return a text, empty where there is none."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, str):
            raise self.refuse(name, "a text")
        return tidy(value or "")

    def inner(self, name: str) -> "Fields":
        """Return an object, one without fields where there is none."""
        value = self.raw.get(name)
        return Fields.of({} if value is None else value, self.at(name), self.error)

    def objects(self, name: str) -> Iterator["Fields"]:
        """Yield the objects of a list, none where there is no list."""
        for index, value in enumerate(self.values(name)):
            yield Fields.of(value, f"{self.at(name)}[{index}]", self.error)

    def values(self, name: str) -> list[Any]:
        """Return a list, an empty one where there is none."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, list):
            raise self.refuse(name, "a list")
        return value or []

    def number(self, name: str) -> int:
        """Return a whole number that is not negative, 0 where there is none."""
        value = self.raw.get(name)
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.refuse(name, "a whole number that is not negative")
        return value

    def moment(self, name: str, default: datetime | None = None) -> datetime:
        """Return a time; ``default`` where there is none."""
        value = self.raw.get(name)
        if value is None and default is not None:
            return default
        try:
            return parse_moment(value)
        except ValueError as reason:
            raise self.error(f"{self.at(name)}: {reason}, got {_kind(value)}") from None


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case "":
            return "an empty text"
        case str():
            return "another text"
        case list():
            return "a list"
        case _:
            return "an object"
