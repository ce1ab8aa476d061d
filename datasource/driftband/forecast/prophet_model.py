"""Prophet as a point model (Taylor and Letham 2018, "Forecasting at scale"); the only file that knows it.

Its own uncertainty is a sample and slow; the width comes from its residuals through the calibration that all models
share.
"""

import logging

import numpy as np

from driftband.forecast.outlook import Days, Outlook
from driftband.model.band import DAY
from driftband.model.series import Floats

BACKTEST = 7
"""Days whose in-sample residuals are taken."""
SEED = 0
LOGGERS = ("prophet", "prophet.models", "prophet.plot", "cmdstanpy")
_FEWEST_DAYS_FOR_WEEKS = 14


def forecast_with_prophet(days: Days) -> Outlook:
    """Forecast each series by a Prophet of its own; a second or so a series."""
    fitted = np.stack([_fit_one(row, days) for row in days.values]) if len(days.values) else days.values
    count, window, per_day = days.values.shape
    fitted = (
        fitted.reshape(count, window + days.ahead, per_day) if count else np.empty((0, window + days.ahead, per_day))
    )
    errors = days.values[:, -BACKTEST:] - fitted[:, :window][:, -BACKTEST:]
    return Outlook(fitted[:, window:], errors, errors[:, -1])


def _fit_one(values: Floats, days: Days) -> Floats:
    # Before the import: that itself complains, and cmdstanpy sets its own level at its first use.
    for name in LOGGERS:
        logging.getLogger(name).disabled = True
    import pandas as pd  # noqa: PLC0415 - it takes a second to import, and the seasonal model does not need it

    # They tell of each fit, and of plotting libraries that nobody here wants; what goes wrong is raised.
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    from prophet import Prophet  # noqa: PLC0415 - the same

    logging.getLogger("prophet").setLevel(logging.CRITICAL)  # its import sets a level of its own

    window, per_day = values.shape
    slots = np.arange(-window * per_day, days.ahead * per_day)
    times = pd.to_datetime(days.start + slots * DAY // per_day, unit="ms")
    flat = values.reshape(-1)
    known = ~np.isnan(flat)
    if not known.any():
        return np.full(len(slots), np.nan)
    if np.ptp(flat[known]) == 0:
        return np.full(len(slots), flat[known][0])
    # Prophet divides by the largest value; a scale of its own keeps tiny and huge series within its arithmetic.
    centre, scale = float(flat[known].mean()), float(np.ptp(flat[known]))
    model = Prophet(
        uncertainty_samples=0,
        daily_seasonality=True,
        weekly_seasonality=window >= _FEWEST_DAYS_FOR_WEEKS,
        yearly_seasonality=False,
    )
    model.fit(pd.DataFrame({"ds": times[: len(flat)][known], "y": (flat[known] - centre) / scale}), seed=SEED)
    predicted = model.predict(pd.DataFrame({"ds": times}))["yhat"].to_numpy(dtype=np.float64)
    return np.asarray(predicted * scale + centre, dtype=np.float64)
