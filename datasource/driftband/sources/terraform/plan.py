"""Plans: ``show -json`` of a refresh-only or of a normal plan, opened without their secrets."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from driftband.model.address import module_path
from driftband.model.report import Tool
from driftband.sources.terraform import masks
from driftband.sources.terraform.address import Addresses
from driftband.sources.terraform.documents import (
    ConfiguredModule,
    Plan,
    ProviderSchema,
    ProviderSchemas,
    ResourceChange,
    StateModule,
    StateResource,
)
from driftband.sources.terraform.known import Known
from driftband.sources.terraform.modules import versions
from driftband.sources.terraform.redact import Redactor
from driftband.sources.terraform.sets import Schemas
from driftband.sources.terraform.tool import check_format, planning_tool
from driftband.sources.terraform.values import SafeChange, SafeResource, decoded, decoded_mask, learn_outputs, opened

IDLE = frozenset({"no-op", "read"})
"""Actions that change nothing."""

_PLAN = msgspec.json.Decoder(Plan)
_WRAPPED = msgspec.json.Decoder(ProviderSchemas)
_BY_PROVIDER = msgspec.json.Decoder(dict[str, ProviderSchema] | None)


@dataclass(frozen=True, kw_only=True, slots=True)
class SafePlan:
    """A plan whose values carry no secret. header: the fields that are told as they stand.

    drift, changes: managed resources alone; changes is None where the plan is a refresh-only one. resources: those of
    the prior state. known: the plan's secrets, for texts that belong to it.
    """

    header: Plan
    tool: Tool
    drift: list[SafeChange]
    changes: list[SafeChange] | None
    resources: list[SafeResource]
    versions: dict[str, str]
    providers: frozenset[str]
    schemas: Schemas
    known: Known


def open_plan(body: bytes, schemas: bytes | None = None) -> SafePlan:
    """Decode a plan and hide its secrets; ``schemas``: ``providers schema -json``, else those that came with it.

    Raises:
        ReportError: another major version of the format.
        msgspec.MsgspecError, RecursionError, UnicodeError: it is not what Terraform writes.

    """
    plan = _PLAN.decode(body)
    check_format(plan.format_version, "plan")
    known, addresses = Known(), Addresses()
    _learn(plan, known)
    drift = list(_changes(plan.resource_drift, addresses, known))
    changes = None if plan.resource_changes is None else list(_changes(plan.resource_changes, addresses, known))
    root = plan.prior_state.values.root_module if plan.prior_state and plan.prior_state.values else None
    resources = list(state_resources(root, addresses, known))
    _hide(drift, changes or [], resources, known)
    providers = _providers(plan)
    used = {each.provider for each in (*drift, *(changes or ()))} | {each.provider for each in resources}
    return SafePlan(
        header=plan,
        tool=planning_tool(
            providers | used,
            plan.terraform_version,
            says_applyable=plan.applyable is not None or plan.complete is not None,
        ),
        drift=drift,
        changes=changes,
        resources=resources,
        versions=versions(plan.configuration),
        providers=providers,
        schemas=Schemas(_schemas(plan.provider_schemas if schemas is None else msgspec.Raw(schemas))),
        known=known,
    )


def state_resources(root: StateModule | None, addresses: Addresses, known: Known) -> Iterator[SafeResource]:
    """Decode the managed resources of a state, and learn their secrets."""
    for module, resource in _managed(root):
        mask = decoded_mask(resource.sensitive_values)
        values = decoded(resource.values)
        masks.collect(values, mask, known)
        address = addresses.safe(resource.address)
        yield SafeResource(address, resource.type, module, resource.provider_name, values, mask)


def _managed(module: StateModule | None) -> Iterator[tuple[str, StateResource]]:
    if module is None:
        return
    path = None
    for resource in module.resources:
        path = module_path(resource.address) if path is None else path
        if resource.mode == "managed" and resource.deposed_key is None:
            yield path, resource
    for child in module.child_modules:
        yield from _managed(child)


def _changes(items: list[ResourceChange] | None, addresses: Addresses, known: Known) -> Iterator[SafeChange]:
    for item in items or []:
        moved = item.previous_address not in (None, item.address)
        if item.mode != "managed" or item.deposed is not None or (not moved and IDLE.issuperset(item.change.actions)):
            continue
        address = addresses.safe(item.address)
        previous = addresses.safe(item.previous_address) if moved and item.previous_address else None
        yield opened(item, address, previous, known)


def _hide(drift: list[SafeChange], changes: list[SafeChange], resources: list[SafeResource], known: Known) -> None:
    declared = {change.address for change in drift if not IDLE.issuperset(change.actions)}
    for resource in resources:
        if resource.address in declared:
            resource.values = None
    trees = [tree for change in (*drift, *changes) for tree in (change.before, change.after)]
    redactor = Redactor(known, (*trees, *(resource.values for resource in resources)))
    for change in (*drift, *changes):
        change.before, change.after = redactor.hide(change.before, change.after, mask=change.mask)
    for resource in resources:
        resource.values, _ = redactor.hide(resource.values, mask=resource.mask)


def _learn(plan: Plan, known: Known) -> None:
    """Learn the values of sensitive variables and outputs; they stand in a plan as plain text."""
    root = plan.configuration.root_module if plan.configuration else None
    variables = {name: each for name, each in ((root and root.variables) or {}).items() if each.sensitive}
    for name, declared in variables.items():
        known.add(decoded(declared.default))
        if plan.variables and name in plan.variables:
            known.add(decoded(plan.variables[name].value))
    outputs = _sensitive_outputs(root)
    learn_outputs(plan.planned_values.outputs if plan.planned_values else None, outputs, known)
    learn_outputs(
        plan.prior_state.values.outputs if plan.prior_state and plan.prior_state.values else None, outputs, known
    )
    for name, change in (plan.output_changes or {}).items():
        mask = masks.union(decoded_mask(change.before_sensitive), decoded_mask(change.after_sensitive))
        for raw in (change.before, change.after):
            masks.collect(decoded(raw), mask if name not in outputs else True, known)


def _sensitive_outputs(root: ConfiguredModule | None) -> frozenset[str]:
    return frozenset(name for name, each in ((root and root.outputs) or {}).items() if each.sensitive)


def _providers(plan: Plan) -> frozenset[str]:
    configured = plan.configuration.provider_config if plan.configuration else None
    return frozenset(each.full_name for each in (configured or {}).values() if each.full_name)


def _schemas(raw: msgspec.Raw) -> dict[str, ProviderSchema] | None:
    """Return schemas given by provider, or as ``providers schema -json`` wraps them."""
    if "provider_schemas" in (msgspec.json.decode(raw, type=dict[str, msgspec.Raw] | None) or {}):
        return _WRAPPED.decode(raw).provider_schemas
    return _BY_PROVIDER.decode(raw)
