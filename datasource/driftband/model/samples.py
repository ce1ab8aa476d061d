"""Raw series as a time-series database keeps them, before any query has put them on common instants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from driftband.model.series import Floats, Instants, Labels

MetricType = Literal["counter", "gauge", "histogram", "unknown"]


@dataclass(frozen=True)
class Metric:
    """What ``/api/v1/metadata`` tells about a metric; ``unit`` is a base unit such as ``seconds``, or empty."""

    type: MetricType
    help: str = ""
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Samples:
    """One raw series.

    labels: with ``__name__``. times: epoch ms, strictly ascending, shape (T,). values: (T,).
    """

    labels: Labels
    times: Instants
    values: Floats

    def __post_init__(self) -> None:
        """Refuse times and values that do not belong together."""
        if self.times.shape != self.values.shape or self.times.ndim != 1:
            raise ValueError(f"a series of times {self.times.shape} got values {self.values.shape}")


class SampleStore(Protocol):
    """A small time-series database to be read: the sample world, or files."""

    def metrics(self) -> Mapping[str, Metric]:
        """Return what is known of each metric family, by name; a histogram is named without ``_bucket``."""
        ...

    def series(self) -> Sequence[Labels]:
        """Return all label sets, with ``__name__``."""
        ...

    def read(self, labels: Sequence[Labels], start: int, end: int) -> Sequence[Samples]:
        """Return the samples with ``start <= t <= end`` (epoch ms) of each of ``labels``, in the same order.

        A label set the store does not have gives an empty series.
        """
        ...
