"""The forecasting engine's face: history in, band out.

``fit`` learns from what is strictly before a refit instant, ``follow`` carries the live state through the time after
it, and ``bands`` and ``time_to_breach`` read both at any instants. At an instant t only grid points before min(t,
now) count.
"""

from driftband.forecast.band_at import bands
from driftband.forecast.breach import time_to_breach
from driftband.forecast.fit import Fit, fit
from driftband.forecast.track import Track, follow

__all__ = ["Fit", "Track", "bands", "fit", "follow", "time_to_breach"]
