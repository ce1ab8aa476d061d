"""A hundred series in which nothing happens for five weeks: two to learn from, three to watch. Minute by minute.

Some sixty are those of the sample world, without its releases, incident and leak; the others are made here: counts, shares, latencies,
heaps, disks, jobs at night, queues with heavy tails, growth. Seeds below 10,000 are for choosing, those from 10,000 on for reporting.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from driftband.model.band import DAY
from driftband.model.series import Floats, History, Labels
from driftband.model.signal import WatchedSignal
from driftband.query.question import Question
from driftband.sources.asking import Ask
from driftband.sources.local import LocalSource
from driftband.sources.sample.script import Script
from driftband.sources.sample.world import World

MINUTE = 60_000
DAY_MINUTES = DAY // MINUTE
LEARNT, WATCHED = 14, 21
"""Days."""
LENGTH = (LEARNT + WATCHED) * DAY_MINUTES
CHOOSING = range(2)
REPORTING = range(10_000, 10_002)
EXPRESSIONS = (
    "sum by (service, namespace) (rate(http_requests_total[5m]))",
    "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.5, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))",
    "sum by (pod) (rate(container_cpu_usage_seconds_total[5m]))",
    "process_resident_memory_bytes",
    "db_connections_in_use",
    "node_filesystem_avail_bytes",
    "queue_depth",
    "sum by (client, server) (rate(traces_service_graph_request_total[5m]))",
)


@dataclass(frozen=True)
class Calm(Script):
    """A script with releases up to the day ``begin``, and nothing after it."""

    begin: int

    def releases(self, service: str, day: int) -> list[int]:
        del service
        return [day * DAY_MINUTES] if day <= self.begin else []


def begin_of(seed: int) -> int:
    """Return the first day of a seed's five weeks (days since the epoch)."""
    return 20_000 + seed % 10_000 * 50 + seed // 10_000 * 1_003


def sampled(expression: str, seed: int) -> tuple[WatchedSignal, History]:
    """Return a signal of the sample world and its values."""
    first = begin_of(seed)
    clock = [0]
    script = Calm((first + 1000) * DAY_MINUTES, first - 2)
    source = LocalSource(World(lambda: clock[0], script), _nobody_asks)
    parts = []
    for day in range(first, first + LEARNT + WATCHED):
        clock[0] = (day + 1) * DAY
        frame = source.range(Ask(deadline=float("inf")), expression, day * DAY, clock[0] - MINUTE, MINUTE).frame
        parts.append((frame.labels, np.where(frame.present & np.isfinite(frame.values), frame.values, np.nan)))
    labels = tuple(sorted({one for known, _ in parts for one in known}))
    values = np.full((len(labels), LENGTH), np.nan)
    for place, (known, part) in enumerate(parts):
        rows = [labels.index(one) for one in known]
        values[rows, place * DAY_MINUTES : (place + 1) * DAY_MINUTES] = part
    named = tuple(tuple(pair for pair in one if pair[0] != "__name__") for one in labels)
    return WatchedSignal(name=expression[:40], expr=expression), History(first * DAY, MINUTE, named, values)


def _nobody_asks(_given: Mapping[str, str], _over: bool) -> Question:
    raise AssertionError("nobody asks over HTTP here")


def made(family: str, seed: int) -> tuple[WatchedSignal, History]:
    """Return a signal whose series are made here, and its values."""
    count, make = FAMILIES[family]
    chance = np.random.default_rng([seed, sum(map(ord, family))])
    rows = [make(chance, _season(chance)) for _ in range(count)]
    labels: tuple[Labels, ...] = tuple((("service", f"{family}-{n}"),) for n in range(count))
    history = History(begin_of(seed) * DAY, MINUTE, labels, np.array(rows))
    return WatchedSignal(name=family, expr=family), history


def _season(chance: np.random.Generator) -> Floats:
    """Return a load between 0 and about 1: a day with two humps, and weekends that are quieter."""
    hours = np.arange(LENGTH) / 60
    day = hours // 24
    noon, evening = chance.uniform(10, 14), chance.uniform(18, 21)
    course = 0.15 + 0.55 * _hump(hours % 24, noon, 3.0) + 0.6 * _hump(hours % 24, evening, 2.2)
    # Weekends hand over in some hours, and not at midnight.
    resting = np.convolve((day + chance.integers(7)) % 7 >= 5, np.full(180, 1 / 180), mode="same")
    return course * (1 - (1 - chance.uniform(0.5, 0.95)) * resting)


def _hump(hour: Floats, at: float, width: float) -> Floats:
    away = np.abs(hour - at)
    return np.exp(-0.5 * (np.minimum(away, 24 - away) / width) ** 2)


def _window(counts: Floats, minutes: int = 5) -> Floats:
    """Return means of the last minutes, as rate(...[5m]) has them."""
    total = np.cumsum(np.concatenate([np.zeros(minutes), counts]))
    return (total[minutes:] - total[:-minutes]) / minutes


def _memory(chance: np.random.Generator, minutes: float) -> Floats:
    """Return autoregressive noise of unit variance that forgets in ``minutes``."""
    kept = np.exp(-1 / minutes)
    drawn = chance.normal(0, (1 - kept**2) ** 0.5, LENGTH).tolist()
    level, found = float(chance.normal()), np.empty(LENGTH)
    for place, step in enumerate(drawn):
        level = kept * level + step
        found[place] = level
    return found


def _requests(chance: np.random.Generator, load: Floats) -> Floats:
    """Requests a second: counts of a busy or a quiet service."""
    peak = 10 ** chance.uniform(0.3, 4)
    return _window(chance.poisson(peak * load * np.exp(0.04 * _memory(chance, 90)))) / 60


def _errors(chance: np.random.Generator, load: Floats) -> Floats:
    """The share of requests that failed, few or none in most minutes."""
    asked = chance.poisson(10 ** chance.uniform(1.5, 3.3) * load) + 1
    failed = chance.binomial(asked, 10 ** chance.uniform(-3.2, -1.7) * np.exp(0.3 * _memory(chance, 45)).clip(0, 5))
    return _window(failed) / _window(asked)


def _latency(chance: np.random.Generator, load: Floats) -> Floats:
    """Seconds, with a long tail, slower under load."""
    typical = 10 ** chance.uniform(-2, 0)
    wander = 0.06 * _memory(chance, chance.uniform(20, 200))
    return typical * np.exp(_window(chance.normal(0, chance.uniform(0.1, 0.35), LENGTH)) + wander + 0.3 * load)


def _heap(chance: np.random.Generator, load: Floats) -> Floats:
    """Bytes of a heap that is collected every half an hour to two hours."""
    rate = chance.uniform(0.5, 2.0) * (0.4 + load) * np.exp(0.2 * _memory(chance, 30)) / 60
    phase = np.cumsum(rate) % 1.0
    return 2**20 * (300 + 400 * phase + 8 * _memory(chance, 600))


def _disk(chance: np.random.Generator, load: Floats) -> Floats:
    """Bytes in use: it fills by and by, and every night something is deleted."""
    written = load * chance.uniform(0.5, 2) * np.exp(0.3 * _memory(chance, 60))
    cleared = int(chance.choice([0, chance.integers(240)]))
    day = (np.arange(LENGTH) - cleared) // DAY_MINUTES * DAY_MINUTES + cleared
    total = np.cumsum(written)
    kept = total - 0.97 * total[np.maximum(day, 0)]
    return 2**30 * (40 + kept / kept.max() * 20 + 0.02 * _memory(chance, 10))


def _jobs(chance: np.random.Generator, load: Floats) -> Floats:
    """CPU of a machine that has its jobs at night and each hour, not to the minute."""
    cpu = 0.2 + 0.3 * load + 0.01 * _memory(chance, 60) + chance.normal(0, 0.01, LENGTH)
    nightly = chance.integers(0, 5 * 60)
    for day in range(LEARNT + WATCHED):
        start = day * DAY_MINUTES + nightly + int(chance.normal(0, 4))
        cpu[max(start, 0) : start + int(chance.uniform(35, 55))] += 0.4
    for hour in range(0, LENGTH, 60):
        start = hour + 17 + int(chance.integers(0, 3))
        cpu[start : start + 3] += 0.1
    return _window(cpu)


def _queue(chance: np.random.Generator, load: Floats) -> Floats:
    """What waits: batches of a handful to 150 come now and then, and are worked off."""
    batch = np.where(chance.random(LENGTH) < 0.02 * (0.3 + load), np.minimum(chance.pareto(1.8, LENGTH) * 15, 150), 0.0)
    comes = (batch + chance.poisson(20 * load)).tolist()
    waits, found = 0.0, np.empty(LENGTH)
    for place, more in enumerate(comes):
        waits = max(waits + more - 26.0, 0.0)
        found[place] = waits
    return np.rint(found)


def _growth(chance: np.random.Generator, load: Floats) -> Floats:
    """Sessions of a service that grows by some percent a week."""
    grown = (1 + chance.uniform(-0.03, 0.05)) ** (np.arange(LENGTH) / (7 * DAY_MINUTES))
    return 1000 * grown * (0.3 + load) * np.exp(0.05 * _memory(chance, 60)) + chance.normal(0, 5, LENGTH)


def _workers(chance: np.random.Generator, load: Floats) -> Floats:
    """Whole numbers, few of them: connections or replicas that follow the load."""
    return np.rint(chance.uniform(2, 8) * load * np.exp(0.15 * _memory(chance, 40)) + 1)


FAMILIES: Mapping[str, tuple[int, Callable[[np.random.Generator, Floats], Floats]]] = {
    "requests": (8, _requests),
    "errors": (5, _errors),
    "latency": (7, _latency),
    "heap": (4, _heap),
    "disk": (4, _disk),
    "jobs": (4, _jobs),
    "queue": (3, _queue),
    "growth": (3, _growth),
    "workers": (3, _workers),
}
