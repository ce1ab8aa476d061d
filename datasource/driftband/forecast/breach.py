"""When the forecast crosses a limit."""

from dataclasses import dataclass

import numpy as np

from driftband.forecast.band_at import Standing, at_lead, stand
from driftband.forecast.track import Track
from driftband.model.series import Bools, Floats, Instants

CHUNK = 512
"""Origins looked at together: memory is bounded by CHUNK times the grid points of the horizon."""


def time_to_breach(track: Track, origins: Instants, now: int, limit: Floats, *, against_band: bool) -> Floats:
    """Return the seconds from each origin until the forecast crosses that origin's limit, shape (n, T).

    At an origin t the forecast is that of the grid points before min(t, ``now``); it is followed in grid steps from t on. Expected below the limit at t, it crosses by reaching it from
    below, and the other way round. against_band: by its upper side when expected lies below at t, by its lower side
    when above; 0 where the band holds the limit at t already. inf where nothing crosses within the horizon, NaN
    without a band or limit.
    """
    if len(origins) and int(origins.min()) < track.fit.at:
        raise ValueError(f"a fit at {track.fit.at} has no forecast before it, asked for {int(origins.min())}")
    standing = stand(track, origins, now)
    since = np.maximum(np.rint(standing.lead), 1).astype(np.int64)
    steps = track.fit.horizon // track.fit.step + 1
    allowed = np.clip((np.minimum(origins, now) + track.fit.horizon - origins) // track.fit.step, -1, steps - 1)
    found = np.full((len(track.fit.labels), len(origins)), np.nan)
    for series in range(len(found)):
        usable = standing.has_band[series] & ~np.isnan(limit)
        for lead in np.unique(since[series][usable]):
            alike = np.flatnonzero(usable & (since[series] == lead))
            for first in range(0, len(alike), CHUNK):
                some = alike[first : first + CHUNK]
                paths = _Paths(track, standing, series, some, int(lead), steps)
                found[series, some] = paths.crossing(limit[some], allowed[some], against_band=against_band)
    return found


@dataclass(frozen=True, eq=False)
class _Paths:
    """Forecasts of one series from origins (P,) that all have the same ``lead``, over ``steps`` grid steps."""

    track: Track
    standing: Standing
    series: int
    origins: Instants
    lead: int
    steps: int

    def crossing(self, limit: Floats, allowed: Instants, *, against_band: bool) -> Floats:
        expected = self._expected()
        below = expected[:, :1] < limit[:, None]
        line = self._side(expected, below) if against_band else expected
        crossed = np.where(below, line >= limit[:, None], line <= limit[:, None])
        crossed &= np.arange(self.steps) <= allowed[:, None]
        seconds = crossed.argmax(axis=1) * self.track.fit.step / 1000
        return np.where(crossed.any(axis=1), seconds, np.inf)

    def _expected(self) -> Floats:
        fit = self.track.fit
        path = fit.expected[self.series]
        places = self._places()
        share = self.standing.share[self.origins][:, None]
        base = path[places] * (1 - share) + path[places + 1] * share
        corrections = self.track.corrections[self.series][:, self.standing.state[self.origins]]
        return self._positive(base + corrections.T @ self._at_leads(fit.calibration.weights).T)

    def _side(self, expected: Floats, below: Bools) -> Floats:
        fit = self.track.fit
        calibration = fit.calibration
        leads = np.minimum(self.lead + np.arange(self.steps), calibration.leads[-1])
        hourly = self._at_leads(calibration.scales)
        scale = hourly[np.arange(self.steps), fit.hours[self._places()]]
        state = self.standing.state[self.origins]
        rough = (self.track.volatility * self.track.widening)[self.series, state]
        scale = scale * rough[:, None] ** np.interp(leads, calibration.leads, calibration.roughness())
        width = self._at_leads(calibration.widths(self.track.level)).T
        half = np.maximum(np.where(below, width[1], width[0]) * scale, calibration.floor[self.series])
        return self._positive(np.where(below, expected + half, expected - half))

    def _at_leads(self, table: Floats) -> Floats:
        """Interpolate a table (n, L, X) at the path's leads: (steps, X)."""
        leads = np.minimum(self.lead + np.arange(self.steps), self.track.fit.calibration.leads[-1]).astype(np.float64)
        node, part = self.track.fit.calibration.nodes(leads[None])
        found: Floats = at_lead(table[self.series : self.series + 1], node, part)[0]
        return found

    def _places(self) -> Instants:
        places = self.standing.place[self.origins][:, None] + np.arange(self.steps)
        within: Instants = np.minimum(places, self.track.fit.expected.shape[1] - 2)
        return within

    def _positive(self, values: Floats) -> Floats:
        return np.maximum(values, 0.0) if self.track.fit.nonnegative[self.series] else values
