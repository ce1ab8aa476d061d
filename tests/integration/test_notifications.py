"""The outbox, on SQLite and on PostgreSQL: what is owed, in which turn, and what becomes of it."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from driftband.model.incident import Incident
from driftband.model.refusal import ConflictError, UnknownError
from driftband.store import notifications
from driftband.store.database import Database
from driftband.store.outbox import StoredOutbox

from .incident_story import MINUTE, NOON

INCIDENT = Incident(id="i1", title="t", severity="error", verdict="unexplained", opened_at=NOON, findings=("f1",))
OTHER = Incident(id="i2", title="t", severity="error", verdict="unexplained", opened_at=NOON, findings=("f2",))


def owe(database: Database, deed: Any, *fits: str, incident: Incident = INCIDENT, at: datetime = NOON) -> list[str]:
    with database.write() as connection:
        before = {n.id for n in notifications.page(connection, equal={}, after=None, limit=1000)}
        notifications.owe(connection, incident, deed, fits, at)
        after = notifications.page(connection, equal={}, after=None, limit=1000)
    return sorted(n.id for n in after if n.id not in before)


def due(database: Database, at: datetime = NOON) -> list[tuple[str, str]]:
    return [(n.id, n.deed) for n in StoredOutbox(database).due(at, 100)]


def test_each_destination_that_fits_is_owed_and_hears_it_to_the_end(database: Database) -> None:
    assert owe(database, "opened", "oncall") == ["i1:1:oncall"]
    assert owe(database, "updated", "oncall", "chat") == ["i1:1:chat", "i1:2:oncall"]
    assert due(database) == [("i1:1:chat", "opened"), ("i1:1:oncall", "opened")]
    assert owe(database, "resolved") == ["i1:2:chat", "i1:3:oncall"]
    assert owe(database, "resolved", "late") == []
    assert owe(database, "opened", "chat") == ["i1:3:chat"]


def test_an_incidents_messages_to_a_destination_arrive_in_order(database: Database) -> None:
    outbox = StoredOutbox(database)
    for deed in ("opened", "updated", "resolved"):
        owe(database, deed, "oncall", "chat")
    owe(database, "opened", "oncall", incident=OTHER)
    assert due(database) == [("i1:1:chat", "opened"), ("i1:1:oncall", "opened"), ("i2:1:oncall", "opened")]
    outbox.failed("i1:1:oncall", NOON, "timed out", NOON + MINUTE)
    assert due(database) == [("i1:1:chat", "opened"), ("i2:1:oncall", "opened")]
    outbox.sent("i1:1:chat", NOON)
    assert due(database)[0] == ("i1:2:chat", "updated")
    assert ("i1:1:oncall", "opened") in due(database, NOON + MINUTE)
    outbox.dead("i1:1:oncall", NOON + MINUTE, "404")
    assert ("i1:2:oncall", "updated") in due(database, NOON + MINUTE)


def test_what_is_settled_stays_settled(database: Database) -> None:
    outbox = StoredOutbox(database)
    owe(database, "opened", "oncall")
    outbox.failed("i1:1:oncall", NOON, "timed out", NOON)
    outbox.sent("i1:1:oncall", NOON + MINUTE)
    outbox.failed("i1:1:oncall", NOON, "late", NOON)
    outbox.dead("i1:1:oncall", NOON, "late")
    with database.read() as connection:
        (kept,) = notifications.page(connection, equal={}, after=None, limit=10)
        assert notifications.count(connection) == {}
    assert (kept.state, kept.attempts, kept.sent_at, kept.error) == ("sent", 2, NOON + MINUTE, None)


def test_a_pause_holds_for_the_destination_and_survives_a_restart(database: Database) -> None:
    owe(database, "opened", "oncall", "chat")
    outbox = StoredOutbox(database)
    assert outbox.paused_until("oncall") is None
    outbox.pause("oncall", NOON + 5 * MINUTE)
    outbox.pause("oncall", NOON + 10 * MINUTE)
    again = Database(database.engine.url.render_as_string(hide_password=False))
    assert StoredOutbox(again).paused_until("oncall") == NOON + 10 * MINUTE
    assert due(again, NOON + 9 * MINUTE) == [("i1:1:chat", "opened")]
    assert len(due(again, NOON + 10 * MINUTE)) == 2
    again.close()


def test_dead_ones_are_tried_again_unless_they_were_overtaken(database: Database) -> None:
    outbox = StoredOutbox(database)
    for incident in (INCIDENT, OTHER):
        owe(database, "opened", "oncall", incident=incident)
        owe(database, "resolved", incident=incident)
        outbox.dead(f"{incident.id}:1:oncall", NOON, "404")
    outbox.sent("i1:2:oncall", NOON)
    with database.write() as connection:
        with pytest.raises(ConflictError, match="undo"):
            notifications.retry(connection, "i1:1:oncall", NOON)
        with pytest.raises(ConflictError, match="only dead ones"):
            notifications.retry(connection, "i2:2:oncall", NOON)
        with pytest.raises(UnknownError):
            notifications.retry(connection, "nothing", NOON)
        assert notifications.count(connection) == {("oncall", "waiting"): 1, ("oncall", "dead"): 2}
        assert notifications.retry_all(connection, NOON + MINUTE) == 1
    assert due(database, NOON + MINUTE) == [("i2:1:oncall", "opened")]
    outbox.dead("i2:1:oncall", NOON, "404")
    with database.write() as connection:
        notifications.retry(connection, "i2:1:oncall", NOON)
    assert due(database) == [("i2:1:oncall", "opened")]


def test_many_are_handed_out_a_few_at_a_time_of_each_destination(database: Database) -> None:
    for number in range(60):
        owe(database, "opened", "oncall", "chat", incident=replace(INCIDENT, id=f"i{number:02}"))
    outbox, seen = StoredOutbox(database), set[str]()
    assert Counter(n.destination for n in outbox.due(NOON, 25)) == {"oncall": 25, "chat": 25}
    while due_now := outbox.due(NOON, 25):
        for one in due_now:
            seen.add(one.id)
            outbox.sent(one.id, NOON)
    assert len(seen) == 120
    with database.write() as connection:
        notifications.forget(connection, NOON + MINUTE, 100)
        assert len(notifications.page(connection, equal={}, after=None, limit=1000)) == 20


def test_what_is_only_held_is_handed_out_where_a_later_one_is_due(database: Database) -> None:
    outbox = StoredOutbox(database)
    owe(database, "opened", "oncall")
    outbox.hold("i1:1:oncall", NOON + 60 * MINUTE)
    assert due(database) == []
    owe(database, "resolved")
    assert due(database) == [("i1:1:oncall", "opened")]
    assert [(n.id, n.attempts) for n in outbox.waiting("oncall", "i1")] == [("i1:1:oncall", 0), ("i1:2:oncall", 0)]
    outbox.failed("i1:1:oncall", NOON, "timed out", NOON + 60 * MINUTE)
    assert due(database) == []
    assert due(database, NOON + 60 * MINUTE) == [("i1:1:oncall", "opened")]


def test_what_stands_is_what_was_last_told(database: Database) -> None:
    outbox = StoredOutbox(database)

    def standing(since: datetime = NOON) -> list[str]:
        return [n.id for n in outbox.standing("am", since)]

    owe(database, "opened", "am", "chat")
    owe(database, "opened", "am", incident=OTHER)
    assert standing() == []
    outbox.sent("i1:1:am", NOON)
    outbox.sent("i1:1:chat", NOON)
    outbox.sent("i2:1:am", NOON)
    owe(database, "updated", "am")
    assert standing() == ["i1:1:am", "i2:1:am"]
    outbox.sent("i1:2:am", NOON)
    owe(database, "resolved")
    assert standing() == ["i1:2:am", "i2:1:am"]
    outbox.sent("i1:3:am", NOON + MINUTE)
    assert standing() == ["i1:3:am", "i2:1:am"]
    assert standing(NOON + 2 * MINUTE) == ["i2:1:am"]


def test_who_was_told_when_that_it_opened(database: Database) -> None:
    owe(database, "opened", "oncall", "chat")
    owe(database, "updated", "late", at=NOON + MINUTE)
    owe(database, "opened", "oncall", incident=OTHER)
    owe(database, "resolved", incident=OTHER)
    with database.read() as connection:
        assert notifications.told_at(connection, ["i1", "i2", "i3"]) == {
            "i1": {"oncall": NOON, "chat": NOON, "late": NOON + MINUTE}, "i2": {},
        }  # fmt: skip
