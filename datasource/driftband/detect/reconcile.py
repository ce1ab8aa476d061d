"""From what a run shows to what becomes of the findings of its workspace: pure, each step with its reason."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from driftband.detect.acceptance import beyond, reopened
from driftband.detect.configuration import Observed
from driftband.detect.fate import fate
from driftband.detect.moves import with_moves
from driftband.detect.renaming import renamed
from driftband.detect.severity import severity_of
from driftband.detect.shown import Shown
from driftband.model.finding import Finding, Severity, Transition, step


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What to write. findings: all that are new or have moved. The counts are of alarming ones."""

    findings: tuple[Finding, ...]
    transitions: tuple[Transition, ...]
    opened: int
    still_open: int
    closed: int


def reconcile(known: Sequence[Finding], shown: Shown) -> Outcome:
    """Carry the open and accepted configuration findings ``known`` of a workspace through a run."""
    desk = _Desk(shown)
    followed = {r.source: r.target for r in shown.renamed}
    by_address = {o.address: o for o in shown.observed}
    for finding in known:
        here = renamed(finding, followed[finding.address]) if finding.address in followed else finding
        observed = by_address.get(here.address)
        if observed is not None and observed.kind == here.kind:
            desk.keep(finding, here, observed)
            del by_address[here.address]
        elif observed is not None and observed.class_ == "pending" and here.is_drift:
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
            unless_ignored=observed.unless_ignored,
        )
        self._opened += finding.alarming
        self._record(*step(finding, shown.at, finding.reason, shown.run))

    def keep(self, before: Finding, here: Finding, observed: Observed) -> None:
        """Carry a finding that is still there; a changed class is a step, new values are not."""
        shown = self._shown
        more = beyond(here, observed) if here.state == "accepted" else ""
        if more:
            here = reopened(here)
        changed = observed.class_ != here.class_ or bool(more)
        moved = replace(
            here,
            class_=observed.class_,
            attributes=observed.attributes,
            evidence=with_moves(here, observed.attributes, shown.at),
            last_seen_at=max(shown.at, here.last_seen_at),
            reason=here.reason if here.state == "accepted" else "; ".join(filter(None, (more, _judged(observed)[1]))),
            ignored_by=observed.ignored_by,
            unless_ignored=observed.unless_ignored,
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
        self._still += here.alarming
        seen = replace(here, last_seen_at=max(shown.at, here.last_seen_at))
        if here.class_ == "ignored":
            self._findings.append(replace(seen, unless_ignored="accepted_undeclared"))
        elif here.class_ == "accepted_undeclared":
            self._findings.append(seen)
        else:
            self._record(*step(here, max(shown.at, here.opened_at), reason, shown.run, class_="accepted_undeclared"))
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
