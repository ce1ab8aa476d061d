"""From what a run shows to what becomes of the findings of its workspace: pure, each step with its reason."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from driftband.detect.configuration import Observed, shorten, would_change
from driftband.detect.moves import with_moves
from driftband.detect.severity import severity_of
from driftband.model.attribute import AttributeDiff, leaves
from driftband.model.finding import ALARMING, Finding, Severity, Transition, step
from driftband.model.report import Renamed, Report


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A run as the findings see it. closes: whether it is complete, so that what it does not show is over.

    planned: addresses with the paths that the run's own normal plan would change, None where it made none.
    current: declared attributes by address, after refreshing, None where the report has no state (a stream).
    applied: addresses that applies touched since the last run, with the change's id. window_from: the last instant at
    which a run saw the workspace whole. previous: the id of the last closed finding by (address, kind).
    """

    run: str
    workspace: str
    at: datetime
    closes: bool
    observed: Sequence[Observed]
    renamed: Sequence[Renamed] = ()
    planned: Mapping[str, frozenset[str]] | None = None
    current: Mapping[str, Mapping[str, Any]] | None = None
    applied: Mapping[str, str] = field(default_factory=dict)
    identities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    window_from: datetime | None = None
    previous: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def is_coarse(self) -> bool:
        """Whether it says that the workspace has drifted, and of no resource which: nothing is over by that."""
        return any(not o.address for o in self.observed)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What to write. findings: all that are new or have moved. The counts are of alarming ones."""

    findings: tuple[Finding, ...]
    transitions: tuple[Transition, ...]
    opened: int
    still_open: int
    closed: int


def current_of(report: Report) -> dict[str, Mapping[str, Any]] | None:
    """Return the attributes of the resources that a report has read, by address; None for a stream."""
    return None if report.resources is None else {shorten(r.address): r.attributes for r in report.resources}


def reconcile(known: Sequence[Finding], shown: Shown) -> Outcome:
    """Carry the open and accepted configuration findings ``known`` of a workspace through a run."""
    desk = _Desk(shown)
    followed = {r.source: r.target for r in shown.renamed}
    by_address = {o.address: o for o in shown.observed}
    for finding in known:
        here = replace(finding, address=followed.get(finding.address, finding.address))
        observed = by_address.get(here.address)
        if observed is not None and observed.kind == here.kind:
            desk.keep(finding, here, observed)
            del by_address[here.address]
        elif observed is not None and observed.class_ == "pending" and here.alarming:
            if desk.leave(finding, here):
                del by_address[here.address]
        elif observed is not None:
            desk.close(here, f"it is now {observed.kind}")
        else:
            desk.leave(finding, here)
    for observed in by_address.values():
        desk.open(observed)
    return desk.outcome()


def finding_id(workspace: str, address: str, kind: str, run: str) -> str:
    """Return the id of the finding that a run opens: the same run reported twice opens the same one."""
    text = f"{workspace}\0{address}\0{kind}\0{run}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=10).hexdigest()


class _Desk:
    """Collects what becomes of each finding."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._findings: list[Finding] = []
        self._transitions: list[Transition] = []
        self._opened = self._still = self._closed = 0

    def outcome(self) -> Outcome:
        return Outcome(
            findings=tuple(self._findings),
            transitions=tuple(self._transitions),
            opened=self._opened,
            still_open=self._still,
            closed=self._closed,
        )

    def open(self, observed: Observed) -> None:
        shown = self._shown
        severity, reason = _judged(observed)
        finding = Finding(
            id=finding_id(shown.workspace, observed.address, observed.kind, shown.run),
            layer="configuration",
            kind=observed.kind,
            class_=observed.class_,
            workspace=shown.workspace,
            address=observed.address,
            resource_type=observed.resource_type,
            module=observed.module,
            identity=shown.identities.get(observed.address, {}),
            severity=severity,
            opened_at=shown.at,
            last_seen_at=shown.at,
            window_from=shown.window_from,
            reason=reason,
            attributes=observed.attributes,
            reopens=shown.previous.get((observed.address, observed.kind)),
            ignored_by=observed.ignored_by,
        )
        self._opened += finding.alarming
        self._record(*step(finding, shown.at, finding.reason, shown.run))

    def keep(self, before: Finding, here: Finding, observed: Observed) -> None:
        """Carry a finding that is still there; a changed class is a step, new values are not."""
        shown = self._shown
        changed = observed.class_ != here.class_
        moved = replace(
            here,
            class_=observed.class_,
            attributes=observed.attributes,
            evidence=with_moves(here, observed.attributes, shown.at),
            last_seen_at=max(shown.at, here.last_seen_at),
            reason=_judged(observed)[1],
            ignored_by=observed.ignored_by,
        )
        if changed and moved.alarming and not before.alarming and moved.state == "open":
            self._opened += 1
        elif moved.alarming:
            self._still += 1
        if changed:
            self._record(*step(moved, max(shown.at, here.opened_at), moved.reason, shown.run))
        else:
            self._findings.append(moved)

    def leave(self, before: Finding, here: Finding) -> bool:
        """Decide about a finding that the run does not show, and tell whether it stays."""
        shown = self._shown
        if (
            not shown.closes
            or (here.class_ == "pending" and shown.planned is None)
            or (here.address and shown.is_coarse)
        ):
            self._unseen(before, here)
            return True
        verdict, reason = fate(here, shown)
        if verdict == "closed":
            self.close(here, reason)
            return False
        self._still += here.state == "open"
        if here.class_ == "accepted_undeclared":
            self._findings.append(replace(here, last_seen_at=max(shown.at, here.last_seen_at)))
        else:
            at = max(shown.at, here.opened_at)
            self._record(*step(here, at, reason, shown.run, class_="accepted_undeclared", ignored_by=None))
        return True

    def close(self, here: Finding, reason: str) -> None:
        at = max(self._shown.at, here.opened_at)
        self._closed += here.alarming
        self._record(*step(here, at, reason, self._shown.run, state="closed", closed_at=at))

    def _unseen(self, before: Finding, here: Finding) -> None:
        self._still += here.alarming
        if here != before:
            self._findings.append(here)

    def _record(self, finding: Finding, transition: Transition) -> None:
        self._findings.append(finding)
        self._transitions.append(transition)


def _judged(observed: Observed) -> tuple[Severity, str]:
    severity, why = severity_of(observed.kind, observed.resource_type, observed.attributes)
    return severity, f"{observed.reason}; {why}" if why else observed.reason


def fate(finding: Finding, shown: Shown) -> tuple[str, str]:
    """Return ``closed`` or ``accepted`` and why, for a finding that a complete run does not show.

    Not being shown has three meanings: reality went back; the code says so too; or the state took it over
    (``apply -refresh-only``) and nobody wrote it into the code.
    """
    address = finding.address
    if not address:
        return "closed", "the run names the resources" if shown.observed else "the workspace no longer drifts"
    if finding.class_ not in ALARMING:
        return "closed", "it is no longer reported"
    if address in shown.applied:
        return "closed", f"applied by {shown.applied[address]}"
    if shown.current is None:
        if finding.class_ == "accepted_undeclared":
            return "accepted", "a stream tells nothing of what the state took over"
        return "closed", "it is no longer reported"
    if finding.kind == "deleted_outside":
        return _deleted(address, shown)
    if address not in shown.current:
        if shown.planned is not None and address in shown.planned:
            return "accepted", "it has gone from the state, and the code still declares it"
        return "closed", "the resource is no longer in the state"
    return _attributes(finding, shown.current[address], shown)


def _deleted(address: str, shown: Shown) -> tuple[str, str]:
    if shown.current is not None and address in shown.current:
        return "closed", "it exists again"
    if shown.planned is None:
        return (
            "accepted",
            "the state took its deletion over; a normal plan would tell whether the code still declares it",
        )
    if address in shown.planned:
        return "accepted", "the state took its deletion over, and the code still declares it"
    return "closed", "the code no longer declares it either"


def _attributes(finding: Finding, current: Mapping[str, Any], shown: Shown) -> tuple[str, str]:
    told = [a for a in finding.attributes if not a.sensitive]
    moved = [a.path for a in told if not _is_back(a, current)]
    if told and not moved:
        return "closed", "reality is what was declared again"
    if shown.planned is not None:
        paths = frozenset(a.path for a in finding.attributes)
        if would_change(shown.planned.get(finding.address), paths):
            return "accepted", "the state took it over, and the code would still change it back"
        return "closed", "the code says so too"
    if not told:
        return "closed", "it is no longer reported; its value is secret, so that nothing more is known"
    return "accepted", (
        f"the state took {moved[0]} over, and no normal plan has shown it in the code: codify it, or revert it"
    )


def _is_back(attribute: AttributeDiff, current: Mapping[str, Any]) -> bool:
    """Whether an attribute is as declared. Of lists and sets, ``before`` and ``after`` may be what differed alone."""
    here = {path: value for path, value in current.items() if _within(path, attribute.path)}
    if isinstance(attribute.before, list) or isinstance(attribute.after, list):
        before, after = _elements(attribute.before), _elements(attribute.after)
        there = _grouped(here, attribute.path)
        return before <= there and not (after - before) & there
    return dict(leaves(attribute.before, attribute.path)) == here


def _within(path: str, outer: str) -> bool:
    return path.startswith(outer) and path[len(outer) :][:1] in ("", ".", "[")


def _elements(value: Any) -> set[frozenset[tuple[str, Any]]]:
    return {frozenset(leaves(element)) for element in value or ()}


def _grouped(here: Mapping[str, Any], path: str) -> set[frozenset[tuple[str, Any]]]:
    """Return the elements of the list at ``path`` from its leaves."""
    elements: dict[str, set[tuple[str, Any]]] = {}
    for leaf, value in here.items():
        index, _, rest = leaf[len(path) + 1 :].partition("]")
        elements.setdefault(index, set()).add((rest.removeprefix("."), value))
    return {frozenset(element) for element in elements.values()}
