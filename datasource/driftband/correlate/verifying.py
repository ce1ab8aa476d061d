"""Whether what belongs to a change has stayed calm: the decision of a gate in CI. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftband.correlate.context import Context
from driftband.correlate.subject import Reader, agreement, conflict
from driftband.model.change import Change
from driftband.model.finding import ALARMING, Finding
from driftband.model.incident import Incident
from driftband.model.verification import Correlated, Verification, VerificationStatus, WatchedSeries

RUNS_AT_MOST = timedelta(days=1)
"""A change that still runs after so long was never told to have ended."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of the time after a change. evaluated: until when, by signal. judged: how many of its series have a band.

    findings: that opened since it began.

    incidents: those that hold them, by finding. decided: whether all that has happened has been grouped and weighed.
    trouble: what keeps the watcher from going on, by signal; of all of them under the empty name.
    """

    series: Sequence[WatchedSeries]
    evaluated: Mapping[str, datetime]
    judged: Mapping[str, int]
    findings: Sequence[Finding]
    incidents: Mapping[str, Incident]
    decided: bool
    trouble: Mapping[str, str]


def verify(change: Change, lasts: timedelta, seen: Seen, context: Context, now: datetime) -> Verification:
    """Return how things stand with a change, until ``lasts`` after its end.

    Drift is told as soon as it is there; calm only when all signals that belong to the change are evaluated to the end, and
    a series of each was watched before the change began: without a past nothing can be told to have moved.
    """
    until = None if change.ended_at is None else change.ended_at + lasts
    ours = _Ours(change, seen, context)
    mine = [one for one in seen.series if ours.has(one.identity)]
    counts = Counter(one.signal for one in mine if _was_there(one, change.started_at))
    evaluated = min((seen.evaluated[name] for name in counts if name in seen.evaluated), default=None)
    began = [
        one for one in seen.findings if change.started_at <= one.opened_at and (until is None or one.opened_at <= until)
    ]
    drift = [found for one in began if (found := ours.correlated(one, seen.incidents.get(one.id))) is not None]
    told_of = {one.finding.id for one in drift}
    others = sum(ours.is_about(one) and one.class_ in ALARMING and one.id not in told_of for one in began)

    def told(status: VerificationStatus, reason: str) -> Verification:
        return Verification(
            change=change.id, status=status, reason=reason, since=change.started_at, until=until, evaluated_until=evaluated,
            signals=dict(sorted(counts.items())), findings=tuple(drift), others=others,
        )  # fmt: skip

    if drift:
        return told("drift", f"{_count(len(drift), 'finding')} that the change is suspected of")
    if until is None and now - change.started_at > RUNS_AT_MOST:
        return told("unknown", "the change was never told to have ended")
    if not mine:
        return told("unknown", f"no watched signal has a series of {ours}")
    if not counts:
        return told("unknown", f"no series of {ours} was there when the change began: without a past nothing has moved")
    if until is None:
        return told("running", "the change has not ended")
    trouble = next((seen.trouble[name] for name in ("", *counts) if name in seen.trouble), "")
    if evaluated is None or evaluated < until or not seen.decided:
        return told("watching", trouble or "its time is not over")
    judged = {name: count for name, count in counts.items() if seen.judged.get(name)}
    if not judged:
        return told("unknown", f"no signal of {ours} has a band: too little history to know what to expect")
    return told(
        "calm", f"{_count(sum(judged.values()), 'series', 'series')} of {_count(len(judged), 'signal')} stayed calm"
    )


def _was_there(series: WatchedSeries, at: datetime) -> bool:
    return series.first <= at and (series.gone is None or series.gone > at)


class _Ours:
    """What belongs to a change: its service where one is named, else its place; and the resources that it touched."""

    def __init__(self, change: Change, seen: Seen, context: Context) -> None:
        identities = [*(one.identity for one in seen.series), *(one.identity for one in seen.findings)]
        services = {identity[context.component] for identity in identities if identity.get(context.component)}
        self._context, self._change = context, change
        self._act = Reader(context, services).act(change)
        self._names = self._act.components | self._act.named

    def has(self, identity: Mapping[str, str]) -> bool:
        """Whether something of this identity belongs to it."""
        places = tuple((name, identity[name]) for name in self._context.places if identity.get(name))
        if conflict(self._act.places, places):
            return False
        if self._names:
            return identity.get(self._context.component) in self._names
        return agreement(self._act.places, places) > 0

    def is_about(self, finding: Finding) -> bool:
        """Whether a finding is about something that belongs to it."""
        touched = finding.workspace == self._change.workspace and finding.address in self._act.addresses
        return touched or self.has(finding.identity)

    def correlated(self, finding: Finding, incident: Incident | None) -> Correlated | None:
        """Return a finding whose incident suspects the change: accuses it, or is about what belongs to it."""
        suspect = next((one for one in incident.suspects if one.change == self._change.id), None) if incident else None
        if incident is None or suspect is None or not (incident.suspect == suspect or self.is_about(finding)):
            return None
        return Correlated(finding=finding, incident=incident.id, score=suspect.score, reasons=suspect.reasons)

    def __str__(self) -> str:
        """Return it in words."""
        names = sorted(self._names) or [f"{name} {value}" for name, value in self._act.places]
        return (
            " and ".join(names)
            or "this change: it names neither a service nor a place, and its resources have no identity"
        )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
