"""JSON bodies of our own API. What is wrong with one raises RefusedError."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import request

from driftband.model.moment import parse_moment
from driftband.model.refusal import RefusedError


def json_object(keys: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the body, a JSON object. keys: the fields that it may have, None where another looks at them."""
    try:
        fields = orjson.loads(request.get_data())
    except ValueError as error:
        raise RefusedError(f"the body is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise RefusedError("expected a JSON object")
    for key in fields if keys is not None else ():
        if key not in (keys or ()):
            raise RefusedError(f"there is no field {key[:60]!r} here; there are {', '.join(keys or ())}")
    return fields


def text(fields: Mapping[str, Any], name: str, *, required: bool = True) -> str:
    """Return a field of text, empty where there is none."""
    value = fields.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()) or len(value) > 1000:  # noqa: PLR2004 - a sentence or two
        raise RefusedError(f"{name}: expected text of at most 1000 characters")
    return value


def moment_of(fields: Mapping[str, Any], name: str) -> datetime | None:
    """Return a field that is a time, None where there is none."""
    if fields.get(name) is None:
        return None
    try:
        return parse_moment(fields[name])
    except ValueError as error:
        raise RefusedError(f"{name}: {error}") from None
