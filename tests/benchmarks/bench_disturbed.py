"""What calm costs: how many disturbances of a hundred series are found, and how soon.

    make bench-incidents                              # after the false incidents of the same series
    python tests/benchmarks/bench_disturbed.py [--choosing]

The series of ``bench_calm.py``, one disturbance at a time: all values raised or lowered by a factor for a while. It is found where a
finding of ``band_breach`` or ``level_shift`` that makes an incident opens while it lasts, or at most ten minutes after.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np
from bench_calm import AT_ONCE, SETTINGS, Fetch, StatesOf
from calm_world import CHOOSING, DAY_MINUTES, EXPRESSIONS, FAMILIES, LEARNT, MINUTE, REPORTING, made, sampled

from driftband.detect.band_breach import BandBreach
from driftband.detect.event import Event
from driftband.detect.level_shift import LevelShift
from driftband.model.band import DAY
from driftband.model.series import History
from driftband.model.signal import WatchedSignal
from driftband.query.watching import SignalBands

FACTORS = (((1.3, 60), (1.5, 60)), ((2.0, 60), (3.0, 60)), ((1.5, 180), (0.5, 60)), ((2.0, 20), (5.0, 20)))
"""By what, and for how many minutes: two in each run, far enough from each other that the first is forgotten."""
BEGINS = ((1, 11 * 60 + 12), (11, 20 * 60 + 6))
"""Watched day, and minute of the day."""
AFTERWARDS = 10
"""Minutes."""
DETECTORS = (BandBreach(), LevelShift())


@dataclass(frozen=True)
class Met:
    """What became of a disturbance of ``series`` series. delays: minutes, of those that were found."""

    factor: float
    minutes: int
    series: int
    delays: list[float]


def run(what: str, seed: int, place: int) -> list[Met]:
    """Disturb a signal twice, and watch it on those two days."""
    rule, history = sampled(what, seed) if what in EXPRESSIONS else made(what, seed)
    values = history.values.copy()
    for (factor, minutes), (day, minute) in zip(FACTORS[place], BEGINS, strict=True):
        begin = (LEARNT + day) * DAY_MINUTES + minute
        values[:, begin : begin + minutes] *= factor
    disturbed = History(history.start, history.step, history.labels, values)
    bands = SignalBands(rule, SETTINGS, MINUTE, lambda _, make: make())
    found = []
    for (factor, minutes), (day, minute) in zip(FACTORS[place], BEGINS, strict=True):
        first = history.start + (LEARNT + day) * DAY
        begin, delays = first + minute * MINUTE, {}
        for event in watched(rule, bands, disturbed, first):
            during = begin - MINUTE <= event.since and event.at <= begin + (minutes + AFTERWARDS) * MINUTE
            if during and event.what in {"opened", "worsened"} and event.severity != "info":
                delays.setdefault(event.labels, (event.at - begin) / MINUTE)
        found.append(Met(factor, minutes, len(history.labels), list(delays.values())))
    return found


def watched(rule: WatchedSignal, bands: SignalBands, history: History, first: int) -> Iterator[Event]:
    """Yield what the detectors say on a day that begins at ``first``."""
    states: StatesOf = {}
    for start in range(first, first + DAY, AT_ONCE * MINUTE):
        seen = bands.see(Fetch(history), np.arange(start, start + AT_ONCE * MINUTE, MINUTE, dtype=np.int64))
        for detector in DETECTORS:
            states[detector.kind], events = detector.step(rule, states.get(detector.kind, {}), seen, MINUTE)
            yield from events


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choosing", action="store_true", help="the seed that settings are chosen on")
    seed = (CHOOSING if parser.parse_args().choosing else REPORTING)[0]
    met: dict[tuple[float, int], list[Met]] = defaultdict(list)
    jobs = list(product((*EXPRESSIONS, *FAMILIES), (seed,), range(len(FACTORS))))
    with ProcessPoolExecutor(2) as pool:
        for found in pool.map(run, *zip(*jobs, strict=True)):
            for one in found:
                met[one.factor, one.minutes].append(one)
    total = 0
    for (factor, minutes), each in met.items():
        delays = [delay for one in each for delay in one.delays]
        total += len(delays)
        print(
            f"times {factor:g} for {minutes:3} min: {len(delays):3} of {sum(one.series for one in each)} found, "
            f"after {np.mean(delays):.0f} min in the mean"
        )
    print(f"  disturbances found {total} of {sum(one.series for each in met.values() for one in each)}")


if __name__ == "__main__":
    main()
