"""A source as one request sees it: within its time, with its credentials, sharing what others fetch at the moment."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from driftband.model.series import History
from driftband.query.fetch import Answer
from driftband.sources.asking import Ask, Source
from driftband.sources.history import REUSE, HistoryCache
from driftband.sources.ranges import RangeCache, weight

T = TypeVar("T")


@dataclass(frozen=True)
class _Made:
    value: object
    size: int
    until: float


class Flights:
    """What queries make, once for all that want the same: who comes meanwhile waits, and for ``REUSE`` it is kept.

    A dashboard's panels ask for the same again and again, within a moment. capacity: bytes that are kept.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Any]] = {}
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._size

    def share(self, key: Hashable, ask: Ask, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return what ``make`` makes, or another call with the same key makes or has just made. size: its bytes."""
        with self._lock:
            self._forget()
            if key in self._made:
                return cast("T", self._made[key].value)
            future = self._under_way.get(key)
            mine = future is None
            if future is None:
                future = self._under_way[key] = Future()
        if not mine:
            try:
                return cast("T", future.result(timeout=ask.left()))
            except NotYet:
                ask.left()
                raise
        try:
            value = make()
            future.set_result(value)
            self._keep(key, value, size(value))
        except BaseException as error:
            if not future.done():
                future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[key]
        return value

    def _keep(self, key: Hashable, value: object, size: int) -> None:
        with self._lock:
            self._made[key] = _Made(value, size, time.monotonic() + REUSE / 1000)
            self._size += size
            self._forget()

    def _forget(self) -> None:
        """Drop what is too old, and the oldest of what is too much."""
        now = time.monotonic()
        while self._made:
            oldest = next(iter(self._made.values()))
            if oldest.until > now and self._size <= self._capacity:
                return
            self._made.popitem(last=False)
            self._size -= oldest.size


@dataclass(frozen=True)
class RequestFetch:
    """The fetch that a query is handed. now: epoch ms."""

    source: Source
    cache: HistoryCache
    ranges: RangeCache
    flights: Flights
    ask: Ask
    now: int

    def instant(self, text: str, time: int) -> Answer:
        """Answer an instant query."""
        return self.shared(("instant", text, time), lambda: self.source.instant(self.ask, text, time), weight)

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query."""
        key = ("range", text, start, end, step)
        return self.shared(key, lambda: self.ranges.read(self.ask, text, start, end, step, self.now), weight)

    def shared(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """Return what ``make`` makes, or has made a moment ago for somebody with the same credentials. size: in bytes."""
        return self.flights.share((self.ask.headers, key), self.ask, make, size)

    def history(self, text: str, start: int, end: int) -> History:
        """Answer on the fixed grid, from memory where it is known."""
        return self.cache.read(self.ask, text, start, end, self.now)

    def is_cold(self, text: str, start: int) -> bool:
        """Whether the history from ``start`` on would have to be fetched."""
        return not self.cache.covers(self.ask, text, start)

    def check_time(self) -> None:
        """Raise QueryError if the request's time is over."""
        self.ask.left()
