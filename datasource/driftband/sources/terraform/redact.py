"""Redaction: values become trees in which a secret is a ``Hidden``. What comes after knows no secrets."""

import json
import re
from collections.abc import Iterable
from typing import Any

from driftband.sources.terraform import masks
from driftband.sources.terraform.known import EQUAL_FROM, Known
from driftband.sources.terraform.marks import HIDDEN, Hidden, holds_hidden, renumbered
from driftband.sources.terraform.masks import Mask
from driftband.sources.terraform.names import names_secret, only_refers, secret_pair
from driftband.sources.terraform.nothing import is_nothing
from driftband.sources.terraform.shapes import is_secret

ABSENT: Any = object()
"""No value at all, where null would be one."""


class Redactor:
    """Hides what masks, names, known secrets and shapes of secrets say, in trees that it changes in place.

    A path that is hidden before or after a change is hidden in both. Null, "" and empty collections stay: they are no
    secret, and tell nothing from noise otherwise.
    """

    def __init__(self, known: Known, trees: Iterable[Any]) -> None:
        """``trees``: all values that will be shown, so that they are searched at once."""
        strings: set[str] = set()
        keys: set[str] = set()
        for tree in trees:
            _gather(tree, strings, keys)
        self._bad = known.holding(strings)
        self._bad_keys = frozenset(key for key in known.holding(keys) if not _ordinary(key))

    def hide(self, before: Any, after: Any = ABSENT, *, mask: Mask = False) -> tuple[Any, Any]:
        """Return the tree, or two trees of the same resource, without secrets."""
        for tree in (before, after):
            for key in self._bad_keys.intersection(tree if isinstance(tree, dict) else ()):
                del tree[key]
        numbers: dict[str, Hidden] | None = None if after is ABSENT else {}
        if isinstance(before, dict) and (after is ABSENT or isinstance(after, dict | None)):
            self._object(before, after, mask, numbers)
        elif isinstance(after, dict) and before is None:
            self._object(after, ABSENT, mask, numbers)
        else:
            before, after = self._both("", before, after, mask, numbers)
        if numbers:
            before, after = renumbered(before, after)
        return before, after

    def _both(self, key: str, one: Any, two: Any, mask: Mask, numbers: dict[str, Hidden] | None) -> tuple[Any, Any]:
        """Hide two values that stand at the same path, ``key`` the last step of it."""
        if mask is True or self._secret(key, one, mask) or self._secret(key, two, mask):
            return _hidden(one, numbers), _hidden(two, numbers)
        if isinstance(one, dict):
            self._object(one, two if isinstance(two, dict) else ABSENT, mask, numbers)
        elif isinstance(one, list):
            self._list(key, one, two if isinstance(two, list) else ABSENT, mask, numbers)
        if isinstance(two, dict) and not isinstance(one, dict):
            self._object(two, ABSENT, mask, numbers)
        elif isinstance(two, list) and not isinstance(one, list):
            self._list(key, two, ABSENT, mask, numbers)
        if type(one) is not type(two) and _hidden_in_one(one, two):
            # No mask could say which part of which of the two.
            return _hidden(one, numbers), _hidden(two, numbers)
        return one, two

    def _object(self, one: dict[str, Any], two: Any, mask: Mask, numbers: dict[str, Hidden] | None) -> None:
        other = two if isinstance(two, dict) else {}
        named = secret_pair(one) or secret_pair(other)
        for key, value in one.items():
            part = mask and masks.attribute(mask, key)
            kind = type(value)
            if two is ABSENT and part is False and not named and (kind is int or kind is bool or value is None):
                continue
            word = named if named and key == "value" else key
            hidden, twin = self._both(word, value, other.get(key, ABSENT), part, numbers)
            if hidden is not value:
                one[key] = hidden
            if twin is not ABSENT:
                other[key] = twin
        for key in [key for key in other if key not in one]:
            word = named if named and key == "value" else key
            other[key] = self._both(word, other[key], ABSENT, mask and masks.attribute(mask, key), numbers)[0]

    def _list(self, key: str, one: list[Any], two: Any, mask: Mask, numbers: dict[str, Hidden] | None) -> None:
        other = two if isinstance(two, list) else []
        for index in range(max(len(one), len(other))):
            part = mask and masks.element(mask, index)
            first = one[index] if index < len(one) else ABSENT
            second = other[index] if index < len(other) else ABSENT
            hidden, twin = self._both(key, first, second, part, numbers)
            if hidden is not ABSENT:
                one[index] = hidden
            if twin is not ABSENT:
                other[index] = twin

    def _secret(self, key: str, value: Any, mask: Mask) -> bool:
        kind = type(value)
        if value is None or value is ABSENT or value == "":
            return False
        if kind is str:
            if value in self._bad or mask is not False:
                return True
            return names_secret(key) and not only_refers(value)
        if kind is dict:
            return bool(self._bad_keys) and not self._bad_keys.isdisjoint(value)
        # A mask of parts for a value that has none: better too much than too little.
        return mask is not False and kind is not list


def _gather(tree: Any, strings: set[str], keys: set[str]) -> None:
    kind = type(tree)
    if kind is dict:
        keys.update(tree)
        inside = tree.values()
    elif kind is list:
        inside = tree
    else:
        inside = (tree,)
    for value in inside:
        kind = type(value)
        if kind is str:
            if len(value) >= EQUAL_FROM:
                strings.add(value)
        elif kind is dict or kind is list:
            _gather(value, strings, keys)


def _ordinary(key: str) -> bool:
    """Tell whether a key is but the name of an attribute, though some secret happens to be written like it."""
    return re.fullmatch(r"[a-z][a-z0-9_]*", key) is not None and not is_secret(key)


def _hidden(value: Any, numbers: dict[str, Hidden] | None) -> Any:
    if value is ABSENT or is_nothing(value):
        return value
    if numbers is None:
        return HIDDEN
    text = json.dumps(value, sort_keys=True, default=lambda secret: f"\0{secret.number}")
    return numbers.setdefault(text, Hidden(len(numbers) + 1))


def _hidden_in_one(one: Any, two: Any) -> bool:
    """Tell whether a secret stands in one of two values of different forms, neither of which is nothing."""
    containers = isinstance(one, dict | list) or isinstance(two, dict | list)
    if not containers or ABSENT in (one, two) or is_nothing(one) or is_nothing(two):
        return False
    return holds_hidden(one) or holds_hidden(two)
