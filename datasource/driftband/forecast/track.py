"""Following a fit through the samples after it: the live state before each grid point."""

from dataclasses import dataclass

import numpy as np

from driftband.forecast import live
from driftband.forecast.fit import Fit
from driftband.model.series import Floats, History, Instants

DEPARTED, DEPARTED_OF = 10, 12
"""A departure lasts once so many of the last so many grid points lay outside the reference band on one side."""


@dataclass(frozen=True, eq=False)
class Track:
    """The live state of ``n`` series before each grid point: state k of K + 1 has seen ``first`` + k of those from ``fit.at`` on.

    corrections: (n, J, K + 1). volatility, widening: (n, K + 1). last_known: (n, K + 1), grid steps from ``fit.at``
    to the last sample. departed_side: (n, K + 1). level: of the band.
    """

    fit: Fit
    level: float
    corrections: Floats
    volatility: Floats
    widening: Floats
    last_known: Instants
    departed_side: Instants
    first: int = 0

    @property
    def states(self) -> int:
        """How many states there are: one more than grid points seen since ``first``."""
        return int(self.volatility.shape[1])


def follow(fit: Fit, history: History, until: int, level: float, first: int = 0) -> Track:
    """Carry the state of ``fit`` through the grid points g with fit.at <= g < min(until, fit.at + refit).

    history: the series of the fit, in its order; what it does not hold counts as missing. level: of the band, in (0,
    1). first: of how many grid points the first state knows; states before it are not made, which need no more than the
    last ``live.RECENT`` points each.
    """
    if not 0 < level < 1:
        raise ValueError(f"a level must lie between 0 and 1, got {level}")
    if history.labels != fit.labels or history.step != fit.step:
        raise ValueError("a fit can only be followed through its own series on its own grid")
    count = max(-(-(min(until, fit.at + fit.refit) - fit.at) // fit.step), 0)
    if not 0 <= first <= count:
        raise ValueError(f"{count} grid points can be followed, {first} of them are to be skipped")
    skipped = max(first - live.RECENT, 0)
    values = history.between(fit.at + skipped * fit.step, fit.at + count * fit.step).values
    begin = live.RECENT
    errors = np.concatenate([fit.recent[:, first:], values - fit.expected[:, begin + skipped : begin + count]], axis=1)
    calibration = fit.calibration
    corrections = live.candidates(errors, live.typical_errors(errors), calibration.reach)
    left = errors - live.weighted(corrections[:, :, :-1], calibration.weights[:, 0])
    size = calibration.scales[:, 0][:, fit.hours[first : begin + count]]
    volatility = live.volatility(np.abs(left) / size)
    widths = calibration.widths(level)[:, 0]
    # What lies further back than the window of the first state is of no use any more.
    near = begin - live.MISSED
    half = np.where(left < 0, widths[:, :1], widths[:, 1:])[:, near:] * size[:, near:] * volatility[:, near:-1]
    missed = np.abs(left[:, near:]) / np.maximum(half, calibration.floor[:, None])
    places = live.last_places(~np.isnan(values))[:, first - skipped :]
    return Track(
        fit=fit,
        level=level,
        corrections=corrections[:, :, begin:],
        volatility=volatility[:, begin:],
        widening=live.widening(missed)[:, live.MISSED :],
        last_known=np.where(places >= 0, places + skipped, np.where(skipped, skipped - 1, fit.last_known[:, None])),
        departed_side=_departed(fit, history, level, first, count),
        first=first,
    )


def _departed(fit: Fit, history: History, level: float, first: int, count: int) -> Instants:
    """Return the side of a lasting departure before each grid point from ``first`` on, and after the last."""
    # The very first state looks back over one grid point less than those after it.
    unseen = int(first == 0)
    reach = DEPARTED_OF - unseen
    values = history.between(fit.at + (first - reach) * fit.step, fit.at + count * fit.step).values
    places = fit.places[live.RECENT + first - reach : live.RECENT + count]
    lower, _, upper = fit.reference.band(level, places)
    lower = np.where(fit.nonnegative[:, None], np.maximum(lower, 0.0), lower)
    side = (values > upper).astype(np.int64) - (values < lower).astype(np.int64)
    padded = np.concatenate([np.zeros((len(side), unseen), dtype=np.int64), side], axis=1)
    window = np.lib.stride_tricks.sliding_window_view(padded, DEPARTED_OF, axis=1)
    above = (window > 0).sum(axis=2) >= DEPARTED
    below = (window < 0).sum(axis=2) >= DEPARTED
    lasting: Instants = above.astype(np.int64) - below.astype(np.int64)
    return lasting
