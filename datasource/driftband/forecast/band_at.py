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
    """The drawn band (n, T), NaN where ``has_band`` (n, T) is False. state: (T,), of the track."""

    expected: Floats
    lower: Floats
    upper: Floats
    state: Instants
    has_band: Bools


def bands(track: Track, instants: Instants, now: int) -> Band:
    """Return the band at ``instants`` (epoch ms, any order, from fit.at on).

    Of each it has seen the grid points before min(instant, ``now``).
    No band where the series has a note, where it had no sample in the last ``VANISHED`` grid points, and beyond
    ``now + horizon``. A track that ends before min(instant, now) is read as it ended, at the longer lead.
    """
    fit = track.fit
    drawn = draw(track, instants, now)
    lower, expected, upper = fit.reference.band(track.level)
    standing = stand(track, instants, now)
    reference = [between(side[:, fit.places], standing.place, standing.share) for side in (lower, expected, upper)]
    low, middle, high = clamped(fit, *reference)
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
    standing = stand(track, instants, now)
    state, place, share = standing.state, standing.place, standing.share
    node, part = calibration.nodes(standing.lead)
    weights = at_lead(calibration.weights, node, part)
    correction = np.einsum("ntj,njt->nt", weights, track.corrections[:, :, state])
    expected = between(fit.expected, place, share) + correction
    scales = np.moveaxis(calibration.scales[:, :, fit.hours[place]], 1, 2)
    scale = _along_leads(scales, node, part)
    # As wide as the last hours were rough, and less so the further ahead.
    rough = np.interp(standing.lead, calibration.leads, calibration.roughness())
    scale = scale * (track.volatility[:, state] * track.widening[:, state]) ** rough
    width = at_lead(calibration.widths(track.level), node, part) * scale[..., None]
    width = np.maximum(width, calibration.floor[:, None, None])
    sides = clamped(fit, expected - width[..., 0], expected, expected + width[..., 1])
    lower, expected, upper = (np.where(standing.has_band, side, np.nan) for side in sides)
    return Drawn(expected, lower, upper, state, standing.has_band)


@dataclass(frozen=True, eq=False)
class Standing:
    """Where T instants stand when only what is before them is known.

    state: (T,), of the track. place: (T,), on the fit's grid, and share: (T,), how far on to the next place.
    lead: (n, T), grid steps since the last sample, 1 to a day. has_band: (n, T).
    """

    state: Instants
    place: Instants
    share: Floats
    lead: Floats
    has_band: Bools


def stand(track: Track, instants: Instants, now: int) -> Standing:
    """Find where each instant stands when only grid points before min(instant, ``now``) are known."""
    fit = track.fit
    passed = -(-(np.minimum(instants, now) - fit.at) // fit.step)
    state = np.clip(passed, 0, track.states - 1)
    last = track.last_known[:, state]
    known = np.isfinite(fit.expected[:, -1:]) & (passed - 1 - last < VANISHED)
    place, rest = np.divmod(instants - fit.at, fit.step)
    place = place + live.RECENT
    end = fit.expected.shape[1] - 1
    return Standing(
        state=state,
        place=np.minimum(place, end - 1),
        share=np.where(place >= end, 1.0, rest / fit.step),
        lead=np.clip((instants - fit.at) / fit.step - last, 1.0, fit.calibration.leads[-1]),
        has_band=known & (instants <= now + fit.horizon),
    )


def between(values: Floats, place: Instants, share: Floats) -> Floats:
    """Interpolate the fit's own grid values (n, G) at each place and share: (n, T)."""
    return values[:, place] * (1 - share) + values[:, place + 1] * share


def at_lead(table: Floats, node: Instants, part: Floats) -> Floats:
    """Interpolate a table (n, L, X) over its leads: (n, T, X)."""
    if table.shape[1] == 1:
        return np.broadcast_to(table, (len(table), node.shape[1], table.shape[2]))
    series = np.arange(len(table))[:, None]
    return table[series, node] * (1 - part)[..., None] + table[series, node + 1] * part[..., None]


def _along_leads(table: Floats, node: Instants, part: Floats) -> Floats:
    """Interpolate a table (n, T, L) over its leads: (n, T)."""
    if table.shape[2] == 1:
        return table[:, :, 0]
    low = np.take_along_axis(table, node[..., None], axis=2)[..., 0]
    return low * (1 - part) + np.take_along_axis(table, node[..., None] + 1, axis=2)[..., 0] * part


def clamped(fit: Fit, lower: Floats, expected: Floats, upper: Floats) -> tuple[Floats, Floats, Floats]:
    """Return lower, expected and upper kept from below 0 where the series has never been there, and in order."""
    least = np.where(fit.nonnegative, 0.0, -np.inf)[:, None]
    expected = np.maximum(expected, least)
    return np.minimum(np.maximum(lower, least), expected), expected, np.maximum(upper, expected)
