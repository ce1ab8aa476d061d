"""A signal with trouble in it, watched without a clock: what the watcher does to the ledger."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select

from driftband.app_watch_one import Surroundings
from driftband.app_watch_signal import SignalWatch
from driftband.detect.recording import Recorder
from driftband.detect.registry import DETECTORS
from driftband.model.band import DAY, BandSettings
from driftband.model.moment import from_ms
from driftband.model.series import Floats, Frame, History, Instants, Labels, make_labels
from driftband.model.signal import WatchedSignal
from driftband.query.fetch import Answer
from driftband.query.watching import SignalBands
from driftband.store import watching
from driftband.store.database import Database
from driftband.store.tables import findings, transitions
from driftband.store.tables_watching import signal_states, watch_progress

MINUTE = 60_000
HOUR = 60 * MINUTE
AT = 20_000 * DAY
"""Midnight; what is evaluated comes after it."""
SETTINGS = BandSettings()
RULE = WatchedSignal(name="latency", expr="latency", unit="s", direction="up", min_deviation=0.05)
BEGIN = AT + 2 * HOUR
WORSE = BEGIN + 6 * MINUTE
END = BEGIN + 40 * MINUTE
SERVICES = tuple(make_labels({"service": name, "pod": "a"}) for name in ("cart", "search"))


def latency(times: Instants) -> Floats:
    """Two services; the second one is slow from BEGIN, slower from WORSE, and well again from END on."""
    day = times / DAY
    noise = 0.01 * (np.sin(times / 7.3e5) + np.sin(times / 2.9e5) + np.sin(times / 1.1e5))
    usual = 0.5 + 0.1 * np.sin(2 * np.pi * day) + noise
    slow = np.where((times >= BEGIN) & (times < END), np.where(times >= WORSE, 2.0, 0.1), 0.0)
    return np.stack([usual, usual + slow])


class World:
    """A source whose values are a function of time. ask: called before each answer, as what breaks it."""

    def __init__(self, values: Callable[[Instants], Floats] = latency, labels: Sequence[Labels] = SERVICES) -> None:
        self.values, self.labels = values, tuple(labels)
        self.ask: Callable[[int, int], None] = lambda *_: None

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        del text
        self.ask(start, end)
        times = np.arange(start, end + 1, step, dtype=np.int64)
        values = self.values(times)
        return Answer(Frame(times, self.labels, values, ~np.isnan(values)))

    def history(self, text: str, start: int, end: int) -> History:
        del text
        times = np.arange(start, end, SETTINGS.step, dtype=np.int64)
        return History(start, SETTINGS.step, self.labels, self.values(times))


def surroundings(database: Database, world: World) -> Surroundings:
    recorder = Recorder(names=("service",), interval=MINUTE, link=lambda *_: None)
    return Surroundings(
        database=database, fetch=world, detectors=DETECTORS, recorder=recorder, settings=SETTINGS, interval=MINUTE
    )


def watch(database: Database, world: World, *, rule: WatchedSignal = RULE, begin: int = AT - HOUR) -> SignalWatch:
    """Begin as a process does that has just started."""
    digest = watching.rule_digest(rule, "seasonal", 0.99)
    known = watching.enrol(database, {rule.name: digest}, from_ms(begin))
    bands = SignalBands(rule, SETTINGS, MINUTE, lambda _, make: make())
    return SignalWatch(rule, bands, known[rule.name], surroundings(database, world))


def until(one: SignalWatch, goal: int) -> SignalWatch:
    """Evaluate up to an instant that lies far back."""
    while one.until < goal:
        assert one.go_on(goal, goal + DAY) == "done"
    return one


def everything(database: Database) -> dict[str, Any]:
    """Return every row that the watcher has written, without the numbers that the database counts up."""
    with database.read() as connection:
        found = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in (findings, transitions, signal_states, watch_progress)
        }
    for row in found["transitions"]:
        del row["id"]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def story(database: Database, kind: str) -> list[tuple[datetime, str]]:
    """Return the steps of the only finding of a kind."""
    rows = everything(database)
    (finding,) = [row["id"] for row in rows["findings"] if row["kind"] == kind]
    steps = [row for row in rows["transitions"] if row["finding"] == finding]
    return [(row["at"], row["state"]) for row in sorted(steps, key=lambda row: row["at"])]
