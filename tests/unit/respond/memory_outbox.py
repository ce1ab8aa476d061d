"""An outbox in memory that keeps the contract of ``driftband.respond.outbox.Outbox``, and a clock that stands still."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from driftband.model.incident import Deed
from driftband.model.notification import Notification

START = datetime(2026, 11, 24, 10, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **length: float) -> None:
        self.now += timedelta(**length)


def incident(number: int | str = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": f"incident-{number}",
        "title": "checkout is slow",
        "state": "open",
        "severity": "error",
        "verdict": "explained",
        "opened_at": "2026-11-24T10:00:00Z",
        "resolved_at": None,
        "identity": {"service": "checkout", "env": "prod"},
        "owner": "payments",
        "findings": ["f1"],
        "suspects": [{"change": "run-4711", "score": 0.87, "reasons": ["it began 2 minutes before"]}],
        "timeline": [{"at": "2026-11-24T10:00:00Z", "what": "opened", "reason": "latency left its band"}],
        "context": {"kind": "band_breach", "layer": "runtime"},
        **more,
    }


def owed(
    sequence: int = 1, deed: Deed = "opened", number: int | str = 1, destination: str = "oncall", **more: Any
) -> Notification:
    """Return a notification, made ``sequence`` seconds after the start where nothing else is said."""
    made_at = more.pop("made_at", START + timedelta(seconds=sequence))
    about = more.pop("incident", None) or incident(number)
    return Notification(
        id=more.pop("id", f"incident-{number}:{sequence}:{destination}"),
        destination=destination,
        incident_id=about["id"],
        sequence=sequence,
        deed=deed,
        incident=about,
        made_at=made_at,
        next_at=more.pop("next_at", made_at),
        **more,
    )


@dataclass
class MemoryOutbox:
    """Chains in order. Heads are found by a heap of when something may be done; what it says may be out of date."""

    chains: dict[tuple[str, str], list[Notification]] = field(default_factory=lambda: defaultdict(list))
    settled: dict[str, Notification] = field(default_factory=dict)
    pauses: dict[str, datetime] = field(default_factory=dict)
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    heaps: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))
    left: int = 0

    def owe(self, notifications: Iterable[Notification]) -> None:
        for one in notifications:
            key = (one.destination, one.incident_id)
            self.chains[key].append(one)
            self.places[one.id] = key
            self.left += 1
            self._push(key)

    def due(self, now: datetime, limit: int) -> Sequence[Notification]:
        found: list[Notification] = []
        for destination, heap in self.heaps.items():
            if self.pauses.get(destination, now) > now:
                continue
            seen: dict[str, Notification] = {}
            while heap and heap[0][0] <= now and len(seen) < limit:
                _, incident_id = heapq.heappop(heap)
                chain = self.chains[(destination, incident_id)]
                if chain and self._ready(chain) <= now:
                    seen[incident_id] = chain[0]
            for incident_id in seen:
                self._push((destination, incident_id))
            found += seen.values()
        return sorted(found, key=lambda one: (one.next_at, one.made_at, one.id))

    def next_time(self) -> datetime | None:
        """Return when something may be done next."""
        times = [
            max(self.pauses.get(name, START), min(self._ready(chain) for (to, _), chain in self.chains.items() if to == name and chain))
            for name in {to for (to, _), chain in self.chains.items() if chain}
        ]  # fmt: skip
        return min(times, default=None)

    def waiting(self, destination: str, incident_id: str) -> Sequence[Notification]:
        return tuple(self.chains[(destination, incident_id)])

    def sent(self, notification_id: str, at: datetime) -> None:
        self._settle(notification_id, state="sent", sent_at=at, error=None)

    def dead(self, notification_id: str, at: datetime, error: str) -> None:
        del at
        self._settle(notification_id, state="dead", error=error)

    def failed(self, notification_id: str, at: datetime, error: str, next_at: datetime) -> None:
        assert next_at >= at
        self._change(notification_id, attempts=1, next_at=next_at, error=error)

    def hold(self, notification_id: str, until: datetime) -> None:
        self._change(notification_id, next_at=until)

    def paused_until(self, destination: str) -> datetime | None:
        return self.pauses.get(destination)

    def pause(self, destination: str, until: datetime) -> None:
        self.pauses[destination] = until

    def standing(self, destination: str, resolved_since: datetime) -> Sequence[Notification]:
        last: dict[str, Notification] = {}
        for one in self.settled.values():
            if one.destination == destination and one.state == "sent":
                before = last.get(one.incident_id)
                last[one.incident_id] = one if before is None or before.sequence < one.sequence else before
        return [one for one in last.values() if one.deed != "resolved" or (one.sent_at or START) >= resolved_since]

    @staticmethod
    def _ready(chain: Sequence[Notification]) -> datetime:
        head = chain[0]
        return head.next_at if head.attempts else min(one.next_at for one in chain)

    def _push(self, key: tuple[str, str]) -> None:
        if self.chains[key]:
            heapq.heappush(self.heaps[key[0]], (self._ready(self.chains[key]), key[1]))

    def _change(self, notification_id: str, attempts: int = 0, **values: Any) -> None:
        key = self.places[notification_id]
        chain = self.chains[key]
        place = next(place for place, one in enumerate(chain) if one.id == notification_id)
        chain[place] = replace(chain[place], attempts=chain[place].attempts + attempts, **values)
        self._push(key)

    def _settle(self, notification_id: str, **values: Any) -> None:
        key = self.places[notification_id]
        chain = self.chains[key]
        assert chain[0].id == notification_id, "settled before an earlier one"
        self.settled[notification_id] = replace(chain.pop(0), **values)
        self.left -= 1
        self._push(key)
