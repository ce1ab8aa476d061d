"""Shapes of telemetry: seasons, noise that remembers, and counts.

Everything here is a pure function of a key and a day, never of where a reading starts, so the same instant has the same
value in every process. Random numbers come from the counter-based generator Philox (Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", SC 2011), keyed by the key's digest and the day; each draw takes a fixed number of them,
so a scripted event moves the values it touches and no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from driftband.model.series import Floats, Instants

MINUTE = 60_000
DAY_MINUTES = 1440
KNOT_MINUTES = (1440, 360, 60, 12)
"""Spacing of the random knots that wandering noise is drawn through: together they fall off about as 1/f."""

_MONDAY, _SATURDAY, _SUNDAY = 0, 5, 6
_HANDOVER_MINUTES = 180
_EXACT_BELOW = 4.0
_MOST_EXACT = 18


def generator(key: str, day: int) -> np.random.Generator:
    """Return the random stream of ``key`` on ``day`` (days since the epoch)."""
    digest = int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
    return np.random.Generator(np.random.Philox(key=np.array([digest, day], dtype=np.uint64)))


def fraction(key: str, number: int = 0) -> float:
    """Return a fixed number in [0, 1) for ``key`` and ``number``."""
    return int.from_bytes(blake2b(f"{key}/{number}".encode(), digest_size=7).digest()) / 2**56


def day_minutes(day: int) -> Instants:
    """Return the minutes of ``day`` since the epoch, shape (1440,)."""
    return day * DAY_MINUTES + np.arange(DAY_MINUTES, dtype=np.int64)


def weekday(day: int) -> int:
    """Return 0 for Monday to 6 for Sunday; the epoch was a Thursday."""
    return (day + 3) % 7


@dataclass(frozen=True)
class Season:
    """A day's course as bumps on a floor, and how weekends differ.

    bumps: (hour UTC, width in hours, height). floor: level at rest. weekend: factor of Saturday and Sunday, whose bumps
    come ``weekend_later`` hours later. A weekday's highest level is about 1.
    """

    bumps: Sequence[tuple[float, float, float]]
    floor: float
    weekend: float
    weekend_later: float = 1.0

    def level(self, day: int) -> Floats:
        """Return the level at each minute of ``day``, shape (1440,)."""
        hours = np.arange(DAY_MINUTES) / 60
        share = _weekend_share(weekday(day))
        resting = self.weekend * self._course(hours - self.weekend_later)
        return (1 - share) * self._course(hours) + share * resting

    def _course(self, hours: Floats) -> Floats:
        total = np.full(hours.shape, self.floor)
        for hour, width, height in self.bumps:
            narrowness = (24 / (2 * np.pi * width)) ** 2
            total += height * np.exp(narrowness * (np.cos((hours - hour) * 2 * np.pi / 24) - 1))
        return total


def _weekend_share(weekday_: int) -> Floats:
    """How much of a day is weekend, handing over smoothly around midnight."""
    minutes = np.arange(DAY_MINUTES, dtype=np.float64)
    if weekday_ == _SATURDAY:
        return _smooth(0.5 + minutes / (2 * _HANDOVER_MINUTES))
    if weekday_ == _SUNDAY:
        return _smooth(0.5 + (DAY_MINUTES - minutes) / (2 * _HANDOVER_MINUTES))
    if weekday_ == _MONDAY:
        return _smooth(0.5 - minutes / (2 * _HANDOVER_MINUTES))
    if weekday_ == _SATURDAY - 1:
        return _smooth(0.5 - (DAY_MINUTES - minutes) / (2 * _HANDOVER_MINUTES))
    return np.zeros(DAY_MINUTES)


def _smooth(x: Floats) -> Floats:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


_RISE = {spacing: _smooth(np.arange(spacing) / spacing) for spacing in KNOT_MINUTES}


@lru_cache(maxsize=1024)
def wander(key: str, day: int) -> Floats:
    """Return autocorrelated noise of about unit variance for each minute of ``day``, shape (1440,), read-only.

    It runs through random knots at several spacings, so it is continuous over midnight without a walk through the past.
    """
    total = np.zeros(DAY_MINUTES)
    for spacing, own, following in zip(KNOT_MINUTES, _knots(key, day), _knots(key, day + 1), strict=True):
        rises = np.diff(own, append=following[0])
        total += (own[:, None] + rises[:, None] * _RISE[spacing]).ravel()
    # Between two independent knots the variance is 0.74 of theirs on average.
    total /= np.sqrt(0.74 * len(KNOT_MINUTES))
    total.setflags(write=False)
    return total


@lru_cache(maxsize=1024)
def _knots(key: str, day: int) -> list[Floats]:
    counts = [DAY_MINUTES // spacing for spacing in KNOT_MINUTES]
    drawn = generator(f"wander/{key}", day).standard_normal(sum(counts))
    return np.split(drawn, np.cumsum(counts)[:-1])


def poisson(rate: Floats, source: np.random.Generator) -> Floats:
    """Return counts of mean ``rate``: exactly Poisson where it is small, by Cornish and Fisher's expansion above.

    ``Generator.poisson`` would draw as many numbers as the rates make it, and shift all that come after.
    """
    normal = source.standard_normal(rate.shape)
    uniform = source.random(rate.shape)
    root = np.sqrt(rate)
    counts: Floats = np.maximum(np.rint(rate + root * normal + (normal * normal - 1) / 6), 0.0)
    small = rate < _EXACT_BELOW
    counts[small] = _small_poisson(rate[small], uniform[small])
    return counts


def _small_poisson(rate: Floats, uniform: Floats) -> Floats:
    counts = np.zeros(rate.shape)
    chance = np.exp(-rate)
    below = chance.copy()
    for count in range(1, _MOST_EXACT + 1):
        over = uniform > below
        if not over.any():
            break
        counts += over
        chance *= rate / count
        below += chance
    return counts
