"""Applies: what ``apply -json`` did, and with which values, which the plan knows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from driftband.model.address import module_path
from driftband.model.change import ChangeStatus, Touched
from driftband.model.report import Applied
from driftband.sources.terraform.errors import ReportError
from driftband.sources.terraform.lines import Counts, Line, SafeStream, Subject
from driftband.sources.terraform.plan import IDLE, SafePlan
from driftband.sources.terraform.report import planned_attributes
from driftband.sources.terraform.stream import TRUNCATED
from driftband.sources.terraform.tool import moment
from driftband.sources.terraform.values import SafeChange

_DONE = {"create": "added", "update": "changed", "delete": "destroyed"}


def applied_stream(stream: SafeStream, plan: SafePlan | None) -> Applied:
    """Return what an apply did. It starts with the first resource that it touches, and ends with its last line."""
    errors = list(dict.fromkeys(error.summary for error in stream.errors))
    if not stream.applies and not errors and not stream.truncated:
        raise ReportError("this is the stream of a plan, not of an apply: report it with `driftband drift report`")
    summary = next((line.changes for line in stream.lines if _summarises(line)), None)
    status: ChangeStatus = "succeeded" if summary and not errors else "failed"
    starts = [line for line in stream.lines if line.type == "apply_start" and _acts(line)]
    changes = {} if plan is None else {change.address: change for change in _acting(plan)}
    times = [at for line in (starts or stream.lines) if (at := moment(line.timestamp))]
    ends = [at for line in stream.lines if (at := moment(line.timestamp))]
    return Applied(
        tool=stream.tool,
        started_at=min(times, default=None),
        ended_at=max(ends, default=None),
        status=status,
        summary=_counted(summary) if summary else _interrupted(stream.lines),
        resources=tuple(_from_plan(touched, plan, changes) for touched in _touched(starts)),
        errors=(*errors, *([TRUNCATED] if stream.truncated else [])),
    )


def applied_plan(plan: SafePlan) -> Applied:
    """Return what a plan would have done, for an apply that left no log: it is taken for done."""
    touched = _acting(plan)
    counts = {action: sum(action in change.actions for change in touched) for action in _DONE}
    failed = plan.header.errored is True
    return Applied(
        tool=plan.tool,
        started_at=moment(plan.header.timestamp),
        ended_at=None,
        status="failed" if failed else "succeeded",
        summary=f"{counts['create']} to add, {counts['update']} to change, {counts['delete']} to destroy",
        resources=tuple(
            _from_plan(_as_touched(change.address, change.type, change.actions), plan, {change.address: change})
            for change in touched
        ),
        errors=("the plan itself has failed",) if failed else (),
    )


def _touched(starts: Iterable[Line]) -> Iterable[Touched]:
    """Return the resources in the order in which they were first touched; a replaced one has two actions."""
    found: dict[str, tuple[Subject, list[str]]] = {}
    for line in starts:
        if line.hook and line.hook.resource:
            _, actions = found.setdefault(line.hook.resource.addr, (line.hook.resource, []))
            if actions[-1:] != [line.hook.action]:
                actions.append(line.hook.action)
    return [
        _as_touched(address, subject.resource_type, tuple(actions)) for address, (subject, actions) in found.items()
    ]


def _as_touched(address: str, resource_type: str, actions: tuple[str, ...]) -> Touched:
    return Touched(address=address, type=resource_type, module=module_path(address), actions=actions)


def _acting(plan: SafePlan) -> list[SafeChange]:
    return [change for change in plan.changes or [] if not IDLE.issuperset(change.actions)]


def _from_plan(touched: Touched, plan: SafePlan | None, changes: Mapping[str, SafeChange]) -> Touched:
    """Return the touched resource with what its plan knows of it."""
    if plan is None:
        return touched
    change = changes.get(touched.address)
    return replace(
        touched,
        module_version=plan.versions.get(touched.module, ""),
        attributes=planned_attributes(change, plan.schemas) if change else (),
    )


def _acts(line: Line) -> bool:
    return line.hook is not None and line.hook.action != "read"


def _summarises(line: Line) -> bool:
    return line.changes is not None and line.changes.operation in ("apply", "destroy")


def _counted(counts: Counts) -> str:
    parts = [f"{counts.add} added", f"{counts.change} changed", f"{counts.remove} destroyed"]
    parts += [f"{counts.imported} imported"] if counts.imported else []
    parts += [f"{counts.forget} forgotten"] if counts.forget else []
    return ", ".join(parts)


def _interrupted(lines: Iterable[Line]) -> str:
    """Count what was done before an apply failed, which tells no summary itself."""
    lines = [line for line in lines if _acts(line)]
    done = [line.hook.action for line in lines if line.type == "apply_complete" and line.hook]
    parts = [f"{done.count(action)} {word}" for action, word in _DONE.items()]
    return ", ".join([*parts, f"{sum(line.type == 'apply_errored' for line in lines)} failed"])
