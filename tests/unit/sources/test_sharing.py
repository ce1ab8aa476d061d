import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from driftband.query.errors import QueryError
from driftband.sources import fetching
from driftband.sources.asking import Ask
from driftband.sources.fetching import Flights

KIB = 1024
MANY = 8


def ask(seconds: float = 30.0) -> Ask:
    return Ask(time.monotonic() + seconds)


def counting(size: int = 1) -> tuple[list[int], Callable[[Flights, str], int]]:
    """Return what was made, and how it is asked for: each thing made is the number of those before it."""
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    return made, lambda flights, key: flights.share(key, ask(), make, lambda _: size)


def test_who_comes_while_it_is_made_waits_for_it() -> None:
    flights, begun, goes_on = Flights(KIB), threading.Event(), threading.Event()
    made = []

    def make() -> str:
        begun.set()
        assert goes_on.wait(10)
        made.append("once")
        return "an answer"

    with ThreadPoolExecutor(MANY) as panels:
        answers = [panels.submit(flights.share, "key", ask(), make, len) for _ in range(MANY)]
        assert begun.wait(10)
        goes_on.set()
        assert {one.result(10) for one in answers} == {"an answer"}
    assert made == ["once"]


def test_it_serves_for_a_moment_those_who_come_after_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    made, get = counting()
    flights = Flights(KIB)
    assert (get(flights, "a"), get(flights, "a"), get(flights, "b")) == (0, 0, 1)
    now = time.monotonic()
    monkeypatch.setattr(fetching.time, "monotonic", lambda: now + fetching.REUSE / 1000 + 1)
    assert get(flights, "a") == len(made) - 1 == 2
    assert flights.size == 1  # what was too old is gone


def test_no_more_is_kept_than_there_is_room_for() -> None:
    made, get = counting(size=KIB // 2)
    flights = Flights(KIB)
    for key in "abc":
        get(flights, key)
    assert flights.size == KIB
    assert (get(flights, "c"), get(flights, "b")) == (2, 1)
    assert get(flights, "a") == len(made) - 1 == 3


def test_what_is_larger_than_all_the_room_is_answered_and_not_kept() -> None:
    _, get = counting(size=2 * KIB)
    flights = Flights(KIB)
    assert (get(flights, "a"), get(flights, "a"), flights.size) == (0, 1, 0)


def test_an_error_is_told_to_all_who_wait_and_is_not_kept() -> None:
    flights, begun, goes_on = Flights(KIB), threading.Event(), threading.Event()

    def fail() -> str:
        begun.set()
        assert goes_on.wait(10)
        raise QueryError("unavailable", "the source is down")

    with ThreadPoolExecutor(2) as panels:
        first = panels.submit(flights.share, "key", ask(), fail, len)
        assert begun.wait(10)
        second = panels.submit(flights.share, "key", ask(), fail, len)
        goes_on.set()
        for one in (first, second):
            with pytest.raises(QueryError, match="the source is down"):
                one.result(10)
    assert flights.share("key", ask(), lambda: "well again", len) == "well again"


def test_who_has_no_time_left_does_not_wait() -> None:
    flights, begun, goes_on = Flights(KIB), threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        assert goes_on.wait(10)
        return "late"

    with ThreadPoolExecutor(1) as panels:
        patient = panels.submit(flights.share, "key", ask(), make, len)
        assert begun.wait(10)
        with pytest.raises(QueryError, match="timed out"):
            flights.share("key", ask(0.05), make, len)
        goes_on.set()
        assert patient.result(10) == "late"
