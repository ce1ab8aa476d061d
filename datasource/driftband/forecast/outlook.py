"""What a point model is given and what it answers, both by wall-clock day."""

from dataclasses import dataclass

from driftband.model.series import Floats


@dataclass(frozen=True, eq=False)
class Days:
    """The window before a refit.

    values: (n, W, D), oldest day first, NaN where unknown; the last day ends at the refit. start: wall-clock epoch ms of the first slot. ahead: how many days are to be forecast.
    """

    values: Floats
    start: int
    ahead: int


@dataclass(frozen=True, eq=False)
class Outlook:
    """A point forecast of ``n`` series and how well it would have done.

    ahead: (n, A, D), the days from the refit on; NaN only for a series of which nothing is known.
    errors: (n, O, D), value minus forecast on the last O days, each forecast as at its own start; NaN where unknown.
    recent: (n, D), value minus forecast on the last day, in terms of the model that holds from the refit on: where the
    live correction starts.
    """

    ahead: Floats
    errors: Floats
    recent: Floats
