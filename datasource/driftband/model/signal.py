"""Signals: named PromQL expressions that are watched, and what is seen of them."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from driftband.model.band import Band
from driftband.model.finding import Layer
from driftband.model.series import Floats, Instants, Labels

Direction = Literal["up", "down", "both"]


class Rule(Protocol):
    """What is watched by a query: what findings of it say of it. layer: of them. expr: PromQL for the source."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as above

    @property
    def expr(self) -> str: ...  # noqa: D102

    @property
    def unit(self) -> str: ...  # noqa: D102

    @property
    def layer(self) -> Layer: ...  # noqa: D102


@dataclass(frozen=True, kw_only=True)
class WatchedSignal:
    """What is watched, and what of it hurts.

    expr: PromQL for the source, exactly as it was written. direction: the side that hurts. min_deviation: in the unit;
    less does not matter. for_ms: how long it must last. level, model: None for those of ``bands``. limit: of
    saturation, None where there is none; it is crossed in ``direction`` (``both`` means up).
    """

    name: str
    expr: str
    unit: str = ""
    layer: Layer = "behavioral"
    direction: Direction = "both"
    min_deviation: float = 0.0
    for_ms: int = 300_000
    level: float | None = None
    model: str | None = None
    limit: float | None = None


@dataclass(frozen=True, eq=False)
class Watched:
    """All ``n`` series of a signal at ``T`` consecutive instants of the watcher.

    times: (T,) epoch ms, ascending, one interval apart. labels: of the series, without ``__name__``. values: (n, T), NaN
    where a series has no sample. band: of the same shape; score: (n, T), of ``values``, NaN where there is no band.
    to_breach: (n, T), seconds until the forecast crosses the signal's limit, as ``forecast.engine.time_to_breach`` gives
    them: inf where it does not within the horizon, NaN where there is no forecast; None where the signal has no limit.
    strays: (n, 2, S), the score below and above that calm alone goes beyond once in years, for a short and for a long while
    (``forecast.excursions``); NaN where that is unknown, None where nobody has looked.
    """

    times: Instants
    labels: tuple[Labels, ...]
    values: Floats
    band: Band
    score: Floats
    to_breach: Floats | None = None
    strays: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse arrays whose shapes do not belong together."""
        shape = (len(self.labels), len(self.times))
        if self.values.shape != shape or self.score.shape != shape or self.band.expected.shape != shape:
            raise ValueError(
                f"{shape} expected, got {self.values.shape}, {self.score.shape}, {self.band.expected.shape}"
            )
        if self.to_breach is not None and self.to_breach.shape != shape:
            raise ValueError(f"{shape} expected, got {self.to_breach.shape} of the time to a breach")
        if len(self.times) > 1 and np.any(np.diff(self.times) <= 0):
            raise ValueError("the instants must ascend")
