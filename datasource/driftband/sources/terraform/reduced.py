"""Documents without secrets, in the form of those that they were read from and reduced to what is read of them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from driftband.model.address import parts
from driftband.sources.terraform.documents import Pulled
from driftband.sources.terraform.marks import split
from driftband.sources.terraform.modules import calls
from driftband.sources.terraform.plan import IDLE, SafePlan
from driftband.sources.terraform.state import VERSION, wrapped
from driftband.sources.terraform.tool import shown_version
from driftband.sources.terraform.values import SafeChange, SafeResource


def reduced_plan(plan: SafePlan) -> bytes:
    """Return a plan that reads as ``plan`` does."""
    header = plan.header
    for change in (*plan.drift, *(plan.changes or [])):
        plan.schemas.form(change.provider, change.type)
    document = {
        "format_version": header.format_version,
        "terraform_version": shown_version(header.terraform_version),
        "resource_drift": [_change(change) for change in plan.drift],
        "resource_changes": None if plan.changes is None else [_change(change) for change in plan.changes],
        "prior_state": {"format_version": "1.0", "values": {"root_module": _root(plan.resources)}},
        "configuration": {
            "provider_config": {name: {"full_name": name} for name in sorted(plan.providers)},
            "root_module": calls(plan.versions),
        },
        "provider_schemas": plan.schemas.reduced() or None,
        "timestamp": header.timestamp,
        "applyable": header.applyable,
        "complete": header.complete,
        "errored": header.errored,
    }
    return msgspec.json.encode({key: value for key, value in document.items() if value is not None})


def reduced_state(resources: list[SafeResource]) -> bytes:
    """Return ``show -json`` of a state."""
    return msgspec.json.encode({"format_version": "1.0", "values": {"root_module": _root(resources)}})


def reduced_pulled(state: Pulled, resources: list[SafeResource]) -> bytes:
    """Return a state as ``state pull`` gives it; each instance is a resource of its own."""
    items = []
    for each in resources:
        module, _, name, key = parts(each.address)
        values, mask = split(each.values)
        instance = {"attributes": wrapped(values), "sensitive_attributes": list(_paths(mask, []))}
        instance |= {} if key is None else {"index_key": key}
        item = {"mode": "managed", "type": each.type, "name": name, "provider": f'provider["{each.provider}"]'}
        items.append({**({"module": module} if module else {}), **item, "instances": [instance]})
    header = {"version": VERSION, "lineage": state.lineage, "serial": state.serial}
    return msgspec.json.encode({**header, "resources": items})


def _change(change: SafeChange) -> dict[str, Any]:
    found: dict[str, Any] = {"address": change.address, "previous_address": change.previous, "mode": "managed"}
    found |= {"type": change.type, "provider_name": change.provider}
    body: dict[str, Any] = {"actions": change.actions}
    if not IDLE.issuperset(change.actions):
        body["before"], body["before_sensitive"] = split(change.before)
        body["after"], body["after_sensitive"] = split(change.after)
        body["after_unknown"] = change.unknown or {}
    return {**{key: value for key, value in found.items() if value is not None}, "change": body}


def _root(resources: list[SafeResource]) -> dict[str, Any]:
    """Return the root module of a state; resources of the same module stand next to each other."""
    children: list[dict[str, Any]] = []
    last = None
    for each in resources:
        values, mask = split(each.values)
        if each.module != last or not children:
            children.append({"resources": []})
            last = each.module
        item = {"address": each.address, "mode": "managed", "type": each.type, "provider_name": each.provider}
        children[-1]["resources"].append({**item, "values": values, "sensitive_values": mask})
    return {"child_modules": children}


def _paths(mask: Any, above: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Go through the paths that a mask hides, in the form of a state."""
    if mask is True:
        yield above
    elif isinstance(mask, dict):
        for key, part in mask.items():
            yield from _paths(part, [*above, {"type": "get_attr", "value": key}])
    elif isinstance(mask, list):
        for index, part in enumerate(mask):
            yield from _paths(part, [*above, {"type": "index", "value": {"value": index, "type": "number"}}])
