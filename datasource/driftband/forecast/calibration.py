"""Calibration: how a forecast's errors are corrected and how wide its band is, at each lead, from a backtest.

Split conformal prediction on errors normalised by the hour's scale and the recent volatility (Lei et al. 2018,
"Distribution- free predictive inference for regression"), a quantile for each side. The leads are nodes; between them
one interpolates.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from driftband.forecast import live
from driftband.forecast.excursions import farthest
from driftband.forecast.robust import in_a_row, mean
from driftband.forecast.weights import inverse_power
from driftband.model.band import DAY, HOUR
from driftband.model.series import Bools, Floats, Instants

HOURS = 24
PROBABILITIES = (0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9999)
"""Where a side's quantiles are kept; between them one interpolates over the normal quantile."""
KNEE = PROBABILITIES.index(0.975)
"""Quantiles beyond this one rest on few errors and are shrunk towards it."""
POWER = 4.0
"""How sharply the better of the corrections is preferred."""
HOUR_PRIOR = 0.5
"""Share of the common scale in an hour's own."""
SHORT_WIDENING, LONG_WIDENING = 1.25, 1.45
"""What a backtest's quantiles miss of the future, one step and a day ahead."""
THINNING = 3
"""At longer leads, every so many errors are looked at."""
REACH = 5.0
"""How many mean distances from the typical error one may lie before the excess is cut."""
MOST_IN_SCALE = 5.0
"""How many means a single error may count in its hour's scale."""
FEW = 8.0
"""Quantiles of so many errors are doubled: what so few have shown is not all there is."""
_NORMAL = NormalDist()
_SHARES = np.array(PROBABILITIES)
_SCORES = np.array([_NORMAL.inv_cdf(p) for p in PROBABILITIES])
_SHRUNK = np.arange(len(PROBABILITIES)) > KNEE
_BEYOND_KNEE = np.maximum(_SCORES / _SCORES[KNEE], 1.0)
_MEMBER = np.eye(HOURS)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the backtest taught, for ``n`` series at ``L`` leads.

    leads: (L,) grid steps, ascending from 1. weights: (n, L, J) of the corrections. scales: (n, L, HOURS), the
    ordinary size of an error by hour of the (wall-clock) day of the refit. quantiles: (n, L, 2, Q), below and above,
    of errors over their scale. reach: (n,), how far from the typical one an error counts. floor: (n,), the least
    half-width. strayed: (n, 2, S, O), as of ``excursions.farthest``.
    """

    leads: Floats
    weights: Floats
    scales: Floats
    quantiles: Floats
    reach: Floats
    floor: Floats
    strayed: Floats

    def widths(self, level: float) -> Floats:
        """Return the half-widths over scale, (n, L, 2), below and above, of a band of ``level``."""
        score = _NORMAL.inv_cdf((1 + level) / 2)
        place = np.clip(np.interp(score, _SCORES, np.arange(len(_SCORES))), 0, len(_SCORES) - 1)
        low = min(int(place), len(_SCORES) - 2)
        width = self.quantiles[..., low] + (place - low) * (self.quantiles[..., low + 1] - self.quantiles[..., low])
        beyond = max(score / _SCORES[-1], 1.0)
        long = np.linspace(0.0, 1.0, len(self.leads)) if len(self.leads) > 1 else np.zeros(1)
        widened: Floats = width * beyond * (SHORT_WIDENING + long * (LONG_WIDENING - SHORT_WIDENING))[None, :, None]
        return widened

    def nodes(self, lead: Floats) -> tuple[Instants, Floats]:
        """Return the node at or below each lead, and how far it is on to the next one on a logarithmic scale."""
        leads = self.leads
        if len(leads) == 1:
            return np.zeros(lead.shape, dtype=np.int64), np.zeros(lead.shape)
        node = np.clip(np.searchsorted(leads, lead, side="right") - 1, 0, len(leads) - 2)
        return node, np.log(lead / leads[node]) / np.log(leads[node + 1] / leads[node])

    def roughness(self) -> Floats:
        """Return the power, by lead, with which recent volatility counts: whole at one step, not at all a day ahead."""
        return _roughness(self.leads)


def calibrate(errors: Floats, step: int, floor: Floats, steady: Bools) -> Calibration:
    """Learn from backtest errors (n, O, D). steady: (n,), True where the tails are to be taken as they are."""
    per_day = errors.shape[2]
    flat = in_a_row(errors)
    hours = np.arange(flat.shape[1]) % per_day * HOURS // per_day
    leads = lead_nodes(step)
    typical = live.typical_errors(flat)
    reach = np.maximum(REACH * _known(mean(np.abs(flat - typical))), floor)
    states = live.candidates(flat, typical, reach)[:, :, :-1]
    member = _MEMBER[hours]
    weights, scales, quantiles = [], [], []
    strayed = np.empty(0)
    log_rough = np.zeros_like(flat)
    for lead, power in zip(leads, _roughness(leads), strict=True):
        behind = int(lead) - 1
        # Errors at longer leads are nearly the same from one grid point to the next.
        thin = THINNING if behind else 1
        known = states[:, :, : flat.shape[1] - behind : thin]
        target = flat[:, behind::thin]
        hour = hours[behind::thin]
        weight = inverse_power(_known(mean(np.abs(target[:, None] - known))), POWER)
        left = target - np.einsum("njt,nj->nt", known, weight)
        scale = _hourly(np.abs(left), member[behind::thin], floor)
        size = scale[:, hour]
        if behind == 0:
            log_rough = np.log(live.volatility(np.abs(left) / size)[:, :-1])
        size = size * np.exp(power * log_rough[:, : flat.shape[1] - behind : thin])
        if behind == 0:
            strayed = farthest(left / size, per_day)
        weights.append(weight)
        scales.append(scale)
        quantiles.append(_sides(left / size, steady))
    return Calibration(leads, np.stack(weights, 1), np.stack(scales, 1), np.stack(quantiles, 1), reach, floor, strayed)


def lead_nodes(step: int) -> Floats:
    """Return the leads in grid steps at which one calibrates: one step, an hour, a day."""
    return np.array(sorted({1.0, *(float(max(span // step, 1)) for span in (HOUR, DAY))}))


def hours_of(slots: Instants, per_day: int) -> Instants:
    """Return the hour since the refit, wrapped at a day, of wall-clock slots."""
    return slots % per_day * HOURS // per_day


def _roughness(leads: Floats) -> Floats:
    if len(leads) == 1:
        return np.ones(1)
    power: Floats = 1 - np.log(leads) / np.log(leads[-1])
    return power


def _hourly(size: Floats, member: Floats, floor: Floats) -> Floats:
    """Return the mean size by hour, single values cut, shrunk to the common one. member: (T, HOURS), 1 for its hour."""
    unknown = np.isnan(size)
    cut = np.minimum(size, MOST_IN_SCALE * _known(mean(size))[:, None])
    cut[unknown] = 0.0
    total, count = cut @ member, (~unknown).astype(np.float64) @ member
    common = (total.sum(axis=1) / np.maximum(count.sum(axis=1), 1))[:, None]
    own = np.where(count > 0, total / np.maximum(count, 1), common)
    scale: Floats = np.maximum((1 - HOUR_PRIOR) * own + HOUR_PRIOR * common, floor[:, None] / HOURS)
    return scale


def _sides(normalised: Floats, steady: Bools) -> Floats:
    ordered = np.sort(normalised, axis=1)
    count = ordered.shape[1] - np.isnan(ordered).sum(axis=1)
    # The conformal rank: one more than the errors that are known, since the future one is among them.
    rank = np.ceil((count[:, None] + 1) * _SHARES).astype(np.int64) - 1
    last = np.maximum(count - 1, 0)[:, None]
    high = np.minimum(rank, last)
    rows = np.arange(len(ordered))[:, None]
    found = np.stack([-ordered[rows, last - high], ordered[rows, high]], axis=1)
    found = np.maximum(_known(found), 0.0) * (1 + FEW / np.maximum(count, 1))[:, None, None]
    usual = found[..., KNEE, None] * _BEYOND_KNEE
    shrunk: Floats = np.where(_SHRUNK & ~steady[:, None, None], (found + usual) / 2, found)
    return np.maximum.accumulate(shrunk, axis=-1)


def _known(values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.0, values)
