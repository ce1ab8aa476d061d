"""Intervals: something that was so from one instant to another; what native series of state are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Interval:
    """labels: without ``__name__``. start, end: epoch ms, the interval is ``[start, end)``; end None: it still is."""

    labels: Mapping[str, str]
    start: int
    end: int | None
    value: float


class Intervals(Protocol):
    """Where intervals come from."""

    def __call__(self, name: str, start: int, end: int, equal: Mapping[str, str], limit: int) -> list[Interval]:
        """Return the intervals of a series that touch ``[start, end]`` (epoch ms), narrowed by labels where that is easy.

        More than ``limit`` of them mean that there are too many.
        """
        ...
