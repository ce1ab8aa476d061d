"""Trouble with watching itself, told as findings: the source is down, or a signal's query gets no answer.

Missing evidence is no health, and no drift of what is watched either: progress stands still meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from driftband.detect.recording import finding_id
from driftband.model.finding import Finding, Severity, Transition, step
from driftband.model.moment import to_ms, utc
from driftband.store import watching
from driftband.store.database import Database

SOURCE = "source_unreachable"
QUERY = "query_failed"
FAILED_TICKS = 3
"""So many ticks in a row must fail."""


@dataclass(frozen=True)
class Failing:
    """What fails, since when, and how often it has."""

    since: datetime
    ticks: int = 1


class Health:
    """Opens and closes findings about watching; ``signal`` is empty where it is the source. Times are now's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failing: dict[str, Failing] = {}
        self._open = {f.signal: f for f in watching.open_of(database, (SOURCE, QUERY))}

    def failed(self, signal: str, reason: str, query: str, now: datetime) -> None:
        """Note that a tick has failed."""
        before = self._failing.get(signal)
        failing = Failing(utc(now)) if before is None else Failing(before.since, before.ticks + 1)
        self._failing[signal] = failing
        if failing.ticks >= FAILED_TICKS and signal not in self._open:
            self._open[signal] = self._put(*_opened(signal, failing, reason, query, utc(now)))

    def fine(self, signal: str, now: datetime) -> None:
        """Note that it works."""
        self._failing.pop(signal, None)
        finding = self._open.pop(signal, None)
        if finding is not None:
            at = max(utc(now), finding.opened_at)
            lasted = timedelta(seconds=round((at - finding.opened_at).total_seconds()))
            reason = f"{'the source' if not signal else 'the query'} answers again, after {lasted}"
            self._put(*step(finding, at, reason, state="closed", closed_at=at, last_seen_at=at))

    def fails(self, signal: str) -> bool:
        """Whether it failed the last time."""
        return signal in self._failing

    def _put(self, finding: Finding, transition: Transition) -> Finding:
        watching.put(self._database, finding, transition)
        return finding


def _opened(signal: str, failing: Failing, reason: str, query: str, now: datetime) -> tuple[Finding, Transition]:
    kind, severity = (QUERY, "warning") if signal else (SOURCE, "error")
    what = f"{signal} cannot be evaluated" if signal else "nothing that is watched can be evaluated"
    words = f"{what}: {reason}; what is missed meanwhile is evaluated afterwards"
    grave: Severity = "warning" if severity == "warning" else "error"
    finding = Finding(
        id=finding_id(signal, kind, (), to_ms(failing.since)),
        layer="runtime",
        kind=kind,
        class_="drift",
        signal=signal,
        severity=grave,
        opened_at=failing.since,
        last_seen_at=now,
        reason=words,
        evidence={"query": query or None, "labels": {}},
    )
    told = Transition(finding=finding.id, at=failing.since, state="open", class_="drift", reason=words)
    return finding, told
