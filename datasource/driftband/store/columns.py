"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from driftband.model.moment import from_ms, to_ms


class Moment(TypeDecorator[datetime]):
    """An aware UTC time, kept as epoch milliseconds: it sorts, and no driver can mistake its zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002, D102
        return None if value is None else to_ms(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102
        return None if value is None else from_ms(value)


class Words(TypeDecorator[str]):
    """Text from outside: PostgreSQL keeps no NUL and no lone surrogate, and a hostile name must not lose a whole report."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002, D102
        return None if value is None else clean(value)


class Word(Words):
    """Text of at most so many characters."""

    impl = String  # type: ignore[assignment]
    cache_ok = True


class Json(TypeDecorator[Any]):
    """A JSON value as text; nothing is ever searched inside it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002, D102
        return None if value is None else orjson.dumps(value, default=_plain).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002, D102
        return None if value is None else orjson.loads(value)


def clean(text: str) -> str:
    """Return text that every database keeps."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not kept")
