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
    """The live state of ``n`` series before each grid point from ``fit.at`` on: state k of K + 1 has seen k of them.

    corrections: (n, J, K + 1). volatility, widening: (n, K + 1). last_known: (n, K + 1), grid steps from ``fit.at``
    to the last sample. departed_side: (n, K + 1). level: of the band. reference: lower, expected and upper at that level, by
    wall-clock slot from a day before the refit on.
    """

    fit: Fit
    level: float
    corrections: Floats
    volatility: Floats
    widening: Floats
    last_known: Instants
    departed_side: Instants
    reference: tuple[Floats, Floats, Floats]

    @property
    def states(self) -> int:
        """How many states there are: one more than grid points seen."""
        return int(self.volatility.shape[1])


def follow(fit: Fit, history: History, until: int, level: float) -> Track:
    """Carry the state of ``fit`` through the grid points g with fit.at <= g < min(until, fit.at + refit).

    history: the series of the fit, in its order; what it does not hold counts as missing. level: of the band, in (0,
    1).
    """
    if not 0 < level < 1:
        raise ValueError(f"a level must lie between 0 and 1, got {level}")
    if history.labels != fit.labels or history.step != fit.step:
        raise ValueError("a fit can only be followed through its own series on its own grid")
    values = history.between(fit.at, max(min(until, fit.at + fit.refit), fit.at)).values
    count = values.shape[1]
    begin = live.RECENT
    errors = np.concatenate([fit.recent, values - fit.expected[:, begin : begin + count]], axis=1)
    calibration = fit.calibration
    corrections = live.candidates(errors, live.typical_errors(errors), calibration.reach)
    left = errors - np.einsum("njt,nj->nt", corrections[:, :, :-1], calibration.weights[:, 0])
    size = calibration.scales[:, 0][:, fit.hours[: begin + count]]
    volatility = live.volatility(np.abs(left) / size)
    widths = calibration.widths(level)[:, 0]
    half = np.where(left < 0, widths[:, :1], widths[:, 1:]) * size * volatility[:, :-1]
    widening = live.widening(np.abs(left) / np.maximum(half, calibration.floor[:, None]))
    places = live.last_places(~np.isnan(values))
    reference = fit.reference.band(level)
    return Track(
        fit=fit,
        level=level,
        corrections=corrections[:, :, begin:],
        volatility=volatility[:, begin:],
        widening=widening[:, begin:],
        last_known=np.where(places >= 0, places, fit.last_known[:, None]),
        departed_side=_departed(fit, reference, history, count),
        reference=reference,
    )


def _departed(fit: Fit, reference: tuple[Floats, Floats, Floats], history: History, count: int) -> Instants:
    """Return the side of a lasting departure before each grid point, and after the last: (n, count + 1)."""
    reach = DEPARTED_OF - 1
    start = live.RECENT - reach
    values = history.between(fit.at - reach * fit.step, fit.at + count * fit.step).values
    places = fit.places[start : live.RECENT + count]
    lower, _, upper = reference
    lower = np.where(fit.nonnegative[:, None], np.maximum(lower, 0.0), lower)
    side = (values > upper[:, places]).astype(np.int64) - (values < lower[:, places]).astype(np.int64)
    padded = np.concatenate([np.zeros((len(side), 1), dtype=np.int64), side], axis=1)
    window = np.lib.stride_tricks.sliding_window_view(padded, DEPARTED_OF, axis=1)
    above = (window > 0).sum(axis=2) >= DEPARTED
    below = (window < 0).sum(axis=2) >= DEPARTED
    lasting: Instants = above.astype(np.int64) - below.astype(np.int64)
    return lasting
