"""Resources of a state as the inventory keeps them."""

from collections.abc import Mapping
from typing import Any

from driftband.model.report import Resource
from driftband.sources.terraform.difference import shown
from driftband.sources.terraform.marks import Hidden
from driftband.sources.terraform.paths import at, below


def resource(
    *, address: str, resource_type: str, module: str, version: str = "", provider: str = "", values: Any
) -> Resource:
    """Return a resource; ``values``: a redacted tree."""
    attributes: dict[str, Any] = {}
    sensitive: list[str] = []
    _leaves("", values, attributes, sensitive)
    return Resource(
        address=address,
        resource_type=resource_type,
        module=module,
        module_version=version,
        provider=provider,
        attributes=attributes,
        sensitive=tuple(sensitive),
        tags=_tags(values) if isinstance(values, dict) else {},
    )


def _leaves(path: str, value: Any, attributes: dict[str, Any], sensitive: list[str]) -> None:
    """Add what is below ``path``: everything but null and empty collections is a leaf."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if inner is not None:
                _leaves(below(path, key), inner, attributes, sensitive)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if inner is not None:
                _leaves(at(path, index), inner, attributes, sensitive)
    elif isinstance(value, Hidden):
        sensitive.append(path)
    elif value is not None:
        attributes[path] = shown(value) if type(value) is str else value


def _tags(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a resource; what it sets itself comes before what its provider adds by default."""
    metadata = values.get("metadata")
    if isinstance(metadata, list):
        metadata = metadata[0] if metadata else None
    given = values.get("input")
    places = (
        values.get("tags_all"),
        given.get("tags") if isinstance(given, dict) else None,
        metadata.get("labels") if isinstance(metadata, dict) else None,
        values.get("labels"),
        values.get("tags"),
    )
    tags: dict[str, str] = {}
    for place in places:
        if isinstance(place, dict):
            tags.update((key, _text(value)) for key, value in place.items() if _is_text(value))
    return tags


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _text(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
