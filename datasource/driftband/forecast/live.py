"""The live correction: what the last errors of a forecast say of the next one.

Everything is a function of a trailing window, never a recursion: it is causal by construction, the same however a day
is cut into pieces, and computed for all instants at once.
"""

import numpy as np

from driftband.model.series import Bools, Floats, Instants

MEMORY = 72
"""Grid points that the longest average looks back over."""
AVERAGES = (4, 12, MEMORY)
"""Grid points of the averages of the error; beside them stand the last error, and no correction at all."""
CANDIDATES = 2 + len(AVERAGES)
TYPICAL = 9
"""Grid points whose middle an error is compared with before it counts."""
CALM = 36
"""Grid points of the volatility."""
CALM_PRIOR = 12.0
"""Grid points of ordinary volatility that are mixed in."""
MISSED = 12
"""Grid points that are searched for misses."""
SPARED = 2
"""Misses among them that do not yet widen the band: a spike must not."""
MOST_WIDENING = 8.0
RECENT = MEMORY + CALM + MISSED
"""Grid points before a refit that the state at the refit needs."""


def typical_errors(errors: Floats) -> Floats:
    """Return a running middle of the last nine errors before each place, shape (n, T); NaN where none of them is known.

    The ninther, a median of three medians of three (Tukey 1978), is nearly as robust as the median and needs no sort.
    """
    padded = np.concatenate([np.full((len(errors), TYPICAL), np.nan), errors], axis=1)
    threes = _middle(padded[:, :-3], padded[:, 1:-2], padded[:, 2:-1])
    return _middle(threes[:, :-6], threes[:, 3:-3], threes[:, 6:])


def candidates(errors: Floats, typical: Floats, reach: Floats) -> Floats:
    """Return the possible corrections before each place, and after the last: (n, T) to (n, J, T + 1); never NaN.

    typical: the ``typical_errors``. reach: (n,), how far from the typical one an error may count; the excess is cut,
    so that one spike is no new level.
    """
    typical = np.where(np.isnan(typical), errors, typical)
    cut = np.clip(errors, typical - reach[:, None], typical + reach[:, None])
    known = ~np.isnan(cut)
    last = _last_known(cut, known)
    total = _cumulative(np.where(known, cut, 0.0))
    number = _cumulative(known.astype(np.float64))
    found = [np.zeros_like(last), last]
    for width in AVERAGES:
        count = _over(number, width)
        found.append(np.where(count > 0, _over(total, width) / np.maximum(count, 1), last))
    return np.stack(found, axis=1)


def weighted(candidates: Floats, weights: Floats) -> Floats:
    """Return the sum of the candidates (n, J, T) by their weights (n, J) or (n, J, T), shape (n, T).

    Added one after the other: a library's sum of products may round otherwise for one instant than for many.
    """
    if weights.ndim < candidates.ndim:
        weights = weights[..., None]
    total: Floats = candidates[:, 0] * weights[:, 0]
    for one in range(1, candidates.shape[1]):
        total = total + candidates[:, one] * weights[:, one]
    return total


def volatility(surprise: Floats) -> Floats:
    """Return how rough the last hours were, 1 being ordinary: (n, T) to (n, T + 1).

    surprise: size of the one-step error over its ordinary mean, NaN where unknown. Single values count up to 4.
    """
    known = ~np.isnan(surprise)
    total = _over(_cumulative(np.where(known, np.minimum(surprise, 4.0), 0.0)), CALM)
    count = _over(_cumulative(known.astype(np.float64)), CALM)
    return (np.maximum(total, 0.0) + CALM_PRIOR) / (count + CALM_PRIOR)


def widening(distance: Floats) -> Floats:
    """Return the factor that the last misses ask for: (n, T) to (n, T + 1); 1 while all is well.

    distance: size of the one-step error over the half-width on its side, NaN where unknown. The band is widened to what
    would have held all but ``SPARED`` of the last values, at most ``MOST_WIDENING`` times; it forgets with its window.
    """
    window = _trailing(distance, MISSED)
    ordered = np.sort(np.where(np.isnan(window), 0.0, window), axis=-1)
    factor: Floats = np.clip(ordered[..., -1 - SPARED], 1.0, MOST_WIDENING)
    return factor


def last_places(known: Bools) -> Instants:
    """Return the last known place before each place, and after the last: (n, T) to (n, T + 1); -1 for none."""
    places = np.where(known, np.arange(known.shape[1]), -1)
    first = np.full((len(known), 1), -1)
    return np.maximum.accumulate(np.concatenate([first, places], axis=1), axis=1).astype(np.int64)


def _last_known(values: Floats, known: Bools) -> Floats:
    places = last_places(known)
    if values.shape[1] == 0:
        return np.zeros(places.shape)
    return np.where(places >= 0, np.take_along_axis(values, np.maximum(places, 0), axis=1), 0.0)


def _middle(one: Floats, two: Floats, three: Floats) -> Floats:
    """Return the middle of three, or one of those that are known."""
    return np.fmax(np.fmin(one, two), np.fmin(np.fmax(one, two), three))


def _trailing(values: Floats, width: int) -> Floats:
    padded = np.concatenate([np.full((len(values), width), np.nan), values], axis=1)
    return np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)


def _cumulative(values: Floats) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _over(cumulative: Floats, width: int) -> Floats:
    shifted = np.concatenate([np.zeros((len(cumulative), width)), cumulative], axis=1)[:, : cumulative.shape[1]]
    difference: Floats = cumulative - shifted
    return difference
