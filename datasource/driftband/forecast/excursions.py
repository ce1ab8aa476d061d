"""How far a series strays by itself: what its backtest reached on each day, carried on to what is rare.

A band of 99% is left by one point in a hundred. How far, and for how long, is a habit of the series: noise with heavy tails, a job
that is never on time. Of each day the farthest excursion is kept, and a Gumbel distribution is laid through them on probability
paper (Gumbel 1958, "Statistics of extremes"; plotting positions of Gringorten 1963), for each side by itself.
"""

import numpy as np

from driftband.model.series import Floats

SPANS = (1, 6)
"""Grid points for which an excursion must last to count as one."""
RARE = 2_800
"""Days in which calm alone goes beyond it once: of 100 series with two sides and two spans, once a week."""
LEAST_DAYS = 4
ORDINARY = 1.0
"""What is no larger than an ordinary error is no excursion."""
FARTHER = 3.0
"""How many times the farthest day that counts is believed at most: a week does not tell more."""
_OFFSET = 0.44


def rarest(normalised: Floats, per_day: int) -> Floats:
    """Return how far calm strays once in ``RARE`` days, (n, 2, S), below and above; NaN where too few days are known.

    normalised: (n, O * per_day), errors one step ahead over what is ordinary at their time. The farthest of the days does not
    count: one trouble in the window is no habit.
    """
    found = np.full((len(normalised), 2, len(SPANS)), np.nan)
    for side, sign in enumerate((-1, 1)):
        size = np.where(np.isnan(normalised), -np.inf, sign * normalised)
        for span, length in enumerate(SPANS):
            found[:, side, span] = _beyond(np.sort(_daily(size, length, per_day), axis=1))
    return found


def _daily(size: Floats, length: int, per_day: int) -> Floats:
    """Return of each day the farthest that was held for ``length`` points: (n, O); -inf where nothing was."""
    held = size.copy()
    for back in range(1, length):
        held[:, back:] = np.minimum(held[:, back:], size[:, :-back])
    farthest: Floats = held.reshape(len(size), held.shape[1] // per_day, per_day).max(axis=2)
    return farthest


def _beyond(days: Floats) -> Floats:
    known = np.isfinite(days)
    count = known.sum(axis=1)
    found = np.full(len(days), np.nan)
    for many in np.unique(count[count >= LEAST_DAYS]):
        rows = count == many
        own = np.maximum(days[rows][:, -many:-1], ORDINARY)
        paper = _reduced((np.arange(1, many) - _OFFSET) / (many + 1 - 2 * _OFFSET))
        away = paper - paper.mean()
        slope = np.maximum(own @ away / (away @ away), 0.0)
        carried = own.mean(axis=1) + slope * (_reduced(np.array(1 - 1 / RARE)) - paper.mean())
        found[rows] = np.minimum(carried, own[:, -1] * FARTHER)
    return found


def _reduced(share: Floats) -> Floats:
    reduced: Floats = -np.log(-np.log(share))
    return reduced
