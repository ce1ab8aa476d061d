"""Series on common instants: what a source answers and what a query results in.

Times are epoch milliseconds in ``int64`` arrays, as Prometheus keeps them. A frame tells *absent* from *NaN*, since NaN
is an ordinary PromQL value; a history does not, since nothing can be learned from either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = tuple[tuple[str, str], ...]
"""A label set as pairs sorted by name; hashable, and it sorts as Prometheus sorts."""

Instants = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def make_labels(pairs: Mapping[str, str]) -> Labels:
    """Return the canonical form of a label set; a label with an empty value is no label."""
    return tuple(sorted((name, value) for name, value in pairs.items() if value != ""))


@dataclass(frozen=True, eq=False)
class Frame:
    """``n`` series at ``T`` common instants.

    times: shape (T,), ascending. values: (n, T). present: (n, T), False where a series has no sample.
    """

    times: Instants
    labels: tuple[Labels, ...]
    values: Floats
    present: Bools

    def __post_init__(self) -> None:
        """Refuse arrays whose shapes do not belong together."""
        shape = (len(self.labels), len(self.times))
        if self.values.shape != shape or self.present.shape != shape:
            raise ValueError(f"a frame of {shape} got values {self.values.shape} and present {self.present.shape}")


@dataclass(frozen=True, eq=False)
class History:
    """``n`` series on the fixed grid: ``T`` consecutive multiples of ``step``.

    start, step: epoch ms and ms; ``start`` is a multiple of ``step``. values: (n, T), NaN where nothing finite is known.
    The grid point ``k`` holds what the query gave at the instant ``start + k * step``.
    """

    start: int
    step: int
    labels: tuple[Labels, ...]
    values: Floats

    def __post_init__(self) -> None:
        """Refuse a history off the grid, or of another shape."""
        if self.step <= 0 or self.start % self.step:
            raise ValueError(f"a history must start on its grid, but {self.start} is no multiple of {self.step}")
        if self.values.ndim != 2 or self.values.shape[0] != len(self.labels):  # noqa: PLR2004 - rows and columns
            raise ValueError(f"{len(self.labels)} series got values of shape {self.values.shape}")

    @property
    def end(self) -> int:
        """The first grid instant after the last point (epoch ms)."""
        return self.start + self.step * self.values.shape[1]

    @property
    def times(self) -> Instants:
        """The grid instants, shape (T,)."""
        return self.start + self.step * np.arange(self.values.shape[1], dtype=np.int64)

    def only(self, rows: Sequence[int] | Instants) -> "History":
        """Return some of the series."""
        labels = tuple(self.labels[row] for row in rows)
        return History(self.start, self.step, labels, self.values[np.asarray(rows, dtype=np.int64)])

    def between(self, start: int, end: int) -> "History":
        """Return the part on ``[start, end)``, padded with NaN where this history does not reach."""
        first = -(-start // self.step)
        last = -(-end // self.step)
        mine = self.start // self.step
        values = np.full((len(self.labels), max(last - first, 0)), np.nan)
        low, high = max(first, mine), min(last, mine + self.values.shape[1])
        if low < high:
            values[:, low - first : high - first] = self.values[:, low - mine : high - mine]
        return History(first * self.step, self.step, self.labels, values)
