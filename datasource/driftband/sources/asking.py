"""What every source is asked with, and what it answers."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from driftband.model.series import History
from driftband.query.errors import QueryError
from driftband.query.fetch import Answer


@dataclass(frozen=True)
class Ask:
    """On whose behalf, and until when. ``deadline``: on the monotonic clock, in seconds.

    headers: the client's own headers that the configuration lets through; answers are never shared between two of them.
    """

    deadline: float
    headers: tuple[tuple[str, str], ...] = ()

    def left(self) -> float:
        """Return the seconds left.

        Raises:
            QueryError: timeout, if there are none.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise QueryError("timeout", "query timed out; shorten its range, or raise limits.query_timeout")
        return left


@dataclass(frozen=True)
class Forward:
    """A request to pass on as it came. ``query``: the raw query string."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Forwarded:
    """An answer on its way through: status, headers, and the bytes as they come."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Iterator[bytes]


class Source(Protocol):
    """A Prometheus-compatible server, or what stands in for one."""

    def forward(self, ask: Ask, request: Forward) -> Forwarded:
        """Pass a request on."""

    def instant(self, ask: Ask, text: str, time: int) -> Answer:
        """Answer an instant query; the frame has the one instant ``time`` (epoch ms)."""

    def range(self, ask: Ask, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query; the frame has every instant of it."""

    def history(self, ask: Ask, text: str, start: int, end: int, step: int) -> History:
        """Answer on the grid ``[start, end)``, however many requests that takes."""
