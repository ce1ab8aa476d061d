"""States: ``show -json`` of one, and what ``state pull`` gives."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from driftband.model.address import module_path, parts
from driftband.model.report import Inventory, Tool
from driftband.sources.terraform import masks
from driftband.sources.terraform.address import Addresses
from driftband.sources.terraform.documents import Instance, Pulled, PulledResource, State
from driftband.sources.terraform.errors import ReportError
from driftband.sources.terraform.known import Known
from driftband.sources.terraform.plan import state_resources
from driftband.sources.terraform.redact import Redactor
from driftband.sources.terraform.resource import resource
from driftband.sources.terraform.tool import check_format, tool_of
from driftband.sources.terraform.values import SafeResource, decoded, learn_outputs

VERSION = 4
"""The version of the form of ``state pull``."""
_PROVIDER = re.compile(r'provider\["([^"]+)"\]')
_PRIMITIVES = {"string": str, "number": int | float, "bool": bool}
_STATE = msgspec.json.Decoder(State)
_PULLED = msgspec.json.Decoder(Pulled)


def open_state(body: bytes) -> list[SafeResource]:
    """Read ``show -json`` of a state and hide its secrets."""
    state = _STATE.decode(body)
    check_format(state.format_version, "state")
    known = Known()
    values = state.values
    learn_outputs(values.outputs if values else None, frozenset(), known)
    return _hidden(list(state_resources(values.root_module if values else None, Addresses(), known)), known)


def open_pulled(body: bytes) -> tuple[Pulled, list[SafeResource]]:
    """Read what ``state pull`` gave and hide its secrets."""
    state = _PULLED.decode(body)
    if state.version != VERSION:
        raise ReportError(f"this state is of another version than {VERSION}: pull it with Terraform 0.12 or newer")
    known = Known()
    learn_outputs(state.outputs, frozenset(), known)
    addresses = Addresses()
    return state, _hidden(
        [each for item in state.resources or [] for each in _instances(item, addresses, known)], known
    )


def inventory(resources: list[SafeResource], *, lineage: str = "", serial: int | None = None) -> Inventory:
    """Return the inventory of redacted resources."""
    return Inventory(
        tool=_tool(resources),
        lineage=lineage,
        serial=serial,
        resources=tuple(
            resource(
                address=each.address,
                resource_type=each.type,
                module=each.module,
                provider=each.provider,
                values=each.values,
            )
            for each in resources
        ),
    )


def _tool(resources: list[SafeResource]) -> Tool:
    return tool_of(each.provider for each in resources)


def _hidden(resources: list[SafeResource], known: Known) -> list[SafeResource]:
    redactor = Redactor(known, (each.values for each in resources))
    for each in resources:
        each.values, _ = redactor.hide(each.values, mask=each.mask)
    return resources


def _instances(item: PulledResource, addresses: Addresses, known: Known) -> Iterator[SafeResource]:
    if item.mode != "managed":
        return
    provider = _PROVIDER.search(item.provider)
    for instance in item.instances:
        if instance.deposed is not None:
            continue
        values = _plain(decoded(instance.attributes))
        mask = _mask(instance.sensitive_attributes)
        masks.collect(values, mask, known)
        yield SafeResource(
            address=addresses.safe(_address(item, instance)),
            type=item.type,
            module=module_path(item.module),
            provider=provider[1] if provider else item.provider,
            values=values,
            mask=mask,
        )


def _address(item: PulledResource, instance: Instance) -> str:
    address = f"{item.module}.{item.type}.{item.name}" if item.module else f"{item.type}.{item.name}"
    key = instance.index_key
    if isinstance(key, str):
        address += f"[{json.dumps(key, ensure_ascii=False)}]"
    elif key is not None:
        address += f"[{int(key)}]"
    if parts(address)[:3] != (item.module, item.type, item.name):
        raise ReportError("the state has a resource whose module, type or name is none that Terraform would write")
    return address


def _mask(paths: Any) -> masks.Mask:
    return masks.of_paths([path for path in paths if isinstance(path, list)]) if isinstance(paths, list) else False


def _plain(values: Any) -> Any:
    """Unwrap attributes of no fixed type: a state has them as ``{"value": ..., "type": ...}``."""
    if not isinstance(values, dict):
        return None
    return {key: value["value"] if _is_wrapped(value) else value for key, value in values.items()}


def wrapped(values: Any) -> Any:
    """Wrap again what would else be unwrapped when it is read."""
    if not isinstance(values, dict):
        return values
    return {
        key: {"value": value, "type": ["object", {}]} if _is_wrapped(value) else value for key, value in values.items()
    }


def _is_wrapped(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"value", "type"}:
        return False
    kind = value["type"]
    if isinstance(kind, list):
        return kind[:1] in (["object"], ["tuple"], ["map"], ["list"], ["set"])
    return isinstance(kind, str) and kind in _PRIMITIVES and isinstance(value["value"], _PRIMITIVES[kind] | None)
