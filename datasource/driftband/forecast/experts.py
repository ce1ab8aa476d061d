"""The experts of the seasonal model: forecasts that take a line each, of a whole day from a day's start."""

from dataclasses import dataclass

import numpy as np

from driftband.forecast.robust import mean, median, smooth_circular
from driftband.model.series import Floats, Instants

WEEK = 7
ENOUGH = 96
"""Points of a day from which its median is taken, at least."""


@dataclass(frozen=True, eq=False)
class Opinions:
    """What the experts say at O origins: each a shape of the day and an offset.

    daily: of the first experts the shape (n, O, D), the same for each day ahead. weekly: for each day ahead the shape
    (n, O, D) that the rest share. offsets: (n, O, E).
    """

    daily: tuple[Floats, ...]
    weekly: tuple[Floats, ...]
    offsets: Floats

    def shapes(self, ahead: int) -> tuple[Floats, ...]:
        """Return the shape of each expert for the day ``ahead`` days after each origin, E times (n, O, D)."""
        rest = self.offsets.shape[2] - len(self.daily)
        return (*self.daily, *(self.weekly[ahead],) * rest)

    def misses(self, actual: Floats) -> Floats:
        """Return each expert's mean absolute error on the ``actual`` (n, P, D) days after the first P origins, (n, P, E)."""
        count = actual.shape[1]
        found = np.empty((len(actual), count, self.offsets.shape[2]))
        for expert, shape in enumerate(self.shapes(0)):
            said = shape[:, :count] + self.offsets[:, :count, expert, None]
            found[..., expert] = mean(np.abs(actual - said))
        return found

    def combine(self, weights: Floats, origins: slice, ahead: int) -> Floats:
        """Return the mean weighted by (n, E) of what is said at some origins of a day ahead, (n, P, D)."""
        offset = np.einsum("noe,ne->no", self.offsets[:, origins], weights)
        total: Floats = np.repeat(offset[..., None], self.daily[0].shape[2], axis=2)
        for expert, shape in enumerate(self.shapes(ahead)):
            total += weights[:, expert, None, None] * shape[:, origins]
        return total


def ask(values: Floats, origins: Instants, ahead: int) -> Opinions:
    """Ask all experts at each origin about the next ``ahead`` days; none looks past the origin.

    values: (n, W, D), NaN where unknown. origins: rows of ``values``, the first unknown day of each forecast; 1 to W.
    """
    count, _, per_day = values.shape
    # A row of the padded array is seven days after the same row of ``values``.
    padded = np.concatenate([np.full((count, WEEK, per_day), np.nan), values], axis=1)
    held = carry_forward(padded)
    hour = per_day // 24
    recent = max(3 * hour, 1)
    some = max(per_day // ENOUGH, 1)

    weeks = np.lib.stride_tricks.sliding_window_view(padded, WEEK, axis=1)[:, origins]
    profile = median(weeks)
    yesterday = held[:, origins + WEEK - 1]
    level = _first_known(mean(yesterday[..., -recent:]), mean(yesterday), mean(profile))
    profile = smooth_circular(_first_known(profile, level[..., None]), hour)
    yesterday = _first_known(yesterday, profile)
    above = yesterday - profile
    flat = np.broadcast_to(np.zeros(1), profile.shape)
    daily = (profile, profile, profile, flat, flat, smooth_circular(yesterday, hour), yesterday)
    none = np.zeros_like(level)
    since = mean(yesterday - _first_known(held[:, origins - 1], yesterday))
    middle = median(yesterday[..., ::some])
    offsets = (none, mean(above), mean(above[..., -recent:]), middle, level, none, none, none, since)

    rows = np.unique((origins[:, None] + np.arange(ahead) % WEEK).reshape(-1))
    unknown = np.isnan(held[:, rows])
    smoothed = smooth_circular(np.where(unknown, level[:, -1:, None], held[:, rows]), hour // 2)
    weekly = []
    for day in range(ahead):
        places = np.searchsorted(rows, origins + day % WEEK)
        weekly.append(np.where(unknown[:, places], profile, smoothed[:, places]))
    return Opinions(daily, tuple(weekly), np.stack(offsets, axis=2))


def carry_forward(values: Floats) -> Floats:
    """Return ``values`` (n, W, D) with unknown places as they were at the same time on the last day that knows."""
    held = values.copy()
    for day in range(1, values.shape[1]):
        np.copyto(held[:, day], held[:, day - 1], where=np.isnan(held[:, day]))
    return held


def _first_known(first: Floats, *others: Floats) -> Floats:
    known = first
    for other in others:
        unknown = np.isnan(known)
        if not unknown.any():
            break
        known = np.where(unknown, other, known)
    return known
