"""A model that takes longer than a query waits: first a warning and no band, later the band."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pytest

from driftband.forecast.engine import Fit
from driftband.model.band import DAY, HOUR, BandSettings
from driftband.model.series import Frame, History
from driftband.query.errors import QueryError
from driftband.query.fetch import Answer
from driftband.query.fitting import Fitter
from driftband.query.leaves import Engine
from driftband.query.question import Question, Result

T = TypeVar("T")

SETTINGS = BandSettings(step=HOUR)
NOW = 20_000 * DAY + 12 * HOUR
BAND = 'anomaly_band(x, 0.99, "prophet")'
NOT_YET = '"prophet" is still being fitted for {} of {} refits; refresh to see its band'


@dataclass(frozen=True)
class Held:
    """A source that answers every query with the same series on the hours up to ``NOW``."""

    known: History

    def instant(self, text: str, time: int) -> Answer:
        if text.startswith("count("):
            count = np.full((1, 1), float(len(self.known.labels)))
            return Answer(Frame(np.array([time]), ((),), count, np.ones((1, 1), dtype=np.bool_)))
        return self.range(text, time, time, HOUR)

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        del text
        times = np.arange(start, end + 1, step)
        values = self.known.between(start - start % HOUR, end + HOUR).values[:, (times - start + start % HOUR) // HOUR]
        return Answer(Frame(times, self.known.labels, values, ~np.isnan(values)))

    def history(self, text: str, start: int, end: int) -> History:
        del text
        return self.known.between(start, end)

    def is_cold(self, text: str, start: int) -> bool:
        del text, start
        return True

    def shared(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        del key, size
        return make()

    def check_time(self) -> None:
        pass


def held(series: int = 1) -> Held:
    hours = np.arange(20 * 24)
    noise = np.random.default_rng(3).normal(0, 1, (series, len(hours)))
    values = 100 + 20 * np.sin(hours / 24 * 2 * np.pi) + noise
    labels = tuple((("series", f"{number:02}"),) for number in range(series))
    return Held(History(NOW - (len(hours) - 1) * HOUR, HOUR, labels, values))


class Slow:
    """Makes as many fits as it was allowed to, and holds up the next one."""

    def __init__(self) -> None:
        self.made = 0
        self._allowed = threading.Semaphore(0)
        self._over = False

    def __call__(self, model: str, make: Callable[[], Fit]) -> Fit:
        del model
        self._allowed.acquire()
        if self._over:
            raise RuntimeError("the test is over")
        fit = make()
        self.made += 1
        return fit

    def allow(self, fits: int) -> None:
        self._allowed.release(fits)

    def end(self) -> None:
        self._over = True
        self._allowed.release(1000)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.end()


class Asking:
    """An engine behind a slow model that no query waits for, and what it is asked."""

    def __init__(self, slow: Slow, source: Held) -> None:
        self._source = source
        self._engine = Engine(SETTINGS, Fitter(SETTINGS, 2**20, slow, patience=0.0), (), 200)

    def ask(self, query: str, start: int = NOW, end: int = NOW) -> Result:
        return self._engine.answer(Question(query, start, end, HOUR if end > start else None), self._source, NOW)

    def until(self, said: tuple[str, ...], query: str, start: int = NOW, end: int = NOW) -> Result:
        """Refresh until the warnings are ``said``."""
        for _ in range(2000):
            result = self.ask(query, start, end)
            if result.warnings == said:
                return result
            time.sleep(0.02)
        raise AssertionError(f"never said {said}, but {result.warnings}")


def bands(result: Result) -> dict[str, int]:
    """Return how many instants each band has."""
    assert isinstance(result.value, Frame)
    rows = zip(result.value.labels, result.value.present, strict=True)
    return {dict(labels)["band"]: int(present.sum()) for labels, present in rows}


def test_the_first_query_warns_and_a_later_one_has_the_band(slow: Slow) -> None:
    asking = Asking(slow, held())
    for _ in range(2):
        first = asking.ask(BAND)
        assert first.warnings == (NOT_YET.format(1, 1),)
        assert bands(first) == {"actual": 1}
    assert asking.ask('anomaly_score(x, 0.99, "prophet")').value.labels == ()  # type: ignore[union-attr]
    slow.allow(1)
    later = asking.until((), BAND)
    assert bands(later) == {"actual": 1, "lower": 1, "expected": 1, "upper": 1}
    assert isinstance(later.value, Frame)
    expected = {
        dict(labels)["band"]: row[0] for labels, row in zip(later.value.labels, later.value.values, strict=True)
    }
    assert expected["lower"] < expected["expected"] < expected["upper"]
    assert expected["expected"] == pytest.approx(expected["actual"], abs=10)
    asking.ask(BAND)
    assert slow.made == 1


def test_what_is_fitted_is_drawn_while_the_rest_is_waited_for_latest_first(slow: Slow) -> None:
    asking = Asking(slow, held())
    whole = (BAND, NOW - 2 * DAY, NOW)
    assert asking.ask(*whole).warnings == (NOT_YET.format(3, 3),)
    slow.allow(1)
    some = bands(asking.until((NOT_YET.format(2, 3),), *whole))
    assert some == {"actual": 49, "lower": 13, "expected": 13, "upper": 13}
    slow.allow(2)
    every = bands(asking.until((), *whole))
    assert every == {"actual": 49, "lower": 49, "expected": 49, "upper": 49}
    assert slow.made == 3


def test_a_fast_model_waits_for_no_slow_one(slow: Slow) -> None:
    asking = Asking(slow, held())
    asking.ask(BAND)
    slow.allow(1)
    asking.until((), BAND)
    slow.allow(1)
    assert bands(asking.ask("anomaly_band(x)")).keys() == {"actual", "lower", "expected", "upper"}


@pytest.mark.parametrize("query", [BAND, 'forecast(x, "prophet")', 'anomaly_score(x, 0.9, "prophet")'])
def test_a_slow_model_takes_few_series(slow: Slow, query: str) -> None:
    with pytest.raises(
        QueryError, match='"prophet" takes at most 20 series, got 21; use "seasonal", or aggregate'
    ) as error:
        Asking(slow, held(21)).ask(query)
    assert error.value.status == 422
    assert Asking(slow, held(20)).ask(query).warnings == (NOT_YET.format(1, 1),)
    fast = Slow()
    fast.allow(1)
    assert Asking(fast, held(21)).ask(query.replace('"prophet"', '"seasonal"')).warnings == ()
