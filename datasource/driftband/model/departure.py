"""Departures that a person has accepted: the score of a named signal no longer counts them.

Acceptance works from the instant at which it is recorded, never backwards, until its end or until ``accept_after`` has
passed, by which time the reference has taken the new level over by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from driftband.model.band import Band
from driftband.model.series import Instants, Labels


@dataclass(frozen=True)
class Accepted:
    """A departure of one series, accepted on [start, end) (epoch ms). labels: without ``__name__``. side: +1 above, -1 below."""

    labels: Labels
    side: int
    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse what accepts nothing."""
        if self.side not in (-1, 1):
            raise ValueError(f"a departure lies above (1) or below (-1), got {self.side}")
        if self.start >= self.end:
            raise ValueError("an acceptance begins before it ends")


Acceptances = Callable[[str], Sequence[Accepted]]
"""Returns what has been accepted of a signal, by its name."""


def accepting(band: Band, labels: Sequence[Labels], instants: Instants, accepted: Iterable[Accepted]) -> Band:
    """Return the band of the series ``labels`` at ``instants`` in which accepted departures do not count."""
    places = {known: row for row, known in enumerate(labels)}
    sides = band.departed_side.copy()
    for one in accepted:
        if one.labels in places:
            row = sides[places[one.labels]]
            row[(instants >= one.start) & (instants < one.end) & (row == one.side)] = 0
    return band if np.array_equal(sides, band.departed_side) else replace(band, departed_side=sides)
