"""How two trees of attributes differ, by path, with what only normalisation moved kept apart."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from driftband.model.attribute import AttributeDiff
from driftband.sources.terraform.marks import Hidden, holds_hidden
from driftband.sources.terraform.nothing import is_nothing
from driftband.sources.terraform.paths import at, below
from driftband.sources.terraform.sets import PLAIN, Form

LONGEST = 4096
"""Bytes of JSON from which on a value is described and not shown."""


class _Unknown:
    """A value that is known after the apply alone."""


UNKNOWN = _Unknown()


class Difference:
    """What differs between ``before`` and ``after``.

    attributes: sorted by path as the trees are. normalised: paths that differ only in how nothing is written, or in
    texts that are equal JSON.
    """

    def __init__(self, before: Any, after: Any, form: Form = PLAIN) -> None:
        self.attributes: list[AttributeDiff] = []
        self.normalised: list[str] = []
        self._walk("", before, after, form)

    def _walk(self, path: str, before: Any, after: Any, form: Form) -> None:
        if _same(before, after):
            return
        if path and is_nothing(before) and is_nothing(after):
            self.normalised.append(path)
        elif form.is_set and isinstance(before, list | None) and isinstance(after, list | None):
            self._sets(path, before or [], after or [])
        elif isinstance(before, dict | None) and isinstance(after, dict | None):
            self._objects(path, before or {}, after or {}, form)
        elif _objects_alike(before, after):
            for index, pair in enumerate(zip(before, after, strict=True)):
                self._walk(at(path, index), *pair, form.element())
        elif _same_json(before, after):
            self.normalised.append(path)
        else:
            self._add(path, before, after)

    def _objects(self, path: str, before: dict[str, Any], after: dict[str, Any], form: Form) -> None:
        for key in sorted({**before, **after}):
            self._walk(below(path, key), before.get(key), after.get(key), form.attribute(key))

    def _sets(self, path: str, before: list[Any], after: list[Any]) -> None:
        if _counted(before, plain=True) == _counted(after, plain=True):
            return
        gone, new = _without(before, after), _without(after, before)
        if gone or new:
            self._add(path, gone, new)
        else:
            self.normalised.append(path)

    def _add(self, path: str, before: Any, after: Any) -> None:
        if holds_hidden(before) or holds_hidden(after):
            self.attributes.append(AttributeDiff(path=path, sensitive=True))
        else:
            self.attributes.append(AttributeDiff(path=path, before=shown(before), after=shown(after)))


def overlaid(after: Any, unknown: Any) -> Any:
    """Return ``after`` with UNKNOWN wherever ``unknown`` (a plan's ``after_unknown``) is true."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict) and isinstance(after, dict | None):
        parts = {key: overlaid((after or {}).get(key), part) for key, part in unknown.items()}
        # What is neither known nor unknown is not there.
        given = {key: part for key, part in parts.items() if part is not None or key in (after or {})}
        return {**(after or {}), **given} if after is not None or given else after
    if isinstance(unknown, list) and isinstance(after, list):
        padded = [*unknown, *[False] * len(after)]
        items = [overlaid(value, part) for value, part in zip(after, padded, strict=False)]
        return [*items, *(UNKNOWN for part in unknown[len(after) :] if part is True)]
    return after


def shown(value: Any) -> Any:
    """Return a value as it is shown: what is unknown as null, what is long by its size."""
    if isinstance(value, str) and len(value) < LONGEST // 8:
        return value
    value = _known(value)
    if isinstance(value, str | list | dict):
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        if size > LONGEST:
            return f"(a long value, {size:,} bytes)"
    return value


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_known(inner) for inner in value]
    return None if value is UNKNOWN else value


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal as JSON: true is not 1, as it is in Python."""
    if one is other:
        return one is not UNKNOWN
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _objects_alike(before: Any, after: Any) -> bool:
    if not (isinstance(before, list) and isinstance(after, list) and len(before) == len(after)):
        return False
    return all(isinstance(item, dict) for item in (*before, *after))


def _same_json(one: Any, other: Any) -> bool:
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    parsed = _json(one)
    return parsed is not None and _same(parsed, _json(other))


def _json(text: str) -> Any:
    """Return the object or list that a text is the JSON of, None where it is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def _counted(elements: Iterable[Any], *, plain: bool) -> Counter[str]:
    return Counter(_canonical(element, plain=plain) for element in elements)


def _without(elements: list[Any], others: list[Any]) -> list[Any]:
    """Return the elements that have no equal among ``others``, but for normalisation; one for one."""
    left = _counted(others, plain=False)
    found = []
    for element in elements:
        key = _canonical(element, plain=False)
        if left[key]:
            left[key] -= 1
        else:
            found.append(element)
    return found


def _canonical(value: Any, *, plain: bool) -> str:
    """Return a text that is the same for equal values; unless ``plain``, without what is nothing."""
    return json.dumps(value if plain else _reduced(value), sort_keys=True, default=_mark)


def _reduced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reduced(inner) for key, inner in value.items() if not is_nothing(inner)}
    if isinstance(value, list):
        return [_reduced(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    parsed = _json(value) if isinstance(value, str) else None
    return value if parsed is None else {"\0json": parsed}


def _mark(value: Any) -> Any:
    return {"\0hidden": value.number} if isinstance(value, Hidden) else {"\0unknown": id(value)}
