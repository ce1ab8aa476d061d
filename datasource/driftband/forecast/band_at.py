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


def bands(track: Track, instants: Instants, now: int) -> Band:
    """Return the band at ``instants`` (epoch ms, any order, from fit.at on).

    Of each it has seen the grid points before min(instant, ``now``); none may lie before the track's first state.
    No band where the series has a note, where it had no sample in the last ``VANISHED`` grid points, and beyond
    ``now + horizon``. A track that ends before min(instant, now) is read as it ended, at the longer lead.
    """
    fit = track.fit
    if len(instants) and int(instants.min()) < fit.at:
        raise ValueError(f"a fit at {fit.at} has no band before it, asked for {int(instants.min())}")
    standing = stand(track, instants, now)
    drawn = [np.where(standing.has_band, side, np.nan) for side in _drawn(track, standing)]
    reference = [np.where(standing.has_band, side, np.nan) for side in _reference(track, standing)]
    return Band(
        lower=drawn[0],
        expected=drawn[1],
        upper=drawn[2],
        reference_lower=reference[0],
        reference_expected=reference[1],
        reference_upper=reference[2],
        fitted_until=np.where(standing.has_band, fit.at + fit.step * track.last_known[:, standing.state], -1),
        departed_side=np.where(standing.has_band, track.departed_side[:, standing.state], 0),
    )


def stand(track: Track, instants: Instants, now: int) -> Standing:
    """Find where each instant stands when only grid points before min(instant, ``now``) are known."""
    fit = track.fit
    passed = -(-(np.minimum(instants, now) - fit.at) // fit.step)
    state = np.clip(passed - track.first, 0, track.states - 1)
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


def _drawn(track: Track, standing: Standing) -> tuple[Floats, Floats, Floats]:
    fit, calibration = track.fit, track.fit.calibration
    state, place = standing.state, standing.place
    node, part = calibration.nodes(standing.lead)
    weights = at_lead(calibration.weights, node, part)
    correction = live.weighted(track.corrections[:, :, state], np.moveaxis(weights, 2, 1))
    path = fit.expected
    here, there = path[:, place], path[:, place + 1]
    expected = here * (1 - standing.share) + there * standing.share + correction
    # When a step comes between two grid points is not known: the band holds both sides of it.
    low, high = (
        np.where(standing.share == 0, here, np.minimum(here, there)),
        np.where(standing.share == 0, here, np.maximum(here, there)),
    )
    scale = _along_leads(np.moveaxis(calibration.scales[:, :, fit.hours[place]], 1, 2), node, part)
    # As wide as the last hours were rough, and less so the further ahead.
    rough = np.interp(standing.lead, calibration.leads, calibration.roughness())
    scale = scale * (track.volatility[:, state] * track.widening[:, state]) ** rough
    width = at_lead(calibration.widths(track.level), node, part) * scale[..., None]
    width = np.maximum(width, calibration.floor[:, None, None])
    return _clamped(fit, low + correction - width[..., 0], expected, high + correction + width[..., 1])


def _reference(track: Track, standing: Standing) -> tuple[Floats, Floats, Floats]:
    fit = track.fit
    here, there = fit.places[standing.place], fit.places[standing.place + 1]
    share = standing.share
    sides = zip(fit.reference.band(track.level, here), fit.reference.band(track.level, there), strict=True)
    lower, expected, upper = (before * (1 - share) + after * share for before, after in sides)
    return _clamped(fit, lower, expected, upper)


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


def _clamped(fit: Fit, lower: Floats, expected: Floats, upper: Floats) -> tuple[Floats, Floats, Floats]:
    """Return lower, expected and upper kept from below 0 where the series has never been there, and in order."""
    least = np.where(fit.nonnegative, 0.0, -np.inf)[:, None]
    expected = np.maximum(expected, least)
    return np.minimum(np.maximum(lower, least), expected), expected, np.maximum(upper, expected)
