"""Masks of sensitive values, as Terraform writes them: ``true``, ``false``, or nested like the value itself."""

from typing import Any

from driftband.sources.terraform.known import Known

Mask = Any
"""True: all of it; False: nothing of it; else a dict or a list of masks of parts, with True somewhere in it."""


def mask(raw: Any) -> Mask:
    """Return the mask in its shortest form: False where nothing in it is True."""
    if isinstance(raw, dict):
        parts = {key: inner for key, part in raw.items() if (inner := mask(part)) is not False}
        return parts or False
    if isinstance(raw, list):
        items = [mask(part) for part in raw]
        return items if any(item is not False for item in items) else False
    return raw is True


def union(one: Mask, other: Mask) -> Mask:
    """Return the mask of what either hides. Where they disagree about the form of a value, all of it."""
    if one is False or other is True:
        return other
    if other is False or one is True:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: union(one.get(key, False), other.get(key, False)) for key in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        longest = max(len(one), len(other))
        return [union(element(one, index), element(other, index)) for index in range(longest)]
    return True


def attribute(of: Mask, key: str) -> Mask:
    """Return the mask of an attribute of an object that is not hidden whole."""
    return of.get(key, False) if isinstance(of, dict) else of is not False


def element(of: Mask, index: int) -> Mask:
    """Return the mask of an element of a list that is not hidden whole."""
    if isinstance(of, list):
        return of[index] if index < len(of) else False
    if isinstance(of, dict) and any(isinstance(key, int) for key in of):
        return of.get(index, False)
    return of is not False


def of_paths(paths: list[list[Any]]) -> Mask:
    """Return the mask of paths as a state writes them, such as ``[{"type": "get_attr", "value": "password"}]``.

    The step into a list or a map is ``{"type": "index", "value": {"value": 0, "type": "number"}}``.
    """
    found: dict[str | int, Any] = {}
    for path in paths:
        steps = [_step(step) for step in path]
        known = steps[: steps.index(None)] if None in steps else steps
        if not known:
            return True
        _set(found, known)
    return found or False


def _step(step: Any) -> str | int | None:
    value = step.get("value") if isinstance(step, dict) else None
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _set(found: dict[str | int, Any], steps: list[Any]) -> None:
    here = found
    for step in steps[:-1]:
        inner = here.setdefault(step, {})
        if inner is True:
            return
        here = inner
    here[steps[-1]] = True


def collect(value: Any, by: Mask, known: Known) -> None:
    """Add to ``known`` all that the mask hides of ``value``."""
    if by is True or (by is not False and not isinstance(value, dict | list)):
        known.add(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if (part := attribute(by, key)) is not False:
                collect(inner, part, known)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if (part := element(by, index)) is not False:
                collect(inner, part, known)
