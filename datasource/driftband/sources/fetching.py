"""A source as one request sees it: within its time, with its credentials, sharing what others fetch at the moment."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass

from driftband.model.series import History
from driftband.query.fetch import Answer
from driftband.sources.asking import Ask, Source
from driftband.sources.history import HistoryCache


class Flights:
    """Calls under way: whoever wants what is being fetched waits for it instead of fetching it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Hashable, Future[Answer]] = {}

    def share(self, key: Hashable, ask: Ask, fetch: Callable[[], Answer]) -> Answer:
        """Return the answer of ``fetch``, or of another call with the same key that is under way."""
        with self._lock:
            future = self._under_way.get(key)
            mine = future is None
            if future is None:
                future = self._under_way[key] = Future()
        if not mine:
            try:
                return future.result(timeout=ask.left())
            except NotYet:
                ask.left()
                raise
        try:
            future.set_result(fetch())
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[key]
        return future.result()


@dataclass(frozen=True)
class RequestFetch:
    """The fetch that a query is handed. now: epoch ms."""

    source: Source
    cache: HistoryCache
    flights: Flights
    ask: Ask
    now: int

    def instant(self, text: str, time: int) -> Answer:
        """Answer an instant query."""
        key = (self.ask.headers, text, time)
        return self.flights.share(key, self.ask, lambda: self.source.instant(self.ask, text, time))

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query."""
        key = (self.ask.headers, text, start, end, step)
        return self.flights.share(key, self.ask, lambda: self.source.range(self.ask, text, start, end, step))

    def history(self, text: str, start: int, end: int) -> History:
        """Answer on the fixed grid, from memory where it is known."""
        return self.cache.read(self.ask, text, start, end, self.now)

    def is_cold(self, text: str, start: int) -> bool:
        """Whether the history from ``start`` on would have to be fetched."""
        return not self.cache.covers(self.ask, text, start)

    def check_time(self) -> None:
        """Raise QueryError if the request's time is over."""
        self.ask.left()
