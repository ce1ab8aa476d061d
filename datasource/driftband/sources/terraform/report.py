"""From a plan without secrets to the report of it."""

from collections.abc import Iterable, Iterator

from driftband.model.address import module_path
from driftband.model.attribute import AttributeDiff
from driftband.model.report import Drifted, Planned, Renamed, Report, Resource
from driftband.sources.terraform.difference import Difference, overlaid
from driftband.sources.terraform.plan import IDLE, SafePlan
from driftband.sources.terraform.resource import resource
from driftband.sources.terraform.sets import Schemas
from driftband.sources.terraform.tool import moment, shown_version
from driftband.sources.terraform.values import ACTIONS, UNKNOWN_ACTION, SafeChange


def plan_report(plan: SafePlan) -> Report:
    """Return what a plan says."""
    header = plan.header
    errored = header.errored is True
    return Report(
        source="plan",
        tool=plan.tool,
        tool_version=shown_version(header.terraform_version),
        timestamp=moment(header.timestamp),
        errored=errored,
        complete=not errored and header.complete is not False,
        drift=tuple(_drifted(change, plan.schemas) for change in plan.drift if not IDLE.issuperset(change.actions)),
        renamed=_renamed((*plan.drift, *(plan.changes or []))),
        planned=None if plan.changes is None else tuple(_planned(plan.changes, plan.schemas)),
        resources=tuple(_resources(plan)),
        read=len(plan.resources),
        errors=tuple(_unknown_actions((*plan.drift, *(plan.changes or [])))),
    )


def _unknown_actions(changes: Iterable[SafeChange]) -> Iterator[str]:
    addresses = [change.address for change in changes if UNKNOWN_ACTION in change.actions]
    if addresses:
        more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
        yield (
            f"the plan has an action that is none of {', '.join(ACTIONS)}, for {addresses[0]}{more}: taken for a change; "
            "was it made by a newer Terraform?"
        )


def _drifted(change: SafeChange, schemas: Schemas) -> Drifted:
    deleted = "delete" in change.actions
    form = schemas.form(change.provider, change.type)
    difference = None if deleted else Difference(change.before, change.after, form)
    return Drifted(
        address=change.address,
        resource_type=change.type,
        module=module_path(change.address),
        action="delete" if deleted else "update",
        attributes=tuple(difference.attributes) if difference else (),
        normalised=tuple(difference.normalised) if difference else (),
        previous_address=change.previous,
    )


def _renamed(changes: Iterable[SafeChange]) -> tuple[Renamed, ...]:
    """Return the moves; one that is also changed has moved all the same."""
    moves = {(change.previous, change.address): None for change in changes if change.previous}
    return tuple(Renamed(source=source, target=target) for source, target in moves if source)


def _planned(changes: Iterable[SafeChange], schemas: Schemas) -> Iterator[Planned]:
    for change in changes:
        if not IDLE.issuperset(change.actions):
            yield Planned(
                address=change.address,
                resource_type=change.type,
                module=module_path(change.address),
                actions=change.actions,
                attributes=planned_attributes(change, schemas),
            )


def planned_attributes(change: SafeChange, schemas: Schemas) -> tuple[AttributeDiff, ...]:
    """Return what a planned change would do: what is not known yet has None after; a deletion has no attributes."""
    if change.after is None:
        return ()
    # Of what is created, all that nobody knows yet says nothing.
    after = change.after if change.before is None else overlaid(change.after, change.unknown)
    return tuple(Difference(change.before, after, schemas.form(change.provider, change.type)).attributes)


def _resources(plan: SafePlan) -> Iterator[Resource]:
    """Return the resources with what was declared: what has drifted, and what is gone, as it was before."""
    declared = {change.address: change for change in plan.drift if not IDLE.issuperset(change.actions)}
    for each in plan.resources:
        drifted = declared.pop(each.address, None)
        yield resource(
            address=each.address,
            resource_type=each.type,
            module=each.module,
            version=plan.versions.get(each.module, ""),
            provider=each.provider,
            values=drifted.before if drifted else each.values,
        )
    for change in declared.values():
        module = module_path(change.address)
        yield resource(
            address=change.address,
            resource_type=change.type,
            module=module,
            version=plan.versions.get(module, ""),
            provider=change.provider,
            values=change.before,
        )
