"""What watching 10,000 series costs: CPU of a one-minute tick on one core, with the source's own time left out.

The source answers from memory, in the bytes that a Prometheus would send, so that decoding is counted. Run:
``python tests/benchmarks/bench_watch.py [SERIES]``.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import gc
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import orjson
import structlog

from driftband.app_server import GARBAGE_EVERY
from driftband.app_watch_one import Surroundings
from driftband.app_watch_signal import SignalWatch
from driftband.detect.recording import Recorder
from driftband.detect.registry import DETECTORS
from driftband.model.band import DAY, BandSettings
from driftband.model.moment import from_ms
from driftband.model.series import Floats, History, Instants, make_labels
from driftband.model.signal import WatchedSignal
from driftband.query.fetch import Answer
from driftband.query.watching import SignalBands
from driftband.sources.prometheus import place, to_frame
from driftband.store import watching
from driftband.store.database import Database

MINUTE = 60_000
AT = 20_000 * DAY
WANTED = 6.0
SETTINGS = BandSettings()
SIGNALS = 10
TROUBLED = 0.01
"""Share of the series that leave their band half an hour after the beginning."""


class Source:
    """``n`` series of daily seasons, answered as JSON; ``seconds`` is the CPU that making them has taken."""

    def __init__(self, count: int, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self.labels = [
            {"service": f"service-{i % 200}", "instance": f"10.0.{i // 250}.{i % 250}:8080", "region": f"r{i % 5}"}
            for i in range(count)
        ]
        self.level = chance.uniform(10, 1000, (count, 1))
        self.phase = chance.uniform(0, 6, (count, 1))
        self.troubled = np.arange(count)[:, None] < TROUBLED * count
        self.seconds = 0.0

    def values(self, times: Instants) -> Floats:
        day = times / DAY
        # A noise that is a function of the time: the same whoever asks, and whenever.
        noise = np.sin(times * 1e-5 * (1 + self.phase)) + np.sin(times * 2.7e-5 * (1 + self.phase))
        values = self.level * (1 + 0.3 * np.sin(2 * np.pi * day + self.phase) + 0.02 * noise)
        return np.where(self.troubled & (times >= AT + 5 * 60 * MINUTE + 30 * MINUTE), 3 * values, values)

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        del text
        times = np.arange(start, end + 1, step, dtype=np.int64)
        body = self._body(times)
        return Answer(to_frame(times, orjson.loads(body)["data"]["result"]))

    def history(self, text: str, start: int, end: int) -> History:
        """Answer a day at a time, as ``sources.watching`` asks for it."""
        del text
        step = SETTINGS.step
        values = np.full((len(self.labels), (end - start) // step), np.nan)
        for first in range(start, end, DAY):
            last = min(first + DAY, end)
            body = self._body(np.arange(first, last, step, dtype=np.int64))
            for row, series in enumerate(orjson.loads(body)["data"]["result"]):
                place(series["values"], start, step, values[row])
        return History(start, step, tuple(make_labels(one) for one in self.labels), values)

    def _body(self, times: Instants) -> bytes:
        began = time.process_time()
        seconds = (times / 1000).tolist()
        rows = [
            {"metric": labels, "values": [[t, f"{v:.6f}"] for t, v in zip(seconds, row, strict=True)]}
            for labels, row in zip(self.labels, self.values(times).tolist(), strict=True)
        ]
        body = orjson.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}})
        self.seconds += time.process_time() - began
        return body


@contextmanager
def measured(name: str, sources: list[Source]) -> Iterator[list[float]]:
    before, made = time.process_time(), sum(one.seconds for one in sources)
    found: list[float] = []
    yield found
    found.append(time.process_time() - before - (sum(one.seconds for one in sources) - made))
    if name:
        print(f"{name}: {found[0]:.2f} s of CPU")


def main(count: int) -> int:
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY, 10, 10)  # as the service does
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    rules = [WatchedSignal(name=f"signal_{n}", expr=f"signal_{n}", for_ms=300_000) for n in range(SIGNALS)]
    sources = [Source(count // SIGNALS, n) for n in range(SIGNALS)]
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder)}/bench.db")
        begin = AT + 5 * 60 * MINUTE
        digests = {rule.name: watching.rule_digest(rule, "seasonal", 0.99) for rule in rules}
        known = watching.enrol(database, digests, from_ms(begin))
        recorder = Recorder(names=("service",), interval=MINUTE, link=lambda *_: None)
        signals = [
            SignalWatch(
                rule,
                SignalBands(rule, SETTINGS, MINUTE, lambda _, make: make()),
                known[rule.name],
                Surroundings(
                    database=database,
                    fetch=source,
                    detectors=DETECTORS,
                    recorder=recorder,
                    settings=SETTINGS,
                    interval=MINUTE,
                ),
            )
            for rule, source in zip(rules, sources, strict=True)
        ]
        print(f"{count} series in {SIGNALS} signals, {len(DETECTORS)} detectors")
        with measured("first tick (histories of two weeks, fits)", sources):
            for one in signals:
                one.go_on(begin + MINUTE, begin + MINUTE)
        ticks = []
        for minute in range(2, 62):
            goal = begin + minute * MINUTE
            with measured("", sources) as took:
                for one in signals:
                    one.go_on(goal, goal)
            ticks += took
        calm, troubled = ticks[:28], ticks[28:]
        worst, mean = max(ticks), sum(ticks) / len(ticks)
        print(
            f"a tick: {mean:.2f} s of CPU, at most {worst:.2f} (calm {np.mean(calm):.2f}, in trouble {np.mean(troubled):.2f})"
        )
        with measured("an hour caught up", sources):
            goal = begin + 121 * MINUTE
            for one in signals:
                while one.until < goal:
                    one.go_on(goal, goal)
        with database.read() as connection:
            (findings,) = connection.exec_driver_sql("select count(*) from findings").one()
        print(
            f"findings: {findings}; memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
        )
        database.close()
    print(f"wanted: less than {WANTED:.0f} s a tick: {'yes' if worst < WANTED else 'NO'}")
    return 0 if worst < WANTED else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
