"""What any outbox must keep for the relay to be right: written for the one in memory, and to be kept by the store's."""

from datetime import timedelta

from .memory_outbox import START, MemoryOutbox, owed

NOW = START + timedelta(minutes=1)
LATER = NOW + timedelta(minutes=1)


def ids(found: object) -> list[str]:
    return [one.id for one in found]  # type: ignore[attr-defined]


def filled(*more: object) -> MemoryOutbox:
    outbox = MemoryOutbox()
    outbox.owe([owed(1), owed(2, "updated"), owed(3, "resolved"), *more])  # type: ignore[list-item]
    return outbox


def test_only_the_first_that_waits_is_due() -> None:
    outbox = filled(owed(number=2), owed(number=3, next_at=LATER))
    assert ids(outbox.due(NOW, 10)) == ["incident-1:1:oncall", "incident-2:1:oncall"]
    outbox.sent("incident-1:1:oncall", NOW)
    assert ids(outbox.due(NOW, 10))[0] == "incident-2:1:oncall"
    assert set(ids(outbox.due(NOW, 10))) == {"incident-1:2:oncall", "incident-2:1:oncall"}


def test_one_that_failed_blocks_what_follows_and_one_that_was_held_does_not_hide_it() -> None:
    outbox = filled()
    outbox.failed("incident-1:1:oncall", NOW, "answered 503", LATER)
    assert ids(outbox.due(NOW, 10)) == []
    assert ids(outbox.due(LATER, 10)) == ["incident-1:1:oncall"]
    held = filled()
    held.hold("incident-1:1:oncall", LATER)
    assert ids(held.due(NOW, 10)) == ["incident-1:1:oncall"]
    held.hold("incident-1:2:oncall", LATER)
    held.hold("incident-1:3:oncall", LATER)
    assert ids(held.due(NOW, 10)) == []
    assert [one.attempts for one in held.waiting("oncall", "incident-1")] == [0, 0, 0]


def test_a_paused_destination_is_left_out_and_its_pause_is_known() -> None:
    outbox = filled(owed(number=9, destination="other"))
    outbox.pause("oncall", LATER)
    assert (outbox.paused_until("oncall"), outbox.paused_until("other")) == (LATER, None)
    assert ids(outbox.due(NOW, 10)) == ["incident-9:1:other"]
    assert len(outbox.due(LATER, 10)) == 2


def test_the_limit_is_for_each_destination() -> None:
    outbox = MemoryOutbox()
    outbox.owe(owed(number=n) for n in range(10))
    outbox.owe([owed(number="x", destination="other", made_at=NOW)])
    assert len(outbox.due(NOW, 3)) == 4


def test_a_dead_one_lets_the_next_go_and_attempts_are_counted() -> None:
    outbox = filled()
    outbox.failed("incident-1:1:oncall", NOW, "answered 503", NOW)
    assert outbox.due(NOW, 1)[0].attempts == 1
    outbox.dead("incident-1:1:oncall", NOW, "answered 400")
    assert ids(outbox.waiting("oncall", "incident-1")) == ["incident-1:2:oncall", "incident-1:3:oncall"]
    assert ids(outbox.due(NOW, 1)) == ["incident-1:2:oncall"]


def test_what_stands_is_the_last_that_was_sent() -> None:
    outbox = filled(owed(number=2))
    outbox.sent("incident-1:1:oncall", NOW)
    outbox.sent("incident-1:2:oncall", NOW)
    assert ids(outbox.standing("oncall", NOW)) == ["incident-1:2:oncall"]
    outbox.sent("incident-1:3:oncall", NOW)
    outbox.sent("incident-2:1:oncall", NOW)
    assert set(ids(outbox.standing("oncall", NOW))) == {"incident-1:3:oncall", "incident-2:1:oncall"}
    assert ids(outbox.standing("oncall", LATER)) == ["incident-2:1:oncall"]
    assert list(outbox.standing("other", NOW)) == []
