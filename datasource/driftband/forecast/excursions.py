"""How far a series strays by itself: the farthest of each day of its backtest, carried on to what is rare.

A band of 99% is left by one point in a hundred. How far, and for how long, is a habit of the series: noise with heavy tails, a job
that is never on time. A week of one series does not show what comes once in years, but the series of a signal are of one kind:
location and scale are a series' own, the shape of the tail is that of the signal (regional frequency analysis, Hosking and Wallis
1997). L-moments give the shape of a generalised extreme value distribution, trimmed ones (Elamir and Seheult 2003) the rest.
"""

from math import gamma
from typing import TypeVar

import numpy as np

from driftband.model.series import Floats

SPANS = (1, 6)
"""Grid points for which an excursion must last to count as one."""
RARE = 5_600
"""Days in which calm alone goes beyond it once: of 100 series with two sides and two spans, once in two weeks."""
LEAST_DAYS = 4
ORDINARY = 1.0
"""What is no larger than an ordinary error is no excursion."""
USUAL_SHAPE, USUAL_SERIES = 0.15, 3
"""The shape of the tail that is expected of any signal, and how many series of its own weigh as much. 0 would be Gumbel's."""
USUAL_DAYS = 7
"""Days of a series' own that weigh as much as what the series of the signal have in common."""
_F = TypeVar("_F", float, Floats)
_LEAST_WIDTH = 1e-9
_SHAPES = np.linspace(0.001, 0.9, 100)
"""Beyond the last of them there would be no mean to speak of."""


def farthest(normalised: Floats, per_day: int) -> Floats:
    """Return the farthest of each day, (n, 2, S, O), below and above, held for each of ``SPANS``; NaN where nothing is known.

    normalised: (n, O * per_day), errors one step ahead over what is ordinary at their time.
    """
    sides = []
    for sign in (-1, 1):
        size = np.where(np.isnan(normalised), -np.inf, sign * normalised)
        sides.append(np.stack([_daily(size, length, per_day) for length in SPANS], axis=1))
    found = np.stack(sides, axis=1)
    return np.where(np.isfinite(found), np.maximum(found, ORDINARY), np.nan)


def _daily(size: Floats, length: int, per_day: int) -> Floats:
    held = size.copy()
    for back in range(1, length):
        held[:, back:] = np.minimum(held[:, back:], size[:, :-back])
    daily: Floats = held.reshape(len(size), held.shape[1] // per_day, per_day).max(axis=2)
    return daily


def rarest(days: Floats) -> Floats:
    """Return how far calm strays once in ``RARE`` days, (n, 2, S), of the series of a signal; NaN where too few days are known.

    days: (n, 2, S, O), as of ``farthest``. The farthest day of a series does not count for itself, nor the farthest day of all
    for the shape: one trouble in the window is no habit, were it of all series at once. What each does on a day of its own is.
    """
    found = np.full(days.shape[:3], np.nan)
    enough = np.isfinite(days).sum(axis=3) >= LEAST_DAYS
    for side in range(days.shape[1]):
        # That an excursion lasts is seen too seldom to have a shape of its own.
        shape = _shape(days[enough[:, side, 0], side, 0])
        for span in range(days.shape[2]):
            rows = enough[:, side, span]
            found[rows, side, span] = _carried(days[rows, side, span], shape)
    return found


def _shape(days: Floats) -> float:
    """Return the shape of the tail that all (n, O) have in common, shrunk to the usual one where they are few."""
    if not len(days):
        return USUAL_SHAPE
    middle, width, skew = _moments(_weighted_means(_without_worst(days)))
    own = (skew / middle).sum() / max((width / middle).sum(), _LEAST_WIDTH)
    skewness = (len(days) * own + USUAL_SERIES * np.interp(USUAL_SHAPE, _SHAPES, _SKEWNESSES)) / (
        len(days) + USUAL_SERIES
    )
    return float(np.interp(skewness, _SKEWNESSES, _SHAPES))


def _without_worst(days: Floats) -> Floats:
    """Return (n, O - 1): without the day that was farthest for all together, each in terms of its own middle day."""
    away = np.log(days / np.nanmedian(days, axis=1, keepdims=True))
    known = np.isfinite(away)
    together = np.where(known, away, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.delete(days, int(np.where(known.any(axis=0), together, -np.inf).argmax()), axis=1)


def _carried(days: Floats, shape: float) -> Floats:
    """Return what (n, O) reach once in ``RARE`` days."""
    middle, width = _trimmed(_weighted_means(days))
    count = np.isfinite(days).sum(axis=1)
    common = (width / middle).sum() / max(len(days), 1) * middle
    standard_middle, standard_width = _trimmed(_standard(shape))
    scale = (count * width + USUAL_DAYS * common) / (count + USUAL_DAYS) / standard_width
    reached = ((-np.log1p(-1 / RARE)) ** -shape - 1) / shape
    carried: Floats = middle + scale * (reached - standard_middle)
    return carried


def _weighted_means(days: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the probability-weighted moments of (n, O), each (n,): unbiased estimates of the mean of x F(x)^r, r from 0 to 2."""
    count = np.isfinite(days).sum(axis=1, keepdims=True)
    below = np.minimum(np.arange(days.shape[1]), count - 1)
    ordered = np.nan_to_num(np.sort(days, axis=1))
    once = below / (count - 1)
    weights = (1.0, once, once * (below - 1) / (count - 2))
    mean, first, second = ((ordered * weight).sum(axis=1) / count[:, 0] for weight in weights)
    return mean, first, second


def _standard(shape: float) -> tuple[float, float, float]:
    """Return the probability-weighted moments of a generalised extreme value distribution around 0 of scale 1."""
    largest = [(of**shape * gamma(1 - shape) - 1) / shape for of in (1, 2, 3)]
    return largest[0], largest[1] / 2, largest[2] / 3


def _moments(means: tuple[_F, _F, _F]) -> tuple[_F, _F, _F]:
    """Return the first L-moments: middle, width and what gives the skewness."""
    mean, first, second = means
    return mean, 2 * first - mean, 6 * second - 6 * first + mean


def _trimmed(means: tuple[_F, _F, _F]) -> tuple[_F, _F]:
    """Return the first two L-moments in which the farthest of a sample has no weight."""
    mean, first, second = means
    of_two, of_three = 2 * (mean - first), 3 * (mean - 2 * first + second)
    return of_two, 1.5 * (of_two - of_three)


def _skewness(shape: float) -> float:
    _, width, skew = _moments(_standard(shape))
    return skew / width


_SKEWNESSES = np.array([_skewness(shape) for shape in _SHAPES])
