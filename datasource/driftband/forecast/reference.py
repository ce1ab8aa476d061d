"""The reference band: what was normal before anything that is younger than ``accept_after``.

A slow failure must not teach the band to accept it. The level here is the median of the window's daily levels, which
moves only once a new level has held for more than half of it; a weekly pattern is no departure, so the band is the
hull of that and of the same time whole weeks ago, long enough ago to be accepted. Its width comes from spreads that a
minority of departed days cannot inflate, and from how far the daily levels wander by themselves.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from driftband.forecast.rising import STEPS, steady_rise
from driftband.forecast.robust import in_a_row, median, quantile, smooth_circular
from driftband.model.band import DAY
from driftband.model.series import Floats, Instants

WEEK = 7
TAIL = 0.975
"""The quantile of a day's own errors that the width is built on; its median over the days is robust."""
MARGIN = 1.2
"""What the days' own quantiles miss."""
LEAST_SHARE = 0.25
"""Share of a day that must be known for the day to have a level."""
_NORMAL = NormalDist()
_TAIL_SCORE = _NORMAL.inv_cdf(TAIL)
_MAD = 1.4826
ENOUGH = 96
"""Points of a day from which its level and its spread are taken, at least."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Centres and spreads by wall-clock slot, the first a day before the refit.

    low, high: (n, (A + 1) * D), the lower and the higher of the two centres. below, above: (n,), the spread on each
    side in normal standard deviations. floor: (n,), the least half-width.
    """

    low: Floats
    high: Floats
    below: Floats
    above: Floats
    floor: Floats

    def band(self, level: float, slots: Instants) -> tuple[Floats, Floats, Floats]:
        """Return lower, expected and upper at ``level`` in the ``slots`` (T,), each (n, T)."""
        score = _NORMAL.inv_cdf((1 + level) / 2)
        low, high = self.low[:, slots], self.high[:, slots]
        lower = low - np.maximum(score * self.below, self.floor)[:, None]
        upper = high + np.maximum(score * self.above, self.floor)[:, None]
        return lower, (low + high) / 2, upper


def make_reference(values: Floats, ahead: int, accept_after: int, floor: Floats) -> Reference:
    """Make the reference of (n, W, D) values by wall-clock day for the days -1 to ``ahead`` - 1; accept_after in ms."""
    patience = max(-(-accept_after // DAY), 1)
    # Levels and spreads of a day need no more than a sample of its points.
    some = max(values.shape[2] // ENOUGH, 1)
    sample = np.ascontiguousarray(values[:, :, ::some])
    known = (~np.isnan(sample)).mean(axis=2)
    rough = np.where(known >= LEAST_SHARE, median(sample), np.nan)
    shape = median(np.swapaxes(values - rough[..., None], 1, 2))
    shape = smooth_circular(np.where(np.isnan(shape), 0.0, shape), values.shape[2] // 24)
    level = np.where(known >= LEAST_SHARE, median(sample - shape[:, None, ::some]), np.nan)
    # A window with nothing but scattered samples still has a middle.
    scattered = np.isnan(level).all(axis=1)
    level[scattered] = median(in_a_row(values[scattered]))[:, None]
    usual = shape + median(level[:, _judged(level.shape[1], patience)])[:, None]
    usual = np.where(np.isnan(usual), shape + median(level)[:, None], usual)
    left = sample - shape[:, None, ::some] - level[..., None]
    wander = _wander(level, patience)
    grown = _grown(level, patience)
    spread = [
        np.hypot(MARGIN * np.maximum(_typical(left * side, patience), 0) / _TAIL_SCORE, wander)
        + np.maximum(grown * side, 0) / _TAIL_SCORE
        for side in (-1, 1)
    ]
    usual = np.tile(usual, (1, ahead + 1))
    weeks = _weeks_ago(values, ahead, -(-patience // WEEK))
    weeks = smooth_circular(np.where(np.isnan(weeks), usual, weeks), values.shape[2] // 24)
    return Reference(np.minimum(usual, weeks), np.maximum(usual, weeks), spread[0], spread[1], floor)


def _judged(days: int, patience: int) -> slice:
    """Return the days of which a departure younger than ``patience`` can fill at most half."""
    if days >= 2 * patience:
        return slice(days - 2 * patience, days)
    if days > patience:
        return slice(0, 2 * (days - patience))
    return slice(0, days)


def _typical(errors: Floats, patience: int) -> Floats:
    """Return the tail of a day's own errors: that of the middle day, or of the farthest but one that is accepted by now."""
    tails = quantile(errors, TAIL)
    accepted = np.sort(np.nan_to_num(tails[:, : tails.shape[1] - patience], nan=-np.inf), axis=1)
    usual = median(tails)
    if accepted.shape[1] > 1:
        usual = np.fmax(usual, accepted[:, -2])
    return np.nan_to_num(usual)


def _wander(level: Floats, patience: int) -> Floats:
    """Return how far the daily level is expected to have wandered when a departure is accepted, as of a random walk."""
    moves = np.abs(np.diff(level, axis=1))
    if moves.shape[1] == 0:
        return np.zeros(len(level))
    wander: Floats = np.nan_to_num(_MAD * median(moves) * np.sqrt(min(patience, WEEK)))
    return wander


def _grown(level: Floats, patience: int) -> Floats:
    """Return how far a series will have grown by itself when a departure is accepted, if it grew steadily before."""
    accepted = level[:, : max(level.shape[1] - patience, 0), None]
    rise = steady_rise(accepted, max(accepted.shape[1] - 1, STEPS))
    grown: Floats = rise * (patience + (patience - 1) / 2)
    return grown


def _weeks_ago(values: Floats, ahead: int, weeks: int) -> Floats:
    """Return the same time ``weeks`` weeks ago for the days -1 to ``ahead`` - 1; NaN where that is unknown."""
    count, days, per_day = values.shape
    rows = days + np.arange(-1, ahead) - WEEK * weeks
    rows = np.where(rows >= days, rows - WEEK * -(-(rows - days + 1) // WEEK), rows)
    padded = np.concatenate([np.full((count, 1, per_day), np.nan), values], axis=1)
    return in_a_row(padded[:, np.maximum(rows, -1) + 1])
