"""Who did it: the audit event that best explains a drift, or why none does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from driftband.detect.matching import Match, Names
from driftband.model.audit import AuditEvent
from driftband.model.change import Change
from driftband.model.moment import show_moment

NEARBY = timedelta(minutes=5)
"""How far outside the window an event may lie: clocks differ, and a run reads for a while after it has started."""

_CREATION = re.compile(r":(?:Run|Launch|Create|Allocate)(?=[A-Z])")


@dataclass(frozen=True, kw_only=True)
class Window:
    """When a drift came to be: after ``since`` (None where nothing is known), not after ``until``, when it was seen."""

    since: datetime | None
    until: datetime

    def __post_init__(self) -> None:
        """Refuse a window that ends before it begins."""
        if self.since is not None and self.until < self.since:
            raise ValueError("a window must not end before it begins")

    def holds(self, moment: datetime, slack: timedelta = timedelta(0)) -> bool:
        """Whether an instant lies within, give or take ``slack``."""
        return (self.since is None or self.since - slack <= moment) and moment <= self.until + slack

    def __str__(self) -> str:
        until = show_moment(self.until)
        return f"between {show_moment(self.since)} and {until}" if self.since else f"before {until}"


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """The event that explains a drift, and why it does; None, and why none does."""

    event: AuditEvent | None
    reason: str

    @property
    def actor(self) -> str | None:
        """Who did it, as far as is known."""
        return self.event.actor if self.event else None


@dataclass(frozen=True)
class _Candidate:
    """A write that names the resource. The order of two of them: within the window, better named, later."""

    event: AuditEvent
    match: Match
    mention: str
    inside: bool

    @property
    def rank(self) -> tuple[Any, ...]:
        return (self.inside, self.match, self.event.at, self.event.id)


def attribute(
    names: Sequence[str], window: Window, events: Sequence[AuditEvent], resource_type: str = ""
) -> Attribution:
    """Return the last write within the window that names the resource by ``names``, as ``identifiers`` gives them.

    A name that is the same beats one that ends alike; what lies within the window, what lies a little outside. Reads and
    failed calls changed nothing. Where the type is known, the creation of something else does not count either: it says
    only where that was put.
    """
    if not names:
        return Attribution(event=None, reason="the resource has no name that an audit event could mention")
    near = [event for event in events if window.holds(event.at, NEARBY)]
    if not near:
        return Attribution(event=None, reason=f"no audit event {window}")
    own = Names(tuple(names))
    matched = [_candidate(event, own, window) for event in near]
    writes = [one for one in matched if not one.event.read_only and not _creates_another(one.event, resource_type)]
    evidence = [one for one in writes if one.match >= Match.SUFFIX]
    if not evidence:
        return Attribution(event=None, reason=_why_none(matched, writes, window))
    best = max(evidence, key=lambda one: one.rank)
    return Attribution(event=best.event, reason=_why(best, evidence, window))


def _candidate(event: AuditEvent, names: Names, window: Window) -> _Candidate:
    match, mention = names.match(event.resources)
    return _Candidate(event, match, mention, window.holds(event.at))


def _creates_another(event: AuditEvent, resource_type: str) -> bool:
    words = [word for word in resource_type.split("_")[1:] if len(word) > 1]
    if not words or not _CREATION.search(event.action):
        return False
    action = event.action.rpartition(":")[2].lower()
    return not any(word in action for word in (*words, "tag"))


def _why(best: _Candidate, evidence: Sequence[_Candidate], window: Window) -> str:
    event = best.event
    how = "" if best.match is Match.EXACT else ", a name that ends alike"
    when = show_moment(event.at)
    where = f"{window}" if best.inside else f"just outside the window, which is {window}"
    said = f"{event.actor} did {event.action} on {best.mention}{how} at {when}, {where}"
    rivals = [one for one in evidence if one.inside == best.inside]
    others = {one.event.actor for one in rivals} - {event.actor}
    if len(rivals) > 1:
        said += f"; the last of {len(rivals)} writes that name it"
    if others:
        said += f", {len(others)} other {'actors' if len(others) > 1 else 'actor'} among them"
    return said


def _why_none(matched: Sequence[_Candidate], writes: Sequence[_Candidate], window: Window) -> str:
    weak = [one for one in writes if one.match is Match.WEAK]
    if weak:
        last = max(weak, key=lambda one: one.rank)
        return f"writes {window} share only the name {last.mention!r} with it, which is too common to be evidence"
    named = [one for one in matched if one.match >= Match.SUFFIX]
    if named and all(one.event.read_only for one in named):
        return f"the {len(named)} audit events {window} that name it only read it, or failed"
    if named:
        return f"the audit events {window} that name it read it, failed, or created something else that refers to it"
    return f"none of the {len(matched)} audit events {window} names it"


def applies_within(changes: Sequence[Change], window: Window) -> tuple[Change, ...]:
    """Return the applies whose interval touches the window, the first first; one that still runs has no end yet."""
    touching = [change for change in changes if change.kind == "terraform_apply" and _touches(change, window)]
    return tuple(sorted(touching, key=lambda change: (change.started_at, change.id)))


def say_applies(applies: Sequence[Change], window: Window) -> str:
    """Say in words what ``applies_within`` has found."""
    if not applies:
        return f"no apply of the workspace {window}"
    last = applies[-1]
    details = ", ".join(
        filter(None, (f"by {last.actor}" if last.actor else "", last.commit and f"commit {last.commit[:12]}"))
    )
    named = f"{last.id} ({details})" if details else last.id
    if len(applies) == 1:
        return f"one apply of the workspace {window}: {named}"
    return f"{len(applies)} applies of the workspace {window}, the last of them {named}"


def _touches(change: Change, window: Window) -> bool:
    if change.started_at > window.until:
        return False
    if window.since is None or change.status == "running":
        return True
    return (change.ended_at or change.started_at) >= window.since
