"""When the forecast crosses a limit."""

import numpy as np

from driftband.forecast.band_at import draw
from driftband.forecast.track import Track
from driftband.model.series import Floats, Instants


def time_to_breach(track: Track, origins: Instants, now: int, limit: Floats, *, against_band: bool) -> Floats:
    """Return the seconds from each origin until the forecast made before it crosses its limit, shape (n, T)."""
    fit = track.fit
    steps = fit.step * np.arange(1, fit.horizon // fit.step + 1)
    found = np.full((len(fit.labels), len(origins)), np.nan)
    for place, (origin, most) in enumerate(zip(origins, limit, strict=True)):
        held = min(int(origin), now)
        path = np.concatenate([[origin], origin + steps])
        path = path[path <= held + fit.horizon]
        drawn = draw(track, path, held)
        below = drawn.expected[:, :1] < most
        line = np.where(below, drawn.upper, drawn.lower) if against_band else drawn.expected
        crossed = np.where(below, line >= most, line <= most)
        seconds = np.where(crossed.any(axis=1), (path[crossed.argmax(axis=1)] - origin) / 1000, np.inf)
        found[:, place] = np.where(drawn.has_band[:, 0] & ~np.isnan(most), seconds, np.nan)
    return found
