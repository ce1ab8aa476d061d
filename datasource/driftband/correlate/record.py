"""An incident while it is being decided upon: what it was, what it is now, what its story says of the step."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from driftband.correlate.context import Decision
from driftband.correlate.grouping import Move
from driftband.correlate.story import SEVERITIES
from driftband.model.finding import Finding, Severity
from driftband.model.incident import Deed, Entry, Incident, Suspect, Verdict

_WEIGHTIER: tuple[Deed, ...] = ("updated", "acknowledged", "resolved", "opened")
"""Of several deeds at one instant the last of these is told: one message says it all."""
_SHOWN_REASONS = 3


class Record:
    """Collects the changes of one incident at one instant."""

    def __init__(self, incident: Incident, at: datetime, *, fresh: bool = False) -> None:
        self.before = None if fresh else incident
        self._at = at
        self.now = incident
        self.deed: Deed | None = None
        self.why = ""

    @classmethod
    def opened(cls, move: Move, findings: Sequence[Finding], at: datetime) -> Self:
        """Return the record of a new incident."""
        first = findings[0]
        incident = Incident(
            id=move.group,
            title=first.reason,
            severity=first.severity,
            verdict="unexplained",
            opened_at=min(one.opened_at for one in findings),
            findings=tuple(one.id for one in findings),
        )
        record = cls(incident, at, fresh=True)
        record.tell("opened", move.reason, "opened")
        return record

    @classmethod
    def split(cls, source: "Record", move: Move, findings: Sequence[Finding], at: datetime) -> Self:
        """Return the record of an incident that leaves another one, and note it there."""
        record = cls.opened(move, findings, at)
        record.now = replace(record.now, timeline=())
        record.tell("split", f"from incident {source.now.id}: {move.reason}", "opened")
        gone = set(move.findings)
        source.now = replace(source.now, findings=tuple(one for one in source.now.findings if one not in gone))
        source.tell("split", f"{_count(move.findings)} left for incident {record.now.id}: {move.reason}", "updated")
        return record

    @property
    def changed(self) -> bool:
        """Whether there is anything to be written."""
        return self.now != self.before

    def decision(self) -> Decision:
        """Return this record alone as a decision."""
        if not self.changed:
            return Decision()
        deeds = ((self.now.id, self.deed, self.why),) if self.deed is not None else ()
        return Decision(incidents=(self.now,), deeds=deeds)

    def join(self, moves: Sequence[Move]) -> None:
        """Add findings, in one line of the story however many there are."""
        joined = [finding for move in moves for finding in move.findings]
        known = set(self.now.findings)
        new = [one for one in joined if one not in known]
        reasons = list(dict.fromkeys(move.reason for move in moves))
        more = f"; and {len(reasons) - _SHOWN_REASONS} more" if len(reasons) > _SHOWN_REASONS else ""
        self.now = replace(self.now, findings=(*self.now.findings, *new))
        self.tell("joined", f"{_count(joined)} joined: {'; '.join(reasons[:_SHOWN_REASONS])}{more}", "updated")

    def take(self, other: "Record", move: Move) -> None:
        """Take over another incident's findings; that one is resolved, and says where they went."""
        known = set(self.now.findings)
        added = tuple(one for one in dict.fromkeys((*other.now.findings, *move.findings)) if one not in known)
        self.now = replace(self.now, findings=(*self.now.findings, *added))
        self.tell("merged", f"took over incident {other.now.id}: {move.reason}", "updated")
        other.tell("merged", f"into incident {self.now.id}: {move.reason}", "resolved")
        other.now = replace(other.now, state="resolved", resolved_at=self._at, merged_into=self.now.id)
        if other.before is None:
            other.deed = None

    def reopen(self, finding: Finding) -> None:
        """Open a resolved incident again for a finding that came back."""
        if self.now.state == "resolved":
            self.open_again(f"it came back: {finding.reason}")
        if finding.id not in self.now.findings:
            self.now = replace(self.now, findings=(*self.now.findings, finding.id))

    def open_again(self, reason: str) -> None:
        """Open a resolved incident again."""
        self.now = replace(
            self.now, state="open", resolved_at=None, calm_since=None, acknowledged_at=None, acknowledged_by=None
        )
        self.tell("reopened", reason, "opened")

    def say(self, *, title: str, root: str, identity: Mapping[str, str], owner: str | None) -> None:
        """Set what it is about; another root is told."""
        if self.now.root is not None and self.now.root != root:
            self.tell("root", f"it seems to have begun with finding {root}: {title}", "updated")
        self.now = replace(self.now, title=title, root=root, identity=identity, owner=owner)

    def suspect(self, suspects: tuple[Suspect, ...], verdict: Verdict) -> None:
        """Set the suspects. Another first one that is accused, or none any more, is told; a moved score is not."""
        first = suspects[0] if suspects else None
        accused = first.change if first and verdict == "explained" else None
        before = self.now.suspects[0].change if self.now.suspects and self.now.verdict == "explained" else None
        self.now = replace(self.now, suspects=suspects, verdict=verdict)
        if accused == before:
            return
        if first is not None and accused is not None:
            instead = f", and no longer {before}" if before else ""
            reason = f"{accused} is suspected ({first.score:.0%}){instead}: {'; '.join(first.reasons[:2])}"
        else:
            reason = f"{before} is no longer suspected enough to be accused"
        self.tell("suspect", reason, "updated")

    def severity(self, severity: Severity) -> None:
        """Set the severity; a worse one is told."""
        before = self.now.severity
        if severity == before:
            return
        self.now = replace(self.now, severity=severity)
        if self.before is None:
            return
        worse = SEVERITIES.index(severity) > SEVERITIES.index(before)
        self.tell("severity", f"from {before} to {severity}", "updated" if worse else None)

    def context(self, told: Mapping[str, Any]) -> None:
        """Set the context; what was said of similar incidents stays."""
        kept = {"similar": self.now.context["similar"]} if "similar" in self.now.context else {}
        self.now = replace(self.now, context={**told, **kept})

    def similar(self, found: Sequence[Mapping[str, Any]]) -> None:
        """Say which earlier incidents were alike; what was found once stays, as those grow too old to be handed over."""
        if found or "similar" not in self.now.context:
            self.now = replace(self.now, context={**self.now.context, "similar": list(found)})

    def calm(self, since: datetime) -> None:
        """Note since when nothing alarms."""
        if self.now.calm_since is None:
            self.tell("calm", "all its findings are closed", None)
        self.now = replace(self.now, calm_since=since)

    def restless(self) -> None:
        """Note that something alarms again."""
        if self.now.calm_since is not None:
            self.now = replace(self.now, calm_since=None)
            self.tell("restless", "a finding is open again", None)

    def acknowledge(self, who: str, where: str) -> None:
        """Somebody has taken it on."""
        self.now = replace(self.now, state="acknowledged", acknowledged_at=self._at, acknowledged_by=who)
        self.tell("acknowledged", f"by {who}{where}", "acknowledged")

    def unacknowledge(self, reason: str) -> None:
        """Nobody looks after it any more."""
        self.now = replace(self.now, state="open", acknowledged_at=None, acknowledged_by=None)
        self.tell("unacknowledged", reason, "updated")

    def resolve(self, at: datetime, reason: str) -> None:
        """End it: it is over."""
        self.now = replace(self.now, state="resolved", resolved_at=at)
        self.tell("resolved", reason, "resolved")

    def tell(self, what: str, reason: str, deed: Deed | None) -> None:
        """Write a line of the story, and remember the weightiest deed of it."""
        self.now = replace(self.now, timeline=(*self.now.timeline, Entry(at=self._at, what=what, reason=reason)))
        if deed is None:
            return
        if self.deed is None or _WEIGHTIER.index(deed) > _WEIGHTIER.index(self.deed):
            self.deed, self.why = deed, reason


def _count(findings: Sequence[str]) -> str:
    return f"{len(findings)} finding{'s' if len(findings) != 1 else ''}"
