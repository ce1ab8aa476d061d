"""A receiver in memory that misbehaves in every way, and keeps what it did of what it was told."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from driftband.model.notification import Notification
from driftband.respond.outcome import Answer, Delivered, Failed, Outcome, refusal


@dataclass
class Receiver:
    """Does each message once, by its key. trouble: the share of attempts that go wrong.

    done: of each incident, the numbers of the messages in the order in which they were done. refused: those it never takes.
    """

    random: random.Random
    trouble: float = 0.0
    done: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    attempts: Counter[str] = field(default_factory=Counter)
    quiet_until: datetime | None = None
    impatience: int = 0
    """How often it was asked before the time that its Retry-After named."""

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        self.attempts[notification.id] += 1
        if self.quiet_until is not None and at < self.quiet_until:
            self.impatience += 1
        if notification.id in self.refused:
            return refusal(Answer(status=400, headers={}, body=b""), at)
        if self.random.random() >= self.trouble:
            self._do(notification)
            return Delivered()
        return self._misbehave(notification, at)

    def _misbehave(self, notification: Notification, at: datetime) -> Outcome:
        match self.random.randrange(5):
            case 0:
                return Failed(error="refuses the connection", unreached=True)
            case 1:
                self._do(notification)
                return Failed(error="did not answer in time", unreached=True)
            case 2:
                return Failed(error="answered 202, and not as expected")
            case 3:
                self._do(notification)
                return refusal(Answer(status=502, headers={}, body=b"<html>"), at)
            case _:
                seconds = self.random.randrange(1, 30)
                self.quiet_until = at + timedelta(seconds=seconds)
                return refusal(Answer(status=429, headers={"retry-after": str(seconds)}, body=b""), at)

    def _do(self, notification: Notification) -> None:
        if notification.id not in self.seen:
            self.seen.add(notification.id)
            self.done[notification.incident_id].append(notification.sequence)
