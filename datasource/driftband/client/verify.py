"""Waiting for how things stand after a change: asked again and again until the server says how it ends."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from driftband.client.call import Call
from driftband.client.server import RefusedError, Server, UnreachedError
from driftband.client.show import plain

EVERY = 5.0
"""Seconds between two questions."""
EXIT_CODES = {"calm": 0, "drift": 2, "unknown": 3}
_ABSENT = 404
_ON_THE_WAY = ("running", "watching")


@dataclass(frozen=True, kw_only=True)
class Follower:
    """Asks until it is known. seconds: after the change's end. patience: seconds in which the watcher must go on at all.

    show: is told how far it is.
    """

    server: Server
    change: str
    seconds: int
    patience: float
    show: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def follow(self) -> Mapping[str, Any]:
        """Return the last answer, its ``status`` one of ``EXIT_CODES``.

        UnreachedError where the server never answered, or is away for longer than ``patience``; RefusedError where it does
        not let us ask.
        """
        stood, since = None, self.clock()
        while True:
            try:
                told = self._ask()
            except UnreachedError as error:
                if stood is None or self.clock() - since >= self.patience:
                    raise
                self.show(f"{self.change}: {error}; it is asked again")
                self.sleep(EVERY)
                continue
            if told.get("status") not in _ON_THE_WAY:
                return told
            now, here = self.clock(), (told["status"], told.get("evaluated_until"))
            if here != stood or told["status"] == "running":
                stood, since = here, now
            if now - since >= self.patience:
                return _unknown(told, f"nothing was evaluated for {self.patience:.0f} seconds: {told.get('reason')}")
            self.show(f"{self.change}: {_progress(told)}")
            self.sleep(EVERY)

    def _ask(self) -> Mapping[str, Any]:
        query = {"change": self.change, "seconds": str(self.seconds)}
        try:
            answer: Mapping[str, Any] = self.server.send(
                Call(method="GET", path="/driftband/v1/verification", query=query)
            )
        except RefusedError as error:
            if error.status != _ABSENT:
                raise
            return _unknown({"change": self.change}, "the change is not on record; was it recorded with this id?")
        return answer


def _unknown(told: Mapping[str, Any], reason: str) -> Mapping[str, Any]:
    return {**told, "status": "unknown", "reason": reason}


def _progress(told: Mapping[str, Any]) -> str:
    count = sum((told.get("signals") or {}).values())
    until = f" until {told['until']}" if told.get("until") else ""
    evaluated = f", evaluated until {told['evaluated_until']}" if told.get("evaluated_until") else ""
    return f"{told.get('reason')}; {count} series watched{until}{evaluated}"


def verification_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a person reads in the end."""
    words = {"calm": "calm", "drift": "drift", "unknown": "not enough evidence"}
    yield plain(f"{told.get('change')}: {words.get(str(told.get('status')), 'unknown')}: {told.get('reason')}")
    for name, count in (told.get("signals") or {}).items():
        yield plain(f"  {name}: {count} series")
    for found in told.get("findings") or ():
        about = found.get("signal") or found.get("address") or ""
        identity = ", ".join(f"{name} {value}" for name, value in (found.get("identity") or {}).items())
        yield plain(f"- {str(found.get('kind')).replace('_', ' ')} of {about} ({found.get('severity')}), {identity}")
        yield plain(f"  {found.get('reason')}")
        yield plain(
            f"  since {found.get('opened_at')}; incident {found.get('incident')}; suspected with {found.get('score')}:"
        )
        for reason in found.get("reasons") or ():
            yield plain(f"  . {reason}")
    if others := told.get("others"):
        yield f"  {others} more that it is not suspected of"
