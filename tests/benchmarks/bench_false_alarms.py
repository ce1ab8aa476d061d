"""How often detectors raise what is no trouble: on undisturbed weeks of the sample world, and on synthetic noise.

    python tests/benchmarks/bench_false_alarms.py [--weeks 3] [--detectors band_breach,level_shift]

Everything is evaluated each minute, at the default level, with the default ``for``, and without a least deviation: that
is the worst case. An undisturbed week has the weekly releases of each service, which really move something, but neither
incident nor leak.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from driftband.detect.detector import Detector, State
from driftband.detect.registry import DETECTORS
from driftband.forecast import engine
from driftband.model.band import DAY, HOUR, Band, BandSettings
from driftband.model.series import Floats, History, Labels
from driftband.model.signal import Direction, Watched, WatchedSignal
from driftband.query.question import Question
from driftband.sources.asking import Ask
from driftband.sources.local import LocalSource
from driftband.sources.sample.shop import SERVICES
from driftband.sources.sample.world import World

MINUTE = 60_000
WARM_UP = 10
"""Days of history before the first watched day."""
SETTINGS = BandSettings()
EXPRESSIONS: tuple[tuple[str, Direction], ...] = (
    ("sum by (service, namespace) (rate(http_requests_total[5m]))", "both"),
    ("histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))", "up"),
    ("histogram_quantile(0.5, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))", "up"),
    ("sum by (pod) (rate(container_cpu_usage_seconds_total[5m]))", "up"),
    ("process_resident_memory_bytes", "up"),
    ("db_connections_in_use", "up"),
    ("node_filesystem_avail_bytes", "down"),
    ("queue_depth", "up"),
    ("sum by (client, server) (rate(traces_service_graph_request_total[5m]))", "both"),
)
LIMIT = 160.0
"""Of saturation, on the noise around a season from 70 to 130."""
AFTER_RELEASE = 2 * HOUR
CALM_DAYS = 5
"""The stories of the sample world begin so many days before its now."""


@dataclass(frozen=True, eq=False)
class Week:
    """first, last: watched from and to. releases: instants (all epoch ms)."""

    history: History
    first: int
    last: int
    releases: list[int]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=3, help="weeks of the sample world, and of noise")
    parser.add_argument("--detectors", default=",".join(d.kind for d in DETECTORS))
    parser.add_argument("--show", action="store_true", help="print each event")
    asked = parser.parse_args()
    chosen = [d for d in DETECTORS if d.kind in asked.detectors.split(",")]
    print("findings in a series-week, and how many of them began within 2h of a release")
    print(f"{'':34}{'series-weeks':>13}" + "".join(f"{d.kind:>20}" for d in chosen))
    for expression, direction in EXPRESSIONS:
        rule = WatchedSignal(name="s", expr=expression, direction=direction)
        report(expression[:32], rule, sample_weeks(expression, asked.weeks), chosen, show=asked.show)
    for name in NOISES:
        rule = WatchedSignal(name="s", expr="x", limit=LIMIT)
        report(f"noise: {name}", rule, noise_weeks(name, asked.weeks), chosen, show=asked.show)
    return 0


def report(title: str, rule: WatchedSignal, weeks: Iterator[Week], chosen: Sequence[Detector], *, show: bool) -> None:
    found = {detector.kind: [0, 0] for detector in chosen}
    series_days = 0
    for week in weeks:
        series_days += len(week.history.labels) * ((week.last - week.first) // DAY)
        states: dict[str, dict[Labels, State]] = {detector.kind: {} for detector in chosen}
        for at in range(week.first, week.last, DAY):
            seen = watched(week.history, at, rule.limit if "saturation" in found else None)
            for detector in chosen:
                states[detector.kind], events = detector.step(rule, states[detector.kind], seen, MINUTE)
                for event in events:
                    near = any(release <= event.since < release + AFTER_RELEASE for release in week.releases)
                    found[detector.kind][near] += event.what == "opened"
                    if show:
                        print(f"    {event.what:9}{event.severity:9}{near:2} {event.labels} {event.reason}")
    total = series_days / 7
    cells = [f"{sum(both) / total:.4f} ({both[1]}/{sum(both)})" for both in found.values()]
    print(f"{title:34}{total:13.0f}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


def watched(history: History, at: int, limit: float | None) -> Watched:
    """A day of minutes: the history is a grid of minutes, and the band sees that of the settings, as in the service."""
    coarse = SETTINGS.step // MINUTE
    grid = History(history.start, SETTINGS.step, history.labels, history.values[:, ::coarse])
    track = engine.follow(engine.fit(grid, at, SETTINGS, "seasonal"), grid, at + DAY, SETTINGS.level)
    part = history.between(at, at + DAY)
    parts = [engine.bands(track, part.times[hour : hour + 60], at + DAY) for hour in range(0, 1440, 60)]
    band = Band(**{f.name: np.concatenate([getattr(part, f.name) for part in parts], axis=1) for f in fields(Band)})
    left = None
    if limit is not None:
        # Forecasts change every five minutes: between them, the time to the limit is what it was.
        origins = part.times[::coarse]
        left = engine.time_to_breach(track, origins, at + DAY, np.full(len(origins), limit), against_band=False)
        left = left.repeat(coarse, axis=1)
    return Watched(part.times, part.labels, part.values, band, band.score(part.values), left)


def sample_weeks(expression: str, weeks: int) -> Iterator[Week]:
    for week in range(weeks):
        now = (20_400 + 11 * week) * DAY + 9 * HOUR
        world = World(lambda now=now: now)
        source = LocalSource(world, no_question)
        last = (now // DAY - CALM_DAYS - 1) * DAY
        start = last - 15 * DAY
        parts = []
        for day in range(start, last, DAY):
            frame = source.range(Ask(deadline=float("inf")), expression, day, day + DAY - MINUTE, MINUTE).frame
            parts.append((frame.labels, np.where(frame.present & np.isfinite(frame.values), frame.values, np.nan)))
        labels = tuple(sorted({one for known, _ in parts for one in known}))
        values = np.full((len(labels), (last - start) // MINUTE), np.nan)
        for place, (known, part) in enumerate(parts):
            rows = [labels.index(one) for one in known]
            values[rows, place * 1440 : (place + 1) * 1440] = part
        releases = [
            minute * MINUTE
            for day in range(start // DAY, last // DAY)
            for service in SERVICES
            for minute in world.script.releases(service.name, day)
        ]
        yield Week(History(start, MINUTE, labels, values), last - 7 * DAY, last, releases)


def no_question(_given: Mapping[str, str], _over: bool) -> Question:
    raise AssertionError("nobody asks over HTTP here")


def noise_weeks(name: str, weeks: int) -> Iterator[Week]:
    first = 20_000 * DAY
    for seed in range(weeks):
        rng = np.random.default_rng(seed)
        values = NOISES[name](rng, 40, (WARM_UP + 7) * 1440)
        labels = tuple((("n", f"{n:03}"),) for n in range(len(values)))
        yield Week(History(first - WARM_UP * DAY, MINUTE, labels, values), first, first + 7 * DAY, [])


def season(length: int) -> Floats:
    return 100 + 30 * np.sin(2 * np.pi * np.arange(length) / 1440)


def white(rng: np.random.Generator, series: int, length: int) -> Floats:
    return season(length) + rng.normal(0, 3, (series, length))


def smoothed(rng: np.random.Generator, series: int, length: int) -> Floats:
    """As rate(...[5m]) gives it each minute: neighbours share most of their window."""
    raw = rng.normal(0, 3, (series, length + 4))
    total = np.cumsum(np.concatenate([np.zeros((series, 1)), raw], axis=1), axis=1)
    return season(length) + (total[:, 5:] - total[:, :-5]) / 5**0.5


def wandering(rng: np.random.Generator, series: int, length: int) -> Floats:
    """Autoregressive, with a memory of an hour."""
    noise = rng.normal(0, 1, (length, series))
    kept = np.exp(-1 / 60)
    level = np.zeros((length, series))
    for place in range(1, length):
        level[place] = kept * level[place - 1] + noise[place]
    return season(length) + 3 * (1 - kept**2) ** 0.5 * level.T


def heavy(rng: np.random.Generator, series: int, length: int) -> Floats:
    """Lognormal, as latencies are, and smoothed."""
    return season(length) * np.exp(
        smoothed(rng, series, length) * 0 + (smoothed(rng, series, length) - season(length)) / 20
    )


NOISES = {"white": white, "5m windows": smoothed, "memory of 1h": wandering, "lognormal, 5m windows": heavy}


if __name__ == "__main__":
    sys.exit(main())
