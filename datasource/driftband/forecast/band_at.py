"""Reading a band off a track at any instants."""

from dataclasses import dataclass

import numpy as np

from driftband.forecast import live
from driftband.forecast.fit import Fit
from driftband.forecast.track import Track
from driftband.model.band import Band
from driftband.model.series import Bools, Floats, Instants

VANISHED = 12
"""Grid points without a sample after which a series has no band."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """The drawn band (n, T) with where it stands on the fit's grid: ``state`` (T,) of the track, ``has_band`` (n, T)."""

    expected: Floats
    lower: Floats
    upper: Floats
    state: Instants
    has_band: Bools


def bands(track: Track, instants: Instants, now: int) -> Band:
    """Return the band at ``instants`` (epoch ms, any order, from fit.at on), from grid points before min(instant, ``now``).

    No band where the series has a note, where it had no sample in the last ``VANISHED`` grid points, and beyond
    ``now + horizon``. A track that ends before min(instant, now) is read as it ended, at the longer lead.
    """
    fit = track.fit
    drawn = draw(track, instants, now)
    lower, expected, upper = fit.reference.band(track.level)
    place, share = _on_grid(fit, instants)
    reference = [_between(side[:, fit.places], place, share) for side in (lower, expected, upper)]
    low, middle, high = _clamped(fit, *reference)
    nothing = ~drawn.has_band
    low, middle, high = (np.where(nothing, np.nan, side) for side in (low, middle, high))
    return Band(
        expected=drawn.expected,
        lower=drawn.lower,
        upper=drawn.upper,
        reference_expected=middle,
        reference_lower=low,
        reference_upper=high,
        fitted_until=np.where(nothing, -1, fit.at + fit.step * track.last_known[:, drawn.state]),
        departed_side=np.where(nothing, 0, track.departed_side[:, drawn.state]),
    )


def draw(track: Track, instants: Instants, now: int) -> Drawn:
    """Return the drawn band alone; see ``bands``."""
    fit, calibration = track.fit, track.fit.calibration
    if len(instants) and int(instants.min()) < fit.at:
        raise ValueError(f"a fit at {fit.at} has no band before it, asked for {int(instants.min())}")
    held = np.minimum(instants, now)
    state = np.clip(-(-(held - fit.at) // fit.step), 0, track.states - 1)
    place, share = _on_grid(fit, instants)
    last = track.last_known[:, state]
    missing = -(-(held - fit.at) // fit.step) - 1 - last
    has_band = (missing < VANISHED) & ~np.isnan(fit.expected[:, -1:]) & (instants <= now + fit.horizon) & (place >= 0)
    lead = np.clip((instants - fit.at) / fit.step - last, 1.0, calibration.leads[-1])
    node, part = _lead_nodes(calibration.leads, lead)

    weights = _at_lead(calibration.weights, node, part)
    correction = np.einsum("njt,njt->nt", np.moveaxis(weights, 2, 1), track.corrections[:, :, state])
    expected = _between(fit.expected, place, share) + correction
    scales = calibration.scales[:, :, fit.hours[place]]
    scale = np.take_along_axis(scales, node[:, None], 1)[:, 0] * (1 - part) + np.take_along_axis(scales, node[:, None] + 1, 1)[:, 0] * part \
        if len(calibration.leads) > 1 else scales[:, 0]
    rough = np.interp(lead, calibration.leads, calibration.roughness())
    scale = scale * (track.volatility[:, state] * track.widening[:, state]) ** rough
    width = _at_lead(calibration.widths(track.level), node, part) * scale[..., None]
    width = np.maximum(width, calibration.floor[:, None, None])
    lower, expected, upper = _clamped(fit, expected - width[..., 0], expected, expected + width[..., 1])
    lower, expected, upper = (np.where(has_band, side, np.nan) for side in (lower, expected, upper))
    return Drawn(expected, lower, upper, state, has_band)


def _on_grid(fit: Fit, instants: Instants) -> tuple[Instants, Floats]:
    """Return the grid place at or before each instant, and how far it is on to the next, 0 to 1."""
    place, rest = np.divmod(instants - fit.at, fit.step)
    place = place + live.RECENT
    beyond = place >= fit.expected.shape[1] - 1
    return np.where(beyond, fit.expected.shape[1] - 2, place), np.where(beyond, 1.0, rest / fit.step)


def _between(values: Floats, place: Instants, share: Floats) -> Floats:
    return values[:, place] * (1 - share) + values[:, place + 1] * share


def _lead_nodes(leads: Floats, lead: Floats) -> tuple[Instants, Floats]:
    """Return the node at or below each lead, and how far it is on to the next one on a logarithmic scale."""
    if len(leads) == 1:
        return np.zeros(lead.shape, dtype=np.int64), np.zeros(lead.shape)
    node = np.clip(np.searchsorted(leads, lead, side="right") - 1, 0, len(leads) - 2)
    return node, np.log(lead / leads[node]) / np.log(leads[node + 1] / leads[node])


def _at_lead(table: Floats, node: Instants, part: Floats) -> Floats:
    """Interpolate a table (n, L, X) over its leads: (n, T, X)."""
    series = np.arange(len(table))[:, None]
    if table.shape[1] == 1:
        return np.broadcast_to(table, (len(table), node.shape[1], table.shape[2]))
    return table[series, node] * (1 - part)[..., None] + table[series, node + 1] * part[..., None]


def _clamped(fit: Fit, lower: Floats, expected: Floats, upper: Floats) -> tuple[Floats, Floats, Floats]:
    """Keep what has never been below 0 from there, and the three in order."""
    least = np.where(fit.nonnegative, 0.0, -np.inf)[:, None]
    expected = np.maximum(expected, least)
    return np.minimum(np.maximum(lower, least), expected), expected, np.maximum(upper, expected)
