"""Arguments of our own API's lists, and the pages they come in."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from driftband.model.moment import from_ms, parse_moment, to_ms
from driftband.model.refusal import RefusedError

MOST = 1000
USUAL = 100

Cursor = tuple[datetime, str]


class Listed(Protocol):
    """Something that a list shows."""

    @property
    def id(self) -> str:
        """Its id."""

    def json(self) -> dict[str, Any]:
        """Return its form in the API."""


T = TypeVar("T", bound=Listed)


@dataclass(frozen=True)
class Wanted:
    """Which part of a list is wanted. equal: fields that must have a value."""

    equal: dict[str, str]
    since: datetime | None
    until: datetime | None
    after: Cursor | None
    limit: int


def known_alone(values: Mapping[str, str], known: Sequence[str]) -> None:
    """Refuse arguments that mean nothing: whoever gave one would take the answer for another. Raises RefusedError."""
    for name in values:
        if name not in known:
            there_are = f"there are {', '.join(known)}" if known else "there are none"
            raise RefusedError(f"there is no argument {name[:60]!r} here; {there_are}")


def wanted(values: Mapping[str, str], fields: Sequence[str], choices: Mapping[str, Sequence[str]]) -> Wanted:
    """Read the arguments of a list. choices: the values that a field may have.

    Raises:
        RefusedError: for an argument that means nothing.
    """
    equal = {name: values[name] for name in fields if values.get(name)}
    for name, allowed in choices.items():
        if name in equal and equal[name] not in allowed:
            raise RefusedError(f"{name} must be one of {', '.join(allowed)}")
    return Wanted(equal, moment(values, "since"), moment(values, "until"), _cursor(values), limit(values))


def limit(values: Mapping[str, str]) -> int:
    """Return how many are wanted at most."""
    text = values.get("limit", "")
    if not text:
        return USUAL
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:9]) <= MOST:
        raise RefusedError(f"limit must be a whole number from 1 to {MOST}")
    return int(text)


def moment(values: Mapping[str, str], name: str) -> datetime | None:
    """Return a time that an argument names, or None where it is not given."""
    text = values.get(name, "")
    if not text:
        return None
    try:
        # A plus sign that nobody escaped has become a blank on its way.
        return parse_moment(text.replace(" ", "+"))
    except ValueError as error:
        raise RefusedError(f"{name}: {error}") from None


def _cursor(values: Mapping[str, str]) -> Cursor | None:
    text = values.get("cursor", "")
    if not text:
        return None
    try:
        at, _, last = base64.urlsafe_b64decode(text.encode()).decode().partition(":")
        return from_ms(int(at)), last
    except (ValueError, binascii.Error):
        raise RefusedError("cursor must be the next of an earlier answer") from None


def paged(name: str, items: Sequence[T], size: int, at: str, key: str = "id") -> dict[str, Any]:
    """Return a page of the form ``{name: [...], "next": ...}`` of up to ``size`` + 1 items; at, key: the fields of their order."""
    shown = items[:size]
    cursor = None
    if len(items) > size:
        text = f"{to_ms(getattr(shown[-1], at))}:{getattr(shown[-1], key)}"
        cursor = base64.urlsafe_b64encode(text.encode()).decode()
    return {name: [item.json() for item in shown], "next": cursor}
