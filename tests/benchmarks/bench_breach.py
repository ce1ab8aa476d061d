"""Whether time_to_breach is right: on steady ramps whose crossing is known, and where nothing has a trend.

    python tests/benchmarks/bench_breach.py

A ramp rises by 1 a day, with noise and a daily season of several sizes, and has done so for two weeks, five days or three. It is
asked at several hours of the day for a limit that it reaches in 4 to 20 hours. Without a trend the limit lies two daily ranges above
the highest that has been seen: +Inf is the right answer. Settings are chosen on one half of the seeds (``--choosing``), and the figures
are of the other.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from driftband.forecast import engine
from driftband.model.band import DAY, HOUR, BandSettings
from driftband.model.series import Floats, History

SETTINGS = BandSettings()
AT = 20_000 * DAY
PER_DAY = DAY // SETTINGS.step
WINDOW = SETTINGS.history // SETTINGS.step
LENGTH = WINDOW + 2 * PER_DAY
PHASE = (np.arange(LENGTH) - WINDOW) / PER_DAY
"""Days since the refit."""
HOURS = (1, 7, 13, 19, 23)
AHEAD = (4.0, 10.0, 16.0, 20.0)
NOISES = (0.01, 0.05, 0.15, 0.3)
SEASONS = (0.0, 0.3, 1.0)
SEEDS = 4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choosing", action="store_true", help="the seeds that settings are chosen on")
    seeds = range(SEEDS) if parser.parse_args().choosing else range(SEEDS, 2 * SEEDS)
    print("ramps of 1 a day: hours found less those that are true, in 4 to 20 h; +Inf where it says that nothing comes")
    print(f"{'rising for':12}{'noise':>8}{'season':>8}{'median':>9}{'within 25%':>12}{'+Inf':>8}")
    for days, noise, season in product((14, 5, 3), NOISES, SEASONS):
        off = np.array([one for seed in seeds for one in ramp(days, noise, season, seed)])
        finite = off[np.isfinite(off[:, 0])]
        near = (np.abs(off[:, 0]) <= 0.25 * off[:, 1]).mean()
        print(
            f"{f'{days} days':12}{noise:8.2f}{season:8.1f}{np.median(finite[:, 0]) if len(finite) else np.nan:9.1f}"
            f"{near:12.0%}{1 - len(finite) / len(off):8.0%}"
        )
    print("without a trend: share of answers that foresee a crossing, at any of the hours")
    for name, make in TRENDLESS.items():
        found = [alarm for seed in range(seeds.start * 25, seeds.stop * 25) for alarm in trendless(make, seed)]
        print(f"{name:28}{np.mean(found):8.2%} of {len(found)}")
    return 0


def left(values: Floats, hour: int, limit: float) -> float:
    """Return the hours until the limit, asked ``hour`` hours after the refit."""
    history = History(AT - SETTINGS.history, SETTINGS.step, ((("n", "0"),),), values[None])
    now = AT + hour * HOUR
    track = engine.follow(engine.fit(history, AT, SETTINGS, "seasonal"), history, now, 0.99)
    found = engine.time_to_breach(track, np.array([now]), now, np.array([limit]), against_band=False)
    return float(found[0, 0]) / 3600


def ramp(days: int, noise: float, season: float, seed: int) -> Iterator[tuple[float, float]]:
    """Yield by how much what is found is off, and what is true: hours."""
    chance = np.random.default_rng([seed, days])
    course = season * np.sin(2 * np.pi * (PHASE + chance.random())) / 2
    clean = 10 + np.maximum(PHASE + days, 0.0) + course
    values = clean + noise * chance.normal(0, 1, LENGTH)
    for hour, ahead in product(HOURS, AHEAD):
        now = WINDOW + hour * PER_DAY // 24
        there = now + int(ahead * PER_DAY / 24)
        limit = float(clean[there])
        if limit <= clean[now] + 2 * noise:
            continue
        true = float((clean[now:] >= limit).argmax()) * 24 / PER_DAY
        yield left(values, hour, limit) - true, true


def trendless(make: Callable[[np.random.Generator], Floats], seed: int) -> Iterator[bool]:
    values = make(np.random.default_rng([seed, 77]))
    for hour in HOURS:
        known = values[: WINDOW + hour * PER_DAY // 24]
        daily = known[-PER_DAY:]
        # Where it stands now counts too: what has just moved there is not foreseen.
        limit = float(known.max() + 2 * (daily.max() - daily.min()) / 2)
        yield bool(np.isfinite(left(values, hour, limit)))


def _day(chance: np.random.Generator) -> Floats:
    return 10 + np.sin(2 * np.pi * (PHASE + chance.random())) / 2


def _memory(chance: np.random.Generator, hours: float) -> Floats:
    kept = np.exp(-1 / (hours * PER_DAY / 24))
    level, found = 0.0, []
    for step in chance.normal(0, (1 - kept**2) ** 0.5, LENGTH).tolist():
        level = kept * level + step
        found.append(level)
    return np.array(found)


def _week(chance: np.random.Generator) -> Floats:
    weekend = (np.floor(PHASE + chance.integers(7)) % 7 >= 5) * 0.6
    return _day(chance) * (1 - 0.3 * weekend) + 0.1 * chance.normal(0, 1, LENGTH)


def _shifted(chance: np.random.Generator) -> Floats:
    return _day(chance) + (-chance.uniform(0.2, 4) < PHASE) * 1.0 + 0.1 * chance.normal(0, 1, LENGTH)


TRENDLESS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "season and noise": lambda chance: _day(chance) + 0.15 * chance.normal(0, 1, LENGTH),
    "noise that lasts an hour": lambda chance: _day(chance) + 0.2 * _memory(chance, 1),
    "noise that lasts two days": lambda chance: _day(chance) + 0.3 * _memory(chance, 48),
    "weekends": _week,
    "a level that has shifted": _shifted,
    "heavy tails": lambda chance: _day(chance) * np.exp(0.15 * chance.normal(0, 1, LENGTH)),
}


if __name__ == "__main__":
    sys.exit(main())
