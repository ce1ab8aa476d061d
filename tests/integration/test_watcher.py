"""The watcher as a whole, on a clock that the test moves: leases, a source that is down, a query that fails."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftband import app_watch
from driftband.app_watch import HELD, Watcher, watcher
from driftband.config import Config, load
from driftband.model.moment import from_ms, to_ms
from driftband.model.series import Frame, History
from driftband.query.errors import QueryError
from driftband.query.fetch import Answer
from driftband.store.database import Database
from driftband.store.series import intervals
from driftband.web.measure import Measure

from .watched_world import AT, BEGIN, END, HOUR, MINUTE, WORSE, World, everything

DELAY = 30_000


class Clock:
    """Now, in epoch ms, as the test says."""

    def __init__(self, now: int) -> None:
        self.now = now


class FlakySource:
    """A source that may be down, and that may refuse single queries."""

    def __init__(self) -> None:
        self.world, self.down, self.refused = World(), False, ""

    def instant(self, _ask: Any, text: str, time: int) -> Answer:
        self._check(text)
        return Answer(Frame(np.array([time]), ((),), np.array([[2.0]]), np.array([[True]])))

    def range(self, _ask: Any, text: str, start: int, end: int, step: int) -> Answer:
        self._check(text)
        return self.world.range(text, start, end, step)

    def history(self, _ask: Any, text: str, start: int, end: int, _step: int) -> History:
        self._check(text)
        return self.world.history(text, start, end)

    def _check(self, text: str) -> None:
        if self.down:
            raise QueryError("unavailable", "the source cannot be reached; is it running?")
        if self.refused and self.refused in text:
            raise QueryError("execution", "too many samples")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(BEGIN - HOUR)
    monkeypatch.setattr(app_watch, "utc_now", lambda: from_ms(clock.now))
    monkeypatch.setattr(app_watch, "RENEW", 0.0)
    return clock


@pytest.fixture
def source() -> FlakySource:
    return FlakySource()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "driftband.yaml"
    path.write_text(
        """
prometheus: {url: "http://127.0.0.1:9"}
grafana: {url: "http://grafana.example", token: none-needed}
signals:
  - {name: latency, expr: latency, unit: s, direction: up, min_deviation: 0.05, for: 5m}
  - {name: other, expr: other_latency, unit: s, direction: up, min_deviation: 0.05, for: 5m}
"""
    )
    return load(path, {})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


@pytest.fixture
def begin(config: Config, database: Database, source: FlakySource) -> Callable[[], tuple[Watcher, Measure]]:
    def start() -> tuple[Watcher, Measure]:
        measure = Measure()
        made = watcher(config, database, source, measure)
        assert made is not None
        return made, measure

    return start


def drive(clock: Clock, until: int, *watchers: Watcher) -> None:
    """Let time pass, looking each minute."""
    while clock.now < until:
        clock.now += MINUTE
        for one in watchers:
            one.look()


def metric(measure: Measure, name: str) -> float:
    (line,) = [x for x in measure.exposition().decode().splitlines() if x.startswith(name)]
    return float(line.split()[-1])


def found(database: Database, kind: str) -> list[dict[str, Any]]:
    return [row for row in everything(database)["findings"] if row["kind"] == kind]


def test_a_new_store_begins_now_and_follows_the_clock(begin: Any, database: Database, clock: Clock) -> None:
    one, measure = begin()
    one.look()
    began = clock.now - clock.now % MINUTE
    assert metric(measure, "driftband_watch_evaluated_until_seconds") <= began / 1000
    drive(clock, clock.now + 10 * MINUTE, one)
    assert metric(measure, "driftband_watch_evaluated_until_seconds") == (clock.now - DELAY) // MINUTE * 60
    assert metric(measure, "driftband_watch_signals") == 2
    assert metric(measure, "driftband_watch_tick_duration_seconds_count") == 10
    assert {row["evaluated_until"] for row in everything(database)["watch_progress"]} == {
        from_ms((clock.now - DELAY) // MINUTE * MINUTE)
    }


@pytest.mark.slow
def test_a_source_that_is_down_is_one_finding_and_what_is_missed_is_caught_up(
    begin: Any, database: Database, source: FlakySource, clock: Clock, tmp_path: Path, config: Config
) -> None:
    one, _ = begin()
    one.look()
    drive(clock, BEGIN - 10 * MINUTE, one)
    before = everything(database)["watch_progress"]
    source.down = True
    drive(clock, clock.now + 2 * MINUTE, one)
    assert everything(database)["findings"] == []
    down_from = clock.now - MINUTE
    drive(clock, WORSE, one)
    (down,) = everything(database)["findings"]
    assert (down["kind"], down["signal"], down["state"], down["identity"]) == ("source_unreachable", "", "open", {})
    assert down["opened_at"] == from_ms(down_from)
    assert "cannot be reached" in down["reason"]
    assert everything(database)["watch_progress"] == before
    source.down = False
    drive(clock, WORSE + 2 * MINUTE, one)
    (down,) = found(database, "source_unreachable")
    assert (down["state"], down["closed_at"]) == ("closed", from_ms(WORSE + MINUTE))
    drive(clock, END + HOUR, one)

    undisturbed = Database(f"sqlite:///{tmp_path}/undisturbed.db")
    other = watcher(config, undisturbed, FlakySource(), Measure())
    assert other is not None
    clock.now = BEGIN - HOUR
    other.look()
    drive(clock, END + HOUR, other)
    expected, disturbed = everything(undisturbed), everything(database)
    undisturbed.close()
    assert found(database, "band_breach")
    assert disturbed["watch_progress"] == expected["watch_progress"]
    assert disturbed["signal_states"] == expected["signal_states"]
    of_source = {down["id"]}
    assert [row for row in disturbed["findings"] if row["id"] not in of_source] == expected["findings"]
    assert [row for row in disturbed["transitions"] if row["finding"] not in of_source] == expected["transitions"]


def test_a_restart_knows_that_the_source_was_down(
    begin: Any, database: Database, source: FlakySource, clock: Clock
) -> None:
    one, _ = begin()
    one.look()
    source.down = True
    drive(clock, clock.now + 5 * MINUTE, one)
    assert len(found(database, "source_unreachable")) == 1
    clock.now += 2 * MINUTE
    again, _ = begin()
    again.look()
    drive(clock, clock.now + 5 * MINUTE, again)
    source.down = False
    drive(clock, clock.now + MINUTE, again)
    (down,) = found(database, "source_unreachable")
    assert down["state"] == "closed"


def test_a_query_that_fails_holds_up_nothing_else(
    begin: Any, database: Database, source: FlakySource, clock: Clock
) -> None:
    one, measure = begin()
    one.look()
    source.refused = "other_latency"
    began = clock.now
    drive(clock, clock.now + 6 * MINUTE, one)
    (failing,) = everything(database)["findings"]
    assert (failing["kind"], failing["signal"], failing["state"]) == ("query_failed", "other", "open")
    assert "too many samples" in failing["reason"]
    assert failing["evidence"]["query"] == "other_latency"
    until = {row["signal"]: row["evaluated_until"] for row in everything(database)["watch_progress"]}
    assert until["latency"] > from_ms(began) > until["other"]
    told = intervals(database, "driftband_watch_last_evaluated_timestamp_seconds", clock.now, clock.now, {}, 10)
    assert {one.labels["signal"]: one.value for one in told} == {name: at.timestamp() for name, at in until.items()}
    one_signal = {"signal": "other"}
    (other,) = intervals(
        database, "driftband_watch_last_evaluated_timestamp_seconds", clock.now, clock.now, one_signal, 10
    )
    assert (other.start, other.end) == (to_ms(until["other"]), None)
    assert metric(measure, "driftband_watch_evaluated_until_seconds") == until["latency"].timestamp()
    assert metric(measure, 'driftband_watch_errors_total{type="execution"}') == 6
    source.refused = ""
    drive(clock, clock.now + MINUTE, one)
    until = {row["signal"]: row["evaluated_until"] for row in everything(database)["watch_progress"]}
    assert until["latency"] == until["other"]
    (failing,) = everything(database)["findings"]
    assert failing["state"] == "closed"


def test_of_two_instances_one_watches_until_it_is_gone(begin: Any, database: Database, clock: Clock) -> None:
    (first, told), (second, told_too) = begin(), begin()
    calls = {"first": 0, "second": 0}
    for name, one in (("first", first), ("second", second)):
        tick = one._tick

        def counted(held: Any, name: str = name, tick: Any = tick) -> float:
            calls[name] += 1
            return float(tick(held))

        one._tick = counted
    drive(clock, clock.now + 10 * MINUTE, first)
    # The second looks more often than a lease lasts.
    for _ in range(40):
        clock.now += 10_000
        first.look()
        second.look()
    assert calls["second"] == 0
    same = [metric(m, "driftband_watch_evaluated_until_seconds") for m in (told, told_too)]
    assert same[0] == same[1]
    clock.now += int(HELD / timedelta(milliseconds=1)) + 1
    second.look()
    assert calls["second"] == 1
    drive(clock, BEGIN + 20 * MINUTE, second)
    first.look()
    assert metric(told_too, "driftband_watch_evaluated_until_seconds") == (clock.now - DELAY) // MINUTE * 60
    assert len(found(database, "band_breach")) == 2


def test_findings_link_to_explore(begin: Any, database: Database, clock: Clock) -> None:
    one, _ = begin()
    one.look()
    drive(clock, BEGIN + 20 * MINUTE, one)
    rows = found(database, "band_breach")
    assert {row["signal"] for row in rows} == {"latency", "other"}
    for row in rows:
        assert row["evidence"]["link"].startswith("http://grafana.example/explore?")
        assert str(BEGIN - HOUR) in row["evidence"]["link"]


def test_start_lets_a_new_store_begin_in_the_past(
    config: Config, database: Database, source: FlakySource, clock: Clock
) -> None:
    clock.now = END + 3 * HOUR
    past = config.model_copy(update={"watch": config.watch.model_copy(update={"start": from_ms(AT)})})
    measure = Measure()
    one = watcher(past, database, source, measure)
    assert one is not None
    one.look()
    assert metric(measure, "driftband_watch_evaluated_until_seconds") == (clock.now - DELAY) // MINUTE * 60
    assert {row["state"] for row in found(database, "band_breach")} == {"closed"}
    assert len(found(database, "band_breach")) == 2


def test_without_signals_nothing_watches_and_what_was_watched_is_over(
    begin: Any, config: Config, database: Database, source: FlakySource
) -> None:
    begin()[0].look()
    assert len(everything(database)["watch_progress"]) == 2
    assert watcher(config.model_copy(update={"signals": ()}), database, source, Measure()) is None
    assert everything(database)["watch_progress"] == []
