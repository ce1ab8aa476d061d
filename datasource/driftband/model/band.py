"""Bands: expected, lower and upper, and what one must know to believe them."""

from dataclasses import dataclass

import numpy as np

from driftband.model.series import Floats, Instants

HOUR = 3_600_000
DAY = 24 * HOUR


@dataclass(frozen=True)
class BandSettings:
    """How bands are made; the ``bands`` section of the configuration, in milliseconds."""

    step: int = 300_000
    history: int = 14 * DAY
    min_history: int = DAY
    refit: int = DAY
    level: float = 0.99
    horizon: int = DAY
    accept_after: int = 7 * DAY
    model: str = "seasonal"
    timezone: str = "UTC"

    def refit_before(self, instant: int) -> int:
        """Return the refit instant whose model holds at ``instant``: the last multiple of ``refit`` up to it."""
        return instant - instant % self.refit


@dataclass(frozen=True, eq=False)
class Band:
    """The band of ``n`` series at ``T`` instants; every array (n, T), NaN where there is no band.

    expected, lower, upper: what is drawn; the live correction follows the level.
    reference_lower, reference_expected, reference_upper: the uncorrected forecast of the last refit with its band, which
    has accepted nothing younger than ``accept_after``.
    fitted_until: (n, T) int64 epoch ms, the last instant whose data the band at that instant has seen; -1 where none.
    departed_side: (n, T) int64: +1 above, -1 below, where before that instant the series had already stayed outside the
    reference band on that side for long enough that the departure counts; else 0.
    """

    expected: Floats
    lower: Floats
    upper: Floats
    reference_expected: Floats
    reference_lower: Floats
    reference_upper: Floats
    fitted_until: Instants
    departed_side: Instants

    def score(self, values: Floats) -> Floats:
        """Return the signed score of ``values`` (n, T); NaN where there is no band or no value.

        The distance from expected over the half-width on that side: 1 or more in size exactly where a value lies outside
        the drawn band, or outside the reference band once a departure has lasted.
        """
        drawn = _distance(values, self.expected, self.lower, self.upper)
        held = self.reference_score(values)
        lasting = (np.sign(held) == self.departed_side) & (np.abs(held) >= 1) & ~(np.abs(held) <= np.abs(drawn))
        return np.where(lasting, held, drawn)

    def reference_score(self, values: Floats) -> Floats:
        """Return the signed distance of ``values`` from the reference over its half-width; NaN as for ``score``."""
        return _distance(values, self.reference_expected, self.reference_lower, self.reference_upper)


def _distance(values: Floats, expected: Floats, lower: Floats, upper: Floats) -> Floats:
    above = values > expected
    half = np.where(above, upper - expected, expected - lower)
    outside = (values > upper) | (values < lower)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(values == expected, 0.0, (values - expected) / half)
    # Rounding must never tell another story than the drawn line.
    size = np.abs(score)
    size = np.where(outside, np.maximum(size, 1.0), np.minimum(size, np.nextafter(1.0, 0.0)))
    score = np.copysign(size, np.where(above, 1.0, -1.0))
    return np.where(np.isfinite(expected) & ~np.isnan(values), score, np.nan)
