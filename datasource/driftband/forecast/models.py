"""The registry of point models: a new forecaster is one file and one line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from driftband.forecast.outlook import Days, Outlook
from driftband.forecast.prophet_model import forecast_with_prophet
from driftband.forecast.seasonal import forecast_seasonal

Forecaster = Callable[[Days], Outlook]

FORECASTERS: Mapping[str, Forecaster] = MappingProxyType(
    {
        "seasonal": forecast_seasonal,
        "prophet": forecast_with_prophet,
    }
)
