import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from driftband import app_ahead
from driftband.app import Querying
from driftband.app_ahead import Ahead
from driftband.model.band import DAY, HOUR, BandSettings
from driftband.model.moment import from_ms
from driftband.model.series import Floats, Frame, History, Instants
from driftband.query.errors import QueryError
from driftband.query.fetch import Answer, Fetch
from driftband.query.fitting import Fitter
from driftband.query.leaves import Engine
from driftband.query.native import Signal
from driftband.query.question import Question
from driftband.sources.asking import Ask, Forward, Forwarded
from driftband.sources.fetching import Flights, RequestFetch
from driftband.sources.history import HistoryCache
from driftband.sources.ranges import RangeCache

NOW = 20_000 * DAY + 13 * HOUR + 60_000
SETTINGS = BandSettings(step=HOUR)
LABELS = ((("service", "cart"),), (("service", "search"),))
MIB = 2**20


def load(times: Instants) -> Floats:
    day = 2 * np.pi * times / DAY
    return np.stack([100 + 20 * np.sin(day) + np.sin(times * factor) for factor in (1e-5, 3e-5)])


@dataclass
class Source:
    """histories: from when, of which operand."""

    histories: list[tuple[str, int]] = field(default_factory=list)
    down: bool = False

    def forward(self, ask: Ask, request: Forward) -> Forwarded:
        raise NotImplementedError

    def instant(self, ask: Ask, text: str, time: int) -> Answer:
        del ask, text
        if self.down:
            raise QueryError("unavailable", "the source is down")
        return Answer(Frame(np.array([time]), ((),), np.array([[2.0]]), np.ones((1, 1), dtype=np.bool_)))

    def range(self, ask: Ask, text: str, start: int, end: int, step: int) -> Answer:
        del ask, text
        times = np.arange(start, end + 1, step)
        return Answer(Frame(times, LABELS, load(times), np.ones((2, len(times)), dtype=np.bool_)))

    def history(self, ask: Ask, text: str, start: int, end: int, step: int) -> History:
        del ask
        self.histories.append((text, start))
        return History(start, step, LABELS, load(np.arange(start, end, step)))


@dataclass
class Stage:
    source: Source
    querying: Querying
    ahead: Ahead
    now: int = NOW

    def fetch(self) -> Fetch:
        q = self.querying
        return RequestFetch(q.source, q.cache, q.ranges, q.flights, Ask(time.monotonic() + 30), self.now)


def stage(*names: str, room: bool = True) -> Stage:
    source, signals = Source(), tuple(Signal(name, name) for name in names)
    cache = HistoryCache(source.history, HOUR, MIB, lambda _: None)
    engine = Engine(SETTINGS, Fitter(SETTINGS, MIB, lambda _, make: make()), signals, 10)
    made = Stage(source, Querying(source, cache, RangeCache(source.range, MIB), Flights(MIB), engine), None)  # type: ignore[arg-type]
    made.ahead = Ahead(signals, engine, made.fetch, lambda: room)
    return made


def test_a_panel_of_the_last_day_waits_for_no_history_that_was_read_ahead() -> None:
    there = stage("load", "more")
    there.ahead.look(from_ms(NOW))
    assert {text for text, _ in there.source.histories} == {"load", "more"}
    there.source.histories.clear()
    result = there.querying.engine.answer(
        Question('driftband_upper{signal="load", service="cart"}', NOW - DAY, NOW, 60_000), there.fetch(), NOW
    )
    assert isinstance(result.value, Frame)
    assert result.value.present.all()
    assert all(start > NOW - 2 * HOUR for _, start in there.source.histories)


def test_it_reads_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    there = stage("load")
    there.ahead.look(from_ms(NOW))
    there.source.histories.clear()
    there.now = NOW + HOUR
    there.ahead.look(from_ms(there.now))
    assert there.source.histories == []
    later = time.monotonic() + app_ahead.EVERY
    monkeypatch.setattr(app_ahead.time, "monotonic", lambda: later)
    there.ahead.look(from_ms(there.now))
    assert there.source.histories


def test_what_there_is_no_room_for_is_read_when_it_is_asked_for() -> None:
    there = stage("load", room=False)
    there.ahead.look(from_ms(NOW))
    assert there.source.histories == []


def test_it_comes_back_soon_to_a_source_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    there = stage("load", "more")
    there.source.down = True
    there.ahead.look(from_ms(NOW))
    there.source.down = False
    there.ahead.look(from_ms(NOW))
    assert there.source.histories == []
    later = time.monotonic() + app_ahead.RETRY
    monkeypatch.setattr(app_ahead.time, "monotonic", lambda: later)
    there.ahead.look(from_ms(NOW))
    assert there.source.histories
