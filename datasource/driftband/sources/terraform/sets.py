"""Which attributes are sets: all that is kept of a provider's schema, which alone can tell a set from a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from driftband.sources.terraform.documents import ProviderSchema


@dataclass(frozen=True, slots=True)
class Form:
    """What the schema says of a value: whether it is a set, and the forms of what is in it.

    inside: by attribute for an object, or for the objects of a collection. elements: of what is in a collection of
    collections, and of a map.
    """

    is_set: bool = False
    inside: Mapping[str, "Form"] = field(default_factory=dict)
    elements: "Form | None" = None

    def attribute(self, key: str) -> "Form":
        """Return the form of an attribute, or of an element of a map."""
        return self.inside.get(key) or self.elements or PLAIN

    def element(self) -> "Form":
        """Return the form of an element of a list or a set."""
        return self.elements or Form(inside=self.inside)


PLAIN = Form()


class Schemas:
    """The forms of resource types, read where they are asked for."""

    def __init__(self, providers: Mapping[str, ProviderSchema] | None) -> None:
        self._providers = providers or {}
        self._forms: dict[tuple[str, str], Form] = {}

    def form(self, provider: str, resource_type: str) -> Form:
        """Return what is known of a resource type; PLAIN where the schema is not given."""
        key = provider, resource_type
        if key not in self._forms:
            self._forms[key] = _block(self._block(*key))
        return self._forms[key]

    def reduced(self) -> dict[str, Any]:
        """Return the schemas of the types that were asked for, in the form of ``providers schema -json``."""
        found: dict[str, Any] = {}
        for provider, resource_type in sorted(self._forms):
            if block := _reduced_block(self._block(provider, resource_type)):
                types = found.setdefault(provider, {"resource_schemas": {}})["resource_schemas"]
                types[resource_type] = {"block": block}
        return found

    def _block(self, provider: str, resource_type: str) -> Any:
        schema = self._providers.get(provider)
        raw = schema.resource_schemas.get(resource_type) if schema else None
        decoded = msgspec.json.decode(raw) if raw is not None else None
        return decoded.get("block") if isinstance(decoded, dict) else None


def _block(block: Any) -> Form:
    inside = {name: _attribute(given) for name, given in _items(block, "attributes")}
    inside.update((name, _nested(given, _block(given.get("block")))) for name, given in _items(block, "block_types"))
    return Form(inside=inside)


def _attribute(given: dict[str, Any]) -> Form:
    nested = given.get("nested_type")
    return _nested(nested, _block(nested)) if isinstance(nested, dict) else _type(given.get("type"))


def _nested(given: dict[str, Any], block: Form) -> Form:
    mode = given.get("nesting_mode")
    return Form(elements=block) if mode == "map" else Form(is_set=mode == "set", inside=block.inside)


def _type(given: Any) -> Form:
    match given:
        case ["object", dict(attributes), *_]:
            return Form(inside={name: _type(inner) for name, inner in attributes.items()})
        case ["tuple", *_]:
            return PLAIN
        case [str(kind), inner]:
            return Form(is_set=kind == "set", elements=_type(inner))
    return PLAIN


def _items(block: Any, name: str) -> list[tuple[str, dict[str, Any]]]:
    given = block.get(name) if isinstance(block, dict) else None
    return [(key, inner) for key, inner in given.items() if isinstance(inner, dict)] if isinstance(given, dict) else []


def _reduced_block(block: Any) -> dict[str, Any]:
    attributes = {name: part for name, given in _items(block, "attributes") if (part := _reduced_attribute(given))}
    blocks = {name: part for name, given in _items(block, "block_types") if (part := _reduced_nested(given, "block"))}
    return {key: part for key, part in (("attributes", attributes), ("block_types", blocks)) if part}


def _reduced_attribute(given: dict[str, Any]) -> dict[str, Any]:
    nested = given.get("nested_type")
    if isinstance(nested, dict):
        inner = _reduced_nested({"nesting_mode": nested.get("nesting_mode"), "block": nested}, "block")
        return {"nested_type": {"nesting_mode": inner["nesting_mode"], **inner["block"]}} if inner else {}
    return {"type": given["type"]} if _has_set(given.get("type")) else {}


def _reduced_nested(given: dict[str, Any], inside: str) -> dict[str, Any]:
    block = _reduced_block(given.get(inside))
    mode = given.get("nesting_mode")
    return {"nesting_mode": mode, inside: block} if block or mode == "set" else {}


def _has_set(given: Any) -> bool:
    if isinstance(given, dict):
        return any(_has_set(inner) for inner in given.values())
    if isinstance(given, list):
        return given[:1] == ["set"] or any(_has_set(inner) for inner in given)
    return False
