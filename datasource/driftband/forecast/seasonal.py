"""The seasonal model: simple experts, weighted by how each would have forecast the last days.

No single one is best on real telemetry: a mean of simple forecasts, each with a weight of its backtest error to a
negative power, is hard to beat (Bates and Granger 1969, "The combination of forecasts").
"""

import numpy as np

from driftband.forecast.experts import ask
from driftband.forecast.outlook import Days, Outlook
from driftband.forecast.rising import steady_rise
from driftband.forecast.robust import in_a_row, mean, median
from driftband.forecast.weights import inverse_power
from driftband.model.series import Floats

ORIGINS = 7
"""Days that are backtested."""
RECENCY = 0.8
"""What an error of one day earlier still counts."""
POWER = 8.0
"""How sharply a better expert is preferred."""


def forecast_seasonal(days: Days) -> Outlook:
    """Forecast by the weighted experts; where a steady rise would have helped them, they are asked about what it leaves."""
    found, misses = _outlook(days)
    rise = steady_rise(days.values)
    rising = np.flatnonzero(rise)
    if not len(rising):
        return found
    window, per_day = days.values.shape[1:]
    course = np.arange(-window, days.ahead)[:, None] + np.arange(per_day) / per_day
    line = rise[rising, None, None] * course
    level, less = _outlook(Days(days.values[rising] - line[:, :window], days.start, days.ahead))
    better = less < misses[rising]
    chosen = rising[better]
    found.ahead[chosen] = (level.ahead + line[:, window:])[better]
    found.errors[chosen] = level.errors[better]
    found.recent[chosen] = level.recent[better]
    return found


def _outlook(days: Days) -> tuple[Outlook, Floats]:
    """Return what the weighted experts say, and by how much they would have missed the days after the next, (n,)."""
    values = days.values
    _, window, per_day = values.shape
    origins = np.arange(max(window - ORIGINS, 1), window + 1)
    opinions = ask(values, origins, max(days.ahead, 2))
    # A phase that was never seen before its origin was filled from other phases, which says nothing of the experts.
    seen = np.logical_or.accumulate(~np.isnan(values), axis=1)[:, origins[:-1] - 1]
    actual = np.where(seen, values[:, origins[:-1]], np.nan)
    weights = expert_weights(opinions.misses(actual))
    last = slice(len(origins) - 1, len(origins))
    ahead = np.concatenate([opinions.combine(weights, last, day) for day in range(days.ahead)], axis=1)
    since = values[:, -1] - ahead[:, 0]
    if window == 1:
        return Outlook(ahead, _from_the_middle(values), since), np.zeros(len(values))
    errors = actual - opinions.combine(weights, slice(0, len(origins) - 1), 0)
    later = opinions.combine(weights, slice(0, len(origins) - 1), 1)
    misses = recently(mean(np.abs(actual[:, 1:] - later[:, :-1])))
    # What the refit has learned of the level: its first day against what was forecast for that day a day before.
    learned = median(ahead[:, 0] - later[:, -1])
    few = (~np.isnan(errors)).sum(axis=(1, 2)) < per_day
    recent = np.where(few[:, None], since, errors[:, -1] - learned[:, None])
    errors[few] = _from_the_middle(values[few][:, origins[:-1]])
    return Outlook(ahead, errors, recent), misses


def expert_weights(misses: Floats) -> Floats:
    """Return weights (n, E) that add up to 1 from mean absolute errors (n, O, E); equal ones where none is known."""
    return inverse_power(recently(np.swapaxes(misses, 1, 2)), POWER)


def recently(misses: Floats) -> Floats:
    """Return the mean over the last axis, the days, of which the last ones count most; 0 where none is known."""
    known = ~np.isnan(misses)
    recency = RECENCY ** np.arange(misses.shape[-1])[::-1]
    total = (np.where(known, misses, 0.0) * recency).sum(axis=-1)
    mean_: Floats = total / np.maximum((known * recency).sum(axis=-1), 1e-12)
    return mean_


def _from_the_middle(values: Floats) -> Floats:
    """Return errors for too short a history to backtest: how far the values lie from their own median."""
    return values - median(in_a_row(values))[:, None, None]
