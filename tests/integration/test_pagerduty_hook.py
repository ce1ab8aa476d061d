"""PagerDuty's webhook, on SQLite and on PostgreSQL: what somebody does there happens here, once, and is not told there again."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from driftband.app_pagerduty import BELIEVED, PagerDutyInbox
from driftband.model.incident import Incident
from driftband.model.moment import show_moment
from driftband.model.refusal import RefusedError
from driftband.store import notifications, pagerduty_events
from driftband.store.database import Database
from driftband.store.outbox import StoredOutbox

from ..unit.respond.test_pagerduty_webhook import event, signed  # noqa: TID252 - as PagerDuty's documents show it
from .incident_story import MINUTE, Story

OWN, SHARED = "secret-of-oncall", "secret-of-all"
INCIDENT = "i-checkout"


@pytest.fixture
def story(database: Database) -> Story:
    story = Story(database)
    story.fits = ("oncall", "lead", "chat")
    story.open("checkout")
    story.look()
    story.now += MINUTE
    return story


class Hook:
    def __init__(self, story: Story) -> None:
        secrets = {OWN: frozenset({"oncall"}), SHARED: frozenset({"oncall", "lead"})}
        self.story, self.inbox, self.count = story, PagerDutyInbox(incidents=story.room, secrets=secrets), 0

    def __call__(
        self,
        act: str,
        at: datetime | None = None,
        key: str = "",
        by: str = "Dana Engineer",
        secret: str = OWN,
        to: str = INCIDENT,
    ) -> str | None:
        self.count += not key
        told = event(f"incident.{act}", id=key or f"e{self.count}", occurred_at=show_moment(at or self.story.now))
        told["event"]["agent"]["summary"] = by
        told["event"]["data"]["incident_key"] = to
        body = json.dumps(told).encode()
        assert self.inbox.refuse(body, signed(body, secret)) is None
        return self.inbox.take(body, signed(body, secret))

    @property
    def incident(self) -> Incident:
        return self.story.room.one(INCIDENT)

    def owed(self) -> Counter[tuple[str, str]]:
        """Return what is still to be sent: destinations and deeds."""
        with self.story.database.read() as connection:
            made = notifications.page(connection, equal={"state": "waiting"}, after=None, limit=100)
        return Counter((n.destination, n.deed) for n in made)

    def send(self) -> None:
        """Send all that is owed."""
        outbox = StoredOutbox(self.story.database)
        while due := outbox.due(self.story.now, 100):
            for one in due:
                outbox.sent(one.id, self.story.now)


@pytest.fixture
def hook(story: Story) -> Hook:
    hook = Hook(story)
    hook.send()
    return hook


def test_acknowledged_there_is_acknowledged_here_and_told_to_the_others(hook: Hook) -> None:
    assert hook("acknowledged") == INCIDENT
    incident = hook.incident
    assert (incident.state, incident.acknowledged_by) == ("acknowledged", "Dana Engineer")
    assert incident.timeline[-1].reason == "by Dana Engineer in PagerDuty"
    assert hook.owed() == {("lead", "acknowledged"): 1, ("chat", "acknowledged"): 1}


def test_resolved_there_is_resolved_here(hook: Hook) -> None:
    hook("resolved")
    assert (hook.incident.state, hook.incident.timeline[-1].reason) == (
        "resolved",
        "resolved by Dana Engineer in PagerDuty",
    )
    assert hook.owed() == {("lead", "resolved"): 1, ("chat", "resolved"): 1}


def test_what_waits_is_not_sent_after_its_end_there(hook: Hook) -> None:
    hook.story.suspect = "deploy-1"
    hook.story.change("deploy-1")
    hook.story.look()
    assert hook.owed() == {(name, "updated"): 1 for name in ("oncall", "lead", "chat")}
    hook("resolved")
    # It may have been on its way there, and would have opened it again: then the end follows it.
    assert hook.owed() == {
        ("oncall", "resolved"): 1, ("lead", "updated"): 1, ("lead", "resolved"): 1, ("chat", "updated"): 1, ("chat", "resolved"): 1,
    }  # fmt: skip


def test_what_was_held_back_leaves_nothing_to_be_told_there(hook: Hook) -> None:
    hook.story.suspect = "deploy-1"
    hook.story.change("deploy-1")
    hook.story.look()
    outbox = StoredOutbox(hook.story.database)
    for one in outbox.due(hook.story.now, 100):
        outbox.hold(one.id, hook.story.now + MINUTE)
    hook("resolved")
    assert [name for name, _ in hook.owed() if name == "oncall"] == []


def test_nobody_looks_after_it_any_more(hook: Hook) -> None:
    hook("acknowledged")
    hook.send()
    hook.story.now += MINUTE
    hook("unacknowledged", by="")
    assert (hook.incident.state, hook.incident.acknowledged_by) == ("open", None)
    assert hook.incident.timeline[-1].reason == "by PagerDuty"
    assert hook.owed() == {("lead", "updated"): 1, ("chat", "updated"): 1}


def test_reopened_there_is_reopened_here_while_something_is_wrong(hook: Hook) -> None:
    hook("resolved")
    hook.send()
    hook.story.now += MINUTE
    hook("reopened")
    assert (hook.incident.state, hook.incident.resolved_at) == ("open", None)
    assert hook.owed() == {("lead", "opened"): 1, ("chat", "opened"): 1}
    hook.send()
    hook.story.room.resolve(INCIDENT, "kim")
    assert hook.owed() == {(name, "resolved"): 1 for name in ("oncall", "lead", "chat")}
    hook.story.close("checkout")
    hook.story.now += MINUTE
    hook("reopened")
    assert hook.incident.state == "resolved"


@pytest.mark.parametrize("act", ["acknowledged", "resolved", "unacknowledged", "reopened"])
def test_the_same_again_changes_nothing(hook: Hook, act: str) -> None:
    before = {"unacknowledged": "acknowledged", "reopened": "resolved"}
    if act in before:
        hook(before[act])
        hook.story.now += MINUTE
    at = hook.story.now
    hook(act, at, key="once")
    for undone in ("acknowledged", "unacknowledged", "resolved", "reopened"):
        hook.story.now += MINUTE
        hook(undone)
    known, owed = hook.incident, hook.owed()
    assert hook(act, at, key="once") == INCIDENT
    assert (hook.incident, hook.owed()) == (known, owed)


def test_what_comes_late_does_not_undo_what_came_after_it(hook: Hook) -> None:
    at = hook.story.now
    hook.story.now += MINUTE
    hook("resolved")
    known = hook.incident
    hook("acknowledged", at)
    hook("unacknowledged", at)
    assert hook.incident == known


def test_what_is_about_the_time_before_it_came_back_does_nothing(hook: Hook) -> None:
    at = hook.story.now
    hook.story.close("checkout")
    hook.story.look(1)
    hook.story.open("checkout", kind="level_shift")
    hook.story.look(1)
    assert hook.incident.state == "open"
    hook("resolved", at - 3 * MINUTE)
    assert hook.incident.state == "open"


def test_of_two_accounts_with_one_secret_both_are_told(hook: Hook) -> None:
    hook("acknowledged", secret=SHARED)
    assert hook.owed() == {(name, "acknowledged"): 1 for name in ("oncall", "lead", "chat")}


def test_one_secret_is_enough_where_one_of_them_alone_knows_of_it(story: Story) -> None:
    story.fits = ("oncall", "chat")
    story.open("orders")
    story.look()
    hook = Hook(story)
    hook.send()
    hook("acknowledged", secret=SHARED, to="i-orders")
    assert hook.owed() == {("chat", "acknowledged"): 1}


def test_what_is_not_of_ours_or_too_old_does_nothing(hook: Hook) -> None:
    before = hook.incident
    assert hook("resolved", to="of-another-tool") is None
    assert hook("resolved", hook.story.now - BELIEVED - MINUTE) is None
    assert hook.incident == before
    with pytest.raises(RefusedError, match="event"):
        hook.inbox.take(b"{}", signed(b"{}", OWN))


def test_known_events_go_in_the_end(hook: Hook) -> None:
    hook("acknowledged", key="once")
    with hook.story.database.write() as connection:
        pagerduty_events.forget(connection, hook.story.now)
        again: Any = pagerduty_events.Event(id="once", at=hook.story.now, destinations=frozenset())
        assert not pagerduty_events.take(connection, again, INCIDENT, hook.story.now)
        pagerduty_events.forget(connection, hook.story.now + MINUTE)
        assert pagerduty_events.take(connection, again, INCIDENT, hook.story.now)
