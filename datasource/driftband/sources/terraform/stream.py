"""``plan -json``: which resources have drifted, without values, and what could not be read."""

from collections.abc import Iterable

from driftband.model.address import module_path
from driftband.model.report import Drifted, Renamed, Report
from driftband.sources.terraform.lines import Line, Planned, SafeStream
from driftband.sources.terraform.tool import moment, shown_version

TRUNCATED = "the stream ends in the middle of a line: the run was cut off, or its output was"
_LOCKED = ("error acquiring the state lock", "error locking state")


def stream_report(stream: SafeStream) -> Report:
    """Return what the stream of a plan says; its timestamp is that of its first line."""
    lines = stream.lines
    errors = list(dict.fromkeys(error.summary for error in stream.errors))
    started, finished = _addresses(lines, "refresh_start"), _addresses(lines, "refresh_complete")
    unread = [address for address in started if address not in finished]
    unread += [error.address for error in stream.errors if error.address]
    planned = any(line.type == "change_summary" for line in lines)
    changes = [line.change for line in lines if line.change is not None]
    drift = [line.change for line in lines if line.change is not None and line.type == "resource_drift"]
    return Report(
        source="stream",
        tool=stream.tool,
        tool_version=shown_version(stream.version.tofu or stream.version.terraform),
        timestamp=moment(stream.version.timestamp),
        errored=bool(errors),
        complete=planned and not errors and not unread and not stream.truncated,
        locked=any(error.lower().startswith(_LOCKED) for error in errors),
        drift=tuple(_drifted(drift)),
        renamed=_renamed(changes),
        read=len(finished),
        unread=tuple(dict.fromkeys(unread)),
        errors=(*errors, *([TRUNCATED] if stream.truncated else [])),
    )


def _addresses(lines: Iterable[Line], kind: str) -> dict[str, None]:
    """Return the addresses of the lines of a kind, in order."""
    return {line.hook.resource.addr: None for line in lines if line.type == kind and line.hook and line.hook.resource}


def _drifted(changes: Iterable[Planned]) -> Iterable[Drifted]:
    for change in changes:
        if change.resource is None or change.action not in ("update", "delete"):
            continue
        previous = change.previous_resource.addr if change.previous_resource else None
        yield Drifted(
            address=change.resource.addr,
            resource_type=change.resource.resource_type,
            module=module_path(change.resource.addr),
            action="delete" if change.action == "delete" else "update",
            known_values=False,
            previous_address=previous if previous != change.resource.addr else None,
        )


def _renamed(changes: Iterable[Planned]) -> tuple[Renamed, ...]:
    moves = {
        (change.previous_resource.addr, change.resource.addr): None
        for change in changes
        if change.resource and change.previous_resource and change.previous_resource.addr != change.resource.addr
    }
    return tuple(Renamed(source=source, target=target) for source, target in moves)
