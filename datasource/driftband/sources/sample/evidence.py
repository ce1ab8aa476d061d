"""The evidence of the sample world: what CI, scheduled scans and the cloud's audit log would have told driftband of it.

Everything is placed by the script's anchor, so worlds of the same four hours tell the same. Whoever is told does with it
what it does with any evidence: there is no finding in here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from driftband.model.audit import AuditEvent
from driftband.model.change import Change
from driftband.model.moment import from_ms, to_ms
from driftband.model.report import Planned, Report, Resource
from driftband.model.run import About
from driftband.sources.sample.estate import CHECKOUT, DATA, LINEAGES, NETWORK, estate
from driftband.sources.sample.moves import MOVES, PENDING, PENDING_FROM, RULE, RULE_EXPIRES, RULE_MADE, Move
from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import DAY_MINUTES, MINUTE
from driftband.sources.sample.works import APPLIES, changes, commit_of

DAYS = 21
_RARELY, _OFTEN = 720, 120
_OFTEN_FROM = -DAY_MINUTES
"""Minutes between two scans of a workspace: until the day before the anchor, and from then on."""
_SCANNED_AT: Mapping[str, int] = {CHECKOUT: 0, NETWORK: 20, DATA: 40}
"""Minutes after the hour. Checkout's falls into the apply that begins the incident, and finds the state locked."""
_SCAN_TAKES, _AUDIT_TAKES, _RECORD_TAKES = 40_000, 150_000, 8_000
"""Milliseconds until driftband is told: of a scan after it began, of audit events and changes after they ended."""
_FAILED = {(DATA, -7 * DAY_MINUTES): "no valid credential sources found"}


@dataclass(frozen=True)
class Scan:
    """A run of a workspace: what is said of it, and its report."""

    about: About
    report: Report


@dataclass(frozen=True)
class Rule:
    """An ignore rule that somebody makes, as the fields of the API."""

    fields: Mapping[str, str | datetime]


@dataclass(frozen=True)
class Told:
    """Something that driftband is told at an instant."""

    at: datetime
    what: Change | Scan | AuditEvent | Rule


def evidence(script: Script, until: datetime) -> list[Told]:
    """Return what has been told until an instant, in order of time."""
    first = script.anchor // DAY_MINUTES - DAYS
    declared = estate()
    told = [
        *(Told(_after(c.ended_at or c.started_at, _RECORD_TAKES), c) for c in changes(script, first, declared)),
        *_scans(script, first * DAY_MINUTES - script.anchor, declared),
        *_audit_events(script),
        Told(_moment(script, RULE_MADE), Rule({**RULE, "expires_at": _moment(script, RULE_EXPIRES)})),
    ]
    begin = from_ms(first * DAY_MINUTES * MINUTE)
    return sorted((one for one in told if begin <= one.at <= until), key=lambda one: one.at)


def _scans(script: Script, first: int, declared: Mapping[str, Mapping[str, Resource]]) -> Iterator[Told]:
    rarely = range(-(-first // _RARELY) * _RARELY, _OFTEN_FROM, _RARELY)
    for begins in (*rarely, *range(_OFTEN_FROM, DAY_MINUTES, _OFTEN)):
        for workspace, minute in _SCANNED_AT.items():
            at = begins + minute
            about = About(
                workspace=workspace,
                run=f"scan-{script.anchor + at}",
                lineage=LINEAGES[workspace],
                serial=_serial(workspace, at),
                commit=_commit(workspace, at),
                started_at=_moment(script, at),
            )
            report = _troubled(workspace, begins, at) or _report(declared[workspace], workspace, at)
            yield Told(_after(_moment(script, at), _SCAN_TAKES), Scan(about, report))


def _report(declared: Mapping[str, Resource], workspace: str, at: int) -> Report:
    moves = [move for move in MOVES if move.workspace == workspace and move.there(at)]
    state = _state(declared, workspace, at, [move for move in moves if move.taken_over(at)])
    planned = [move.planned(state[move.address]) for move in moves if not move.only_written]
    return Report(
        source="plan",
        tool="terraform",
        tool_version="1.11.4",
        drift=tuple(move.drifted(state[move.address]) for move in moves if not move.taken_over(at)),
        planned=(*planned, *_pending(workspace, at)),
        resources=tuple(state.values()),
        read=len(state),
    )


def _state(declared: Mapping[str, Resource], workspace: str, at: int, taken_over: list[Move]) -> dict[str, Resource]:
    """Return what the state says: as declared in the beginning, with what was applied and accepted since."""
    state = dict(declared)
    applied = [
        (address, path, after)
        for apply in APPLIES
        if apply.workspace == workspace and apply.begins + apply.takes <= at
        for address, path, _, after in apply.moves
    ]
    for address, path, value in (*applied, *((move.address, move.path, move.after) for move in taken_over)):
        state[address] = replace(state[address], attributes={**state[address].attributes, path: value})
    return state


def _pending(workspace: str, at: int) -> tuple[Planned, ...]:
    return (PENDING,) if workspace == CHECKOUT and at >= PENDING_FROM else ()


def _troubled(workspace: str, begins: int, at: int) -> Report | None:
    applying = any(a.workspace == workspace and a.begins <= at < a.begins + a.takes for a in APPLIES)
    error = "Error acquiring the state lock" if applying else _FAILED.get((workspace, begins))
    if error is None:
        return None
    return Report(source="stream", tool="terraform", errored=True, complete=False, locked=applying, errors=(error,))


def _audit_events(script: Script) -> Iterator[Told]:
    for move in MOVES:
        if move.actor:
            at = _moment(script, move.begins)
            event = AuditEvent(
                id=commit_of(f"audit/{script.anchor}/{move.address}/{move.begins}"),
                at=at,
                actor=move.actor,
                action=move.action,
                resources=move.mentions,
                source="kubernetes" if move.action == "patch" else "cloudtrail",
            )
            yield Told(_after(at, _AUDIT_TAKES), event)


def _serial(workspace: str, at: int) -> int:
    """Return the state's serial: each apply and each accepted drift has written it once."""
    applied = sum(a.workspace == workspace and a.begins + a.takes <= at for a in APPLIES)
    return 41 + applied + sum(move.workspace == workspace and move.taken_over(at) for move in MOVES)


def _commit(workspace: str, at: int) -> str:
    """Return the commit that the scan has checked out: the one applied last."""
    applied = [a.commit for a in APPLIES if a.workspace == workspace and a.begins + a.takes <= at]
    return [commit_of(f"{workspace}/first"), *applied][-1]


def _moment(script: Script, after: int) -> datetime:
    return from_ms((script.anchor + after) * MINUTE)


def _after(moment: datetime, milliseconds: int) -> datetime:
    return from_ms(to_ms(moment) + milliseconds)
