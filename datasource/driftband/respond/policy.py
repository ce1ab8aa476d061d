"""Who is told of an incident, and what of it now: pure decisions, each with ``now`` as an argument.

An incident's notifications to one destination are a *chain*: those that wait, in their order. What may be grouped goes as the
last of its group, which carries the state that the others told of; nothing ever overtakes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from driftband.model.moment import from_ms, parse_moment, to_ms
from driftband.model.notification import Notification
from driftband.respond.labels import incident_labels
from driftband.respond.matchers import Matcher, matches
from driftband.respond.quiet import Quiet


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """Tell ``to`` where nobody acknowledges within ``after``."""

    after: timedelta
    to: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """A destination's own: which incidents it takes, when it is left alone, how updates are grouped, who is told next.

    only_escalated: it has no matchers and somebody escalates to it, so it is told of nothing else.
    """

    match: tuple[Matcher, ...] = ()
    quiet: Quiet | None = None
    updates_every: timedelta | None = None
    escalate: Escalation | None = None
    only_escalated: bool = False


@dataclass(frozen=True, kw_only=True)
class Send:
    """Send ``message``; with it ``carried``, the ones before it, are told too."""

    message: Notification
    carried: tuple[Notification, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Leave these until then."""

    ids: tuple[str, ...]
    until: datetime


def fits(rules: Mapping[str, Rules], incident: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the destinations that take an incident (in the form of SHAPES.md) by their matchers."""
    labels = incident_labels(incident)
    return tuple(name for name, rule in rules.items() if not rule.only_escalated and matches(rule.match, labels))


def next_step(rules: Rules, chain: Sequence[Notification], now: datetime) -> Send | Hold | None:
    """Return what to do with the head of a chain; None: nothing yet. Ask again with the rest after something was sent."""
    head = chain[0]
    tried = next((place for place in range(len(chain) - 1, -1, -1) if chain[place].attempts), None)
    if tried is not None:
        # It may have arrived: it is tried again as it was, by the same key, and nothing older may follow it.
        message = chain[tried]
        return Send(message=message, carried=tuple(chain[:tried])) if message.next_at <= now else None
    if "change" in head.incident:
        return Send(message=head)  # it wakes nobody, and is of use while it is new
    if head.deed == "opened":
        return _opening(rules, chain, now)
    if head.deed == "updated":
        return _updating(rules, chain, now)
    return Send(message=head)


def due_at(rules: Rules, notification: Notification, now: datetime) -> datetime:
    """Return when a new or updated incident may be told, as far as it alone decides: ``now`` or later."""
    due = now
    if notification.deed == "updated" and rules.updates_every is not None:
        due = max(now, _window_end(notification, rules.updates_every))
    quiet = None if _is_excepted(rules, (notification,)) or rules.quiet is None else rules.quiet.until(due)
    return quiet or due


def escalated(
    rules: Mapping[str, Rules], incident: Mapping[str, Any], told: Mapping[str, datetime], now: datetime
) -> tuple[str, ...]:
    """Return who is to be told now of an open incident, since those who were told have not acknowledged it.

    told: when the last ``opened`` was made for each destination. Quiet hours of who was told do not count: nobody was.
    """
    if incident.get("state") != "open":
        return ()
    due: list[str] = []
    for name, since in told.items():
        escalation = rules[name].escalate if name in rules else None
        if escalation is None or escalation.to in told or escalation.to in due:
            continue
        quiet = rules[name].quiet
        excepted = quiet is not None and quiet.excepted and matches(quiet.excepted, incident_labels(incident))
        begins = since if quiet is None or excepted else quiet.until(since) or since
        if now >= begins + escalation.after:
            due.append(escalation.to)
    return tuple(due)


def _opening(rules: Rules, chain: Sequence[Notification], now: datetime) -> Send | Hold | None:
    head = chain[0]
    if rules.quiet is None or _is_excepted(rules, chain):
        return Send(message=head)
    until = rules.quiet.until(now)
    if until is not None:
        return Hold(ids=tuple(one.id for one in chain if one.next_at <= now), until=until)
    if rules.quiet.covers(head.made_at):
        for place, one in enumerate(chain):
            if one.deed == "resolved":  # it came and went while nobody was to be told
                return Send(message=one, carried=tuple(chain[:place]))
    return Send(message=head)


def _updating(rules: Rules, chain: Sequence[Notification], now: datetime) -> Send | Hold | None:
    count = next((place for place, one in enumerate(chain) if one.deed != "updated"), len(chain))
    updates, after = chain[:count], chain[count : count + 1]
    if rules.updates_every is None and rules.quiet is None:
        return Send(message=updates[0])
    if after and after[0].deed == "resolved":
        return Send(message=after[0], carried=tuple(updates))
    due = [due_at(rules, one, now) for one in updates]
    ready = count if after else max((place + 1 for place, at in enumerate(due) if at <= now), default=0)
    if not ready:
        return Hold(ids=tuple(one.id for one in updates if one.next_at <= now), until=min(due))
    return Send(message=updates[ready - 1], carried=tuple(updates[: ready - 1]))


def _is_excepted(rules: Rules, chain: Sequence[Notification]) -> bool:
    """Whether one of these is told in quiet hours too."""
    excepted = rules.quiet.excepted if rules.quiet is not None else ()
    return bool(excepted) and any(matches(excepted, incident_labels(one.incident)) for one in chain)


def _window_end(notification: Notification, every: timedelta) -> datetime:
    """Return the end of the window that a notification was made in; windows begin where its incident opened.

    Which updates go together so depends on nothing but when they were made: a restart changes nothing.
    """
    try:
        start = to_ms(parse_moment(notification.incident.get("opened_at")))
    except ValueError:
        start = 0
    length = max(every // timedelta(milliseconds=1), 1)
    made = to_ms(notification.made_at)
    return from_ms(made + (start - made) % length)
