"""Wires changes to the destinations that are told of them: PagerDuty's, with ``changes: true``."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from driftband.config import Config
from driftband.model.change import Change
from driftband.model.notification import Notification
from driftband.respond.matchers import parse_matchers
from driftband.respond.pagerduty_event import owed_change
from driftband.store.changing import Owed

TOLD_WITHIN = timedelta(days=1)
"""A history of changes that is sent in one go is no news; what waited in a spool for a while is."""


def owed_changes(config: Config) -> Owed:
    """Return what tells which destinations are owed a change: once it has ended, unless a matcher of theirs excludes it.

    Of the labels of incidents a change has its identity and its workspace; matchers on others do not concern it.
    """
    told = {
        one.name: [matcher for text in one.match for matcher in parse_matchers(text)]
        for one in config.destinations
        if one.changes
    }

    def owed(change: Change, now: datetime) -> Sequence[Notification]:
        if change.ended_at is None or now - change.ended_at > TOLD_WITHIN:
            return ()
        labels = {**change.identity, **({"workspace": change.workspace} if change.workspace else {})}
        names = [
            name for name, matchers in told.items() if all(m.matches(labels) for m in matchers if m.name in labels)
        ]
        return [owed_change(name, change, now) for name in names]

    return owed
