"""Deciding at the instants at which something happened, in their order, however late one looks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from driftband.correlate.context import Context, Decision
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.incident import Incident

STORM = 30
"""Instants that are decided at one by one, however close they are."""
CLOSE = timedelta(seconds=30)


class Advance(Protocol):
    """Decides on the life of incidents at an instant: :func:`driftband.correlate.lifecycle.advance`."""

    def __call__(
        self,
        known: Sequence[Incident],
        findings: Sequence[Finding],
        changes: Sequence[Change],
        context: Context,
        now: datetime,
    ) -> Decision:
        """Return the new and changed incidents, and what is to be told of them."""
        ...


@dataclass(frozen=True, kw_only=True)
class CaughtUp:
    """What was decided, instant by instant. until: the last instant that was decided at. whole: none is left over."""

    steps: tuple[tuple[datetime, Decision], ...]
    known: Mapping[str, Incident]
    until: datetime
    whole: bool

    def next_end(self, context: Context) -> datetime | None:
        """Return when an incident resolves by time alone, None where none does."""
        return min(_ends(self.known, context, self.until), default=None)


def catch_up(
    advance: Advance,
    known: Sequence[Incident],
    findings: Sequence[Finding],
    changes: Sequence[Change],
    context: Context,
    *,
    instants: Collection[datetime],
    since: datetime,
    now: datetime,
    most: int,
) -> CaughtUp:
    """Decide at each of ``instants``, and where an incident has been calm for long enough, up to ``now``.

    since: the last instant that was decided at. most: how many instants at once; the rest is for the next time. Of a storm,
    instants that are close together are decided at once.
    """
    there = {incident.id: incident for incident in known}
    pending = _thinned(sorted(at for at in instants if at <= now), min(context.resolve_after / 4, CLOSE))
    steps: list[tuple[datetime, Decision]] = []
    until = since
    for _ in range(most):
        due = [*pending[:1], *_ends(there, context, until)]
        at = min(due, default=None)
        if at is None or at > now:
            return CaughtUp(steps=tuple(steps), known=there, until=until, whole=True)
        until, pending = at, [one for one in pending if one > at]
        decision = advance(tuple(there.values()), findings, changes, context, at)
        there |= {incident.id: incident for incident in decision.incidents}
        if decision.incidents:
            steps.append((at, decision))
    return CaughtUp(steps=tuple(steps), known=there, until=until, whole=False)


def _thinned(instants: list[datetime], width: timedelta) -> list[datetime]:
    """Return the last of those that are no more than ``width`` apart, where there are too many."""
    if len(instants) <= STORM:
        return instants
    kept: list[datetime] = []
    for at in reversed(instants):
        if not kept or kept[-1] - at > width:
            kept.append(at)
    return kept[::-1]


def _ends(known: Mapping[str, Incident], context: Context, after: datetime) -> list[datetime]:
    calm = [i.calm_since for i in known.values() if i.state != "resolved" and i.calm_since is not None]
    return [end for since in calm if (end := since + context.resolve_after) > after]
