"""The relay: nothing is lost, nothing doubled in effect, nothing overtakes; wherever it is killed."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

import pytest
import structlog
from structlog.testing import capture_logs

from driftband.model.incident import Deed
from driftband.model.notification import Notification
from driftband.respond.outbox import GIVE_UP_AFTER, LONGEST_DELAY, Relay, decide
from driftband.respond.outcome import Delivered, Failed, Outcome
from driftband.respond.policy import Rules
from driftband.respond.quiet import Quiet
from driftband.respond.sender import Sender

from .memory_outbox import START, Clock, MemoryOutbox, owed
from .simulated import Receiver


def _unheard(*_: object) -> NoReturn:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def _few_words() -> Iterator[None]:
    structlog.configure(processors=[_unheard])
    yield
    structlog.reset_defaults()


DEEDS: tuple[Deed, ...] = ("opened", "updated", "updated", "acknowledged", "resolved")


class Scripted:
    """Says what it was told to say, then takes everything."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.told: list[str] = []

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        del at
        self.told.append(notification.id)
        return self.outcomes.pop(0) if self.outcomes else Delivered()


def relay(
    outbox: MemoryOutbox, senders: Mapping[str, Sender], clock: Clock, rules: Mapping[str, Rules] | None = None
) -> Relay:
    return Relay(outbox, senders, rules or {}, clock, share=lambda: 1.0)


@pytest.mark.parametrize(
    ("outcome", "attempts", "what", "seconds", "pause"),
    [
        (Delivered(), 0, "sent", None, None),
        (Failed(error="x", permanent=True), 0, "dead", None, None),
        (Failed(error="x"), 0, "failed", 5, None),
        (Failed(error="x"), 3, "failed", 40, None),
        (Failed(error="x"), 10, "failed", 3600, None),
        (Failed(error="x"), 10_000, "failed", 3600, None),
        (Failed(error="x", unreached=True), 0, "failed", 5, 5),
        (Failed(error="x", unreached=True), 9, "failed", 2560, 30),
        (Failed(error="x", retry_after=timedelta(hours=2)), 0, "failed", 7200, 7200),
        (Failed(error="x", retry_after=timedelta(0)), 0, "failed", 5, 0),
    ],
)
def test_what_an_attempt_means(
    outcome: Outcome, attempts: int, what: str, seconds: int | None, pause: int | None
) -> None:
    message = owed(attempts=attempts)
    found = decide(outcome, message, START, 1.0)
    assert found.what == what
    assert found.next_at == (None if seconds is None else START + timedelta(seconds=seconds))
    assert found.pause == (None if pause is None else START + timedelta(seconds=pause))
    half = decide(outcome, message, START, 0.5).next_at
    assert half is None or START <= half <= START + max(LONGEST_DELAY, timedelta(hours=2))


def test_after_days_a_person_has_to_look() -> None:
    found = decide(Failed(error="answered 503"), owed(made_at=START), START + GIVE_UP_AFTER, 1.0)
    assert (found.what, found.error) == ("dead", "given up after 3 days; answered 503")


def test_an_incident_is_told_in_order_and_failures_block_what_follows() -> None:
    outbox, clock = MemoryOutbox(), Clock(START + timedelta(minutes=1))
    outbox.owe(owed(n, deed) for n, deed in enumerate(DEEDS, start=1))
    way = Scripted(Delivered(), Failed(error="answered 503"))
    for _ in range(9):
        relay(outbox, {"oncall": way}, clock).run()
    assert way.told == ["incident-1:1:oncall", "incident-1:2:oncall"]
    clock.forward(seconds=5)
    for _ in range(9):
        relay(outbox, {"oncall": way}, clock).run()
    assert [told.split(":")[1] for told in way.told] == ["1", "2", "2", "3", "4", "5"]
    assert all(one.state == "sent" for one in outbox.settled.values())


def test_a_chain_is_told_in_one_go() -> None:
    outbox, way = MemoryOutbox(), Scripted()
    outbox.owe(owed(n, deed) for n, deed in enumerate(DEEDS, start=1))
    relay(outbox, {"oncall": way}, Clock(START + timedelta(minutes=1))).drain()
    assert (len(way.told), outbox.left) == (5, 0)


def test_one_that_is_refused_for_good_is_buried_and_lets_the_next_go() -> None:
    outbox, clock = MemoryOutbox(), Clock(START + timedelta(minutes=1))
    outbox.owe(owed(n, deed) for n, deed in enumerate(DEEDS, start=1))
    way = Scripted(Failed(error="answered 400: no", permanent=True))
    for _ in DEEDS:
        relay(outbox, {"oncall": way}, clock).run()
    states = [(one.sequence, one.state, one.error) for one in outbox.settled.values()]
    assert states[:2] == [(1, "dead", "answered 400: no"), (2, "sent", None)]
    assert len(states) == 5


def test_retry_after_holds_for_the_whole_destination_and_for_no_other() -> None:
    outbox, clock = MemoryOutbox(), Clock(START + timedelta(minutes=1))
    outbox.owe(owed(number=n) for n in range(5))
    outbox.owe(owed(number=n, destination="other") for n in range(5))
    limited, other = Scripted(Failed(error="answered 429", retry_after=timedelta(minutes=10))), Scripted()
    relay(outbox, {"oncall": limited, "other": other}, clock).run()
    assert (len(limited.told), len(other.told)) == (1, 5)
    clock.forward(minutes=9)
    relay(outbox, {"oncall": limited, "other": other}, clock).run()  # a new one, as after a restart
    assert len(limited.told) == 1
    clock.forward(minutes=1)
    relay(outbox, {"oncall": limited, "other": other}, clock).run()
    assert len(limited.told) == 6
    assert outbox.left == 0


def test_one_that_nobody_answers_at_is_asked_once_a_round() -> None:
    outbox, clock = MemoryOutbox(), Clock(START + timedelta(minutes=1))
    outbox.owe(owed(number=n) for n in range(100))
    away = Scripted(*[Failed(error="refuses", unreached=True)] * 3)
    for _ in range(3):
        relay(outbox, {"oncall": away}, clock).run()
    assert len(away.told) == 1


def test_a_destination_that_is_gone_from_the_configuration_is_told_of() -> None:
    outbox = MemoryOutbox()
    outbox.owe([owed()])
    relay(outbox, {}, Clock(START + timedelta(minutes=1))).run()
    assert "names no such destination" in (outbox.settled["incident-1:1:oncall"].error or "")


def test_a_fault_of_our_own_harms_one_message_and_tells_nothing_of_it() -> None:
    class Faulty(Scripted):
        def deliver(self, notification: Notification, at: datetime) -> Outcome:
            if notification.incident_id == "incident-0":
                raise RuntimeError("https://hunter.example/hunter")
            return super().deliver(notification, at)

    outbox, way = MemoryOutbox(), Faulty()
    outbox.owe(owed(number=n) for n in range(3))
    with capture_logs() as logs:
        relay(outbox, {"oncall": way}, Clock(START + timedelta(minutes=1))).run()
    assert len(way.told) == 2
    assert "RuntimeError" in str(logs)
    assert "hunter" not in str(logs) + str(outbox.chains)


def test_what_one_destination_leaves_lying_hides_no_others() -> None:
    outbox, clock = MemoryOutbox(), Clock(START + timedelta(hours=1))
    outbox.owe(owed(number=n) for n in range(50))
    outbox.owe([owed(number="last", destination="other", made_at=START + timedelta(minutes=59))])
    slow, other = Scripted(*[Failed(error="answered 503")] * 50), Scripted()
    relay(outbox, {"oncall": slow, "other": other}, clock).run(limit=10)
    assert len(other.told) == 1


def test_a_slow_destination_does_not_keep_the_round() -> None:
    outbox, clock = MemoryOutbox(), Clock(START + timedelta(hours=1))
    outbox.owe(owed(number=n) for n in range(50))

    class Slow(Scripted):
        def deliver(self, notification: Notification, at: datetime) -> Outcome:
            clock.forward(seconds=7)
            return super().deliver(notification, at)

    slow = Slow()
    relay(outbox, {"oncall": slow}, clock).run()
    assert len(slow.told) == 3


RULES = {
    "plain": Rules(),
    "grouped": Rules(updates_every=timedelta(minutes=5)),
    "quiet": Rules(
        quiet=Quiet(begins=time(9), ends=time(10, 30), zone=ZoneInfo("UTC")), updates_every=timedelta(minutes=1)
    ),
}


def story() -> Iterator[Notification]:
    for number in range(2):
        for n, deed in enumerate((*DEEDS, "opened", "updated", "resolved"), start=1):
            yield owed(n, deed, number=number, made_at=START + timedelta(seconds=20 * n + number))


def kill_after(steps: int, rules: Rules, seed: int) -> tuple[Receiver, MemoryOutbox]:
    """Work a story off with a relay that dies after so many steps, and with another one that follows it."""
    outbox, clock, receiver = MemoryOutbox(), Clock(), Receiver(random.Random(seed), trouble=0.3)
    outbox.owe(story())
    left: int | None = steps
    while outbox.left:
        working = relay(outbox, {"oncall": receiver}, clock, {"oncall": rules}).steps()
        for _ in working:
            if left is not None:
                left -= 1
                if not left:
                    left = None
                    break
        working.close()
        following = outbox.next_time()
        clock.now = max(following or clock.now, clock.now + timedelta(seconds=1))
    return receiver, outbox


@pytest.mark.parametrize("name", RULES)
def test_killed_between_any_two_steps_it_loses_doubles_and_reorders_nothing(name: str) -> None:
    for steps in range(1, 60):
        receiver, outbox = kill_after(steps, RULES[name], seed=steps)
        assert {one.state for one in outbox.settled.values()} == {"sent"}
        assert len(outbox.settled) == 16
        for done in receiver.done.values():
            assert done == sorted(set(done)), "doubled, or out of order"
            assert done[-1] == 8
            if name == "plain":
                assert done == list(range(1, 9))


@pytest.mark.slow
def test_a_hundred_thousand_through_every_trouble() -> None:
    """Four destinations, each with another share of trouble; some messages are refused for good."""
    chance = random.Random(4711)
    clock, outbox = Clock(START + timedelta(days=1)), MemoryOutbox()
    shares = {"calm": 0.0, "shaky": 0.02, "bad": 0.1, "awful": 0.25}
    receivers = {name: Receiver(random.Random(name), trouble=share) for name, share in shares.items()}
    made = [
        owed(n, deed, number=number, destination=name)
        for name in shares
        for number in range(5000)
        for n, deed in enumerate(DEEDS, start=1)
    ]
    assert len(made) == 100_000
    for one in made:
        if chance.random() < 0.001:
            receivers[one.destination].refused.add(one.id)
    outbox.owe(made)
    working = Relay(outbox, receivers, {}, clock, share=lambda: chance.uniform(0.5, 1))
    while outbox.left:
        before = outbox.left
        for _ in working.steps():
            pass
        clock.forward(seconds=1 if outbox.left < before else 4)
    refused = {notification for receiver in receivers.values() for notification in receiver.refused}
    states = {state: {one.id for one in outbox.settled.values() if one.state == state} for state in ("sent", "dead")}
    assert states["dead"] == refused, "given up on what would have gone"
    assert states["sent"] | refused == {one.id for one in made}, "lost"
    for name, receiver in receivers.items():
        assert receiver.seen == {one.id for one in made if one.destination == name} - refused, (
            "said to be sent and not seen"
        )
        assert all(done == sorted(set(done)) for done in receiver.done.values()), "doubled, or out of order"
        assert receiver.impatience == 0, "asked before the time it named"
        assert (max(receiver.attempts.values()) > 1) == (name != "calm")
