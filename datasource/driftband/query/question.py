"""A question as the Prometheus API asks it, and what it is answered with."""

from dataclasses import dataclass

import numpy as np

from driftband.model.series import Instants
from driftband.query.values import Value


@dataclass(frozen=True)
class Question:
    """A query at one instant (``step`` None) or over a range; times in epoch ms, ends included."""

    text: str
    start: int
    end: int
    step: int | None = None
    limit: int = 0

    @property
    def times(self) -> Instants:
        """The instants of the query."""
        return np.arange(self.start, self.end + 1, self.step or 1, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Result:
    """The value of a question at its instants, and what must be said of it."""

    value: Value
    times: Instants
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
