"""The relay: brings what is owed to where it is owed, at least once, and in order within an incident and a destination.

A message is settled after it was delivered and never before: who dies in between delivers it again, by the same key. What an
attempt means is decided in :func:`decide`, pure; the relay itself only does it, one named step after the other.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal, Protocol

import structlog

from driftband.model.notification import Notification
from driftband.respond.outcome import Delivered, Failed, Outcome
from driftband.respond.policy import Hold, Rules, Send, next_step
from driftband.respond.sender import Sender

log = structlog.get_logger(__name__)

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
LONGEST_PAUSE = timedelta(seconds=30)
"""For so long at most a destination that nobody answers at is left alone: one message may be what it chokes on."""
GIVE_UP_AFTER = timedelta(days=3)
ROUND = timedelta(seconds=20)
"""For so long one destination is worked for at a time: the next round waits for all of them."""
_DOUBLINGS = 20


class Outbox(Protocol):
    """What is owed, kept in the store. Its methods are called from several threads."""

    def due(self, now: datetime, limit: int) -> Sequence[Notification]:
        """Return heads, the longest waiting first: of an incident's waiting ones to a destination only the first.

        Those whose ``next_at`` has come, and those that were only held (no attempts yet) while a later one is due. Those of
        paused destinations are left out. limit: of each destination, so that what one leaves lying hides no other's.
        """

    def waiting(self, destination: str, incident_id: str) -> Sequence[Notification]:
        """Return all waiting ones of an incident to a destination, in their order."""

    def sent(self, notification_id: str, at: datetime) -> None:
        """Settle: it has arrived."""

    def failed(self, notification_id: str, at: datetime, error: str, next_at: datetime) -> None:
        """Count an attempt, and try again at ``next_at``."""

    def dead(self, notification_id: str, at: datetime, error: str) -> None:
        """Settle: it will never arrive as it is, a person has to look."""

    def hold(self, notification_id: str, until: datetime) -> None:
        """Set ``next_at``; no attempt was made."""

    def paused_until(self, destination: str) -> datetime | None:
        """Return until when a destination is left alone; None where it is not."""

    def pause(self, destination: str, until: datetime) -> None:
        """Leave a destination alone until then; it survives a restart."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an attempt means for its message: ``sent``, ``failed`` until ``next_at``, or ``dead``. pause: of the destination."""

    what: Literal["sent", "failed", "dead"]
    error: str = ""
    next_at: datetime | None = None
    pause: datetime | None = None


def decide(outcome: Outcome, message: Notification, at: datetime, share: float) -> Decision:
    """Return what follows from an attempt that ended ``at``. share: of the delay that is waited, in [0.5, 1]."""
    if isinstance(outcome, Delivered):
        return Decision(what="sent")
    if outcome.permanent:
        return Decision(what="dead", error=outcome.error)
    if at - message.made_at >= GIVE_UP_AFTER:
        return Decision(what="dead", error=f"given up after {GIVE_UP_AFTER.days} days; {outcome.error}")
    delay = min(FIRST_DELAY * 2 ** min(message.attempts, _DOUBLINGS), LONGEST_DELAY) * share
    pause = None
    if outcome.retry_after is not None:
        delay = max(delay, outcome.retry_after)
        pause = at + outcome.retry_after
    elif outcome.unreached:
        pause = at + min(delay, LONGEST_PAUSE)
    return Decision(what="failed", error=outcome.error, next_at=at + delay, pause=pause)


def _share() -> float:
    return random.uniform(0.5, 1)  # noqa: S311 - no secret


@dataclass(frozen=True)
class Relay:
    """Works the outbox off. senders, rules: by the names of the destinations. share: see :func:`decide`."""

    outbox: Outbox
    senders: Mapping[str, Sender]
    rules: Mapping[str, Rules]
    clock: Callable[[], datetime]
    share: Callable[[], float] = field(default=_share)

    def run(self, limit: int = 500) -> int:
        """Do what is due now, each destination beside the others; return how many steps that took."""
        heads = self._by_destination(limit)
        with ThreadPoolExecutor(max_workers=max(len(heads), 1), thread_name_prefix="relay") as pool:
            # A slow destination must not make the others wait.
            return sum(pool.map(lambda name: sum(1 for _ in self.work(name, heads[name])), heads))

    def drain(self) -> None:
        """Run until nothing is due, or the time of a round is over: what follows in a chain need not wait for the next."""
        ends = self.clock() + ROUND
        while self.run() and self.clock() < ends:
            pass

    def steps(self, limit: int = 500) -> Iterator[str]:
        """Do the same, one destination after the other, and yield after each step: it may end after any of them."""
        for name, heads in self._by_destination(limit).items():
            yield from self.work(name, heads)

    def work(self, destination: str, heads: Sequence[Notification]) -> Iterator[str]:
        """Do what is due for one destination, a step at a time."""
        sender, ends = self.senders.get(destination), self.clock() + ROUND
        for head in heads:
            now, paused = self.clock(), self.outbox.paused_until(destination)
            if now >= ends or (paused is not None and paused > now):
                return
            if sender is None:
                error = "the configuration names no such destination any more; name it again and retry, or leave it"
                self.outbox.dead(head.id, self.clock(), error)
                yield f"buried {head.id}"
            else:
                yield from self._work_chain(destination, sender, head)

    def _by_destination(self, limit: int) -> dict[str, list[Notification]]:
        due = sorted(self.outbox.due(self.clock(), limit), key=lambda one: one.destination)  # keeps their order else
        return {name: list(heads) for name, heads in groupby(due, key=lambda one: one.destination)}

    def _work_chain(self, destination: str, sender: Sender, head: Notification) -> Iterator[str]:
        rules = self.rules.get(destination, Rules())
        grouping = rules.quiet is not None or rules.updates_every is not None
        chain = self.outbox.waiting(destination, head.incident_id) if grouping else (head,)
        while chain:
            step = next_step(rules, chain, self.clock())
            if isinstance(step, Hold):
                for held in step.ids:
                    self.outbox.hold(held, step.until)
                    yield f"held {held}"
            if not isinstance(step, Send):
                return
            if step.carried:
                # Noted as begun: should this end while the group is settled, its rest is known to be one, and goes as one.
                at = self.clock()
                self.outbox.failed(step.message.id, at, "delivery was begun", at + FIRST_DELAY)
                yield f"begun {step.message.id}"
            outcome = self._try(sender, step.message)
            yield f"tried {step.message.id}"
            decision = decide(outcome, step.message, self.clock(), self.share())
            yield from self._settle(destination, step, decision)
            if decision.what == "failed":
                return
            chain = chain[len(step.carried) + 1 :]

    def _try(self, sender: Sender, message: Notification) -> Outcome:
        try:
            return sender.deliver(message, self.clock())
        except Exception as error:  # noqa: BLE001 - one message must not end the relay for the others
            return Failed(error=f"a fault in driftband itself ({type(error).__name__}); please report it")

    def _settle(self, destination: str, step: Send, decision: Decision) -> Iterator[str]:
        at, message = self.clock(), step.message
        if decision.pause is not None:
            self.outbox.pause(destination, decision.pause)
            yield f"paused {destination}"
        if decision.what == "failed":
            assert decision.next_at is not None  # noqa: S101 - it says when
            log.warning("not delivered", destination=destination, notification=message.id, error=decision.error)
            self.outbox.failed(message.id, at, decision.error, decision.next_at)
            yield f"failed {message.id}"
            return
        # In their order: should this end in between, the rest of the group goes again as the same message.
        for carried in step.carried if decision.what == "sent" else ():
            self.outbox.sent(carried.id, at)
            yield f"sent {carried.id}"
        if decision.what == "sent":
            self.outbox.sent(message.id, at)
        else:
            log.error("never to be delivered", destination=destination, notification=message.id, error=decision.error)
            self.outbox.dead(message.id, at, decision.error)
        yield f"{decision.what} {message.id}"
