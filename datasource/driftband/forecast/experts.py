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
    """What the experts say at O origins.

    daily: (n, O, E1, D), the same for each day ahead. weekly: (n, O, A, E2, D), a day ahead each.
    """

    daily: Floats
    weekly: Floats

    def of_next_day(self) -> Floats:
        """Return what all say of the day after each origin, (n, O, E, D)."""
        return np.concatenate([self.daily, self.weekly[:, :, 0]], axis=2)

    def combine(self, weights: Floats, origin: int, ahead: int) -> Floats:
        """Return the mean weighted by (n, E) of what is said at one origin of a day ahead, (n, D)."""
        split = self.daily.shape[2]
        daily = np.einsum("ned,ne->nd", self.daily[:, origin], weights[:, :split])
        weekly = np.einsum("ned,ne->nd", self.weekly[:, origin, ahead], weights[:, split:])
        mixed: Floats = daily + weekly
        return mixed


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

    # (n, O, D, 7) as a view; only its sort is a copy.
    weeks = np.lib.stride_tricks.sliding_window_view(padded, WEEK, axis=1)[:, origins]
    profile = median(weeks)
    yesterday = held[:, origins + WEEK - 1]
    level = _first_known(mean(yesterday[..., -recent:]), mean(yesterday), mean(profile))[..., None]
    profile = smooth_circular(_first_known(profile, level), hour)
    yesterday = _first_known(yesterday, profile)
    above = yesterday - profile
    daily = np.empty((count, len(origins), 7, per_day))
    daily[:, :, 0] = profile
    daily[:, :, 1] = profile + mean(above)[..., None]
    daily[:, :, 2] = profile + mean(above[..., -recent:])[..., None]
    daily[:, :, 3] = median(yesterday[..., ::some])[..., None]
    daily[:, :, 4] = level
    daily[:, :, 5] = smooth_circular(yesterday, hour)
    daily[:, :, 6] = yesterday

    eight_days = _first_known(held[:, origins - 1], yesterday)
    since = mean(yesterday - eight_days)[..., None]
    rows = np.unique((origins[:, None] + np.arange(ahead) % WEEK).reshape(-1))
    known = held[:, rows]
    unknown = np.isnan(known)
    smoothed = smooth_circular(np.where(unknown, level[:, -1:], known), hour // 2)
    weekly = np.empty((count, len(origins), ahead, 2, per_day))
    for day in range(ahead):
        places = np.searchsorted(rows, origins + day % WEEK)
        last_week = np.where(unknown[:, places], profile, smoothed[:, places])
        weekly[:, :, day, 0] = last_week
        weekly[:, :, day, 1] = last_week + since
    return Opinions(daily, weekly)


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
