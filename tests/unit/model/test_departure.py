"""Accepted departures: from when on, on which side, of which series."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.band import Band
from driftband.model.departure import Accepted, accepting

LABELS = ((("service", "cart"),), (("service", "search"),))
TIMES = np.arange(10, dtype=np.int64) * 60_000


def band(sides: list[list[int]]) -> Band:
    """A band from -1 to 1 whose reference is as wide; ``sides`` of departures."""
    shape = (2, len(TIMES))
    flat = {one.name: np.zeros(shape) for one in fields(Band)}
    flat |= {name: np.full(shape, value) for name, value in (("lower", -9.0), ("upper", 9.0))}
    flat |= {"reference_lower": np.full(shape, -1.0), "reference_upper": np.full(shape, 1.0)}
    return Band(**{**flat, "fitted_until": np.zeros(shape, dtype=np.int64), "departed_side": np.array(sides)})


@given(
    start=st.integers(0, 9),
    length=st.integers(1, 9),
    side=st.sampled_from([-1, 1]),
    departed=st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=10, max_size=10), min_size=2, max_size=2),
)
def test_what_is_accepted_no_longer_counts_and_nothing_else_changes(
    start: int, length: int, side: int, departed: list[list[int]]
) -> None:
    before = band(departed)
    one = Accepted(LABELS[1], side, int(TIMES[start]), int(TIMES[start]) + length * 60_000)
    after = accepting(before, LABELS, TIMES, [one])
    values = np.full((2, len(TIMES)), 3.0 * side)
    for row in range(2):
        for place in range(10):
            here = row == 1 and start <= place < start + length and departed[row][place] == side
            was = departed[row][place]
            assert after.departed_side[row, place] == (0 if here else was)
            lasting = was == side and not here
            assert (abs(after.score(values)[row, place]) >= 1) == lasting
    assert all(
        np.array_equal(getattr(after, one.name), getattr(before, one.name))
        for one in fields(Band)
        if one.name != "departed_side"
    )


def test_a_series_that_is_gone_is_no_trouble() -> None:
    before = band([[1] * 10] * 2)
    assert accepting(before, LABELS, TIMES, [Accepted((("service", "old"),), 1, 0, 10**9)]) is before


@pytest.mark.parametrize(("side", "end"), [(0, 2), (1, 1)])
def test_an_acceptance_of_nothing_is_refused(side: int, end: int) -> None:
    with pytest.raises(ValueError, match=r"got 0|before it ends"):
        Accepted(LABELS[0], side, 1, end)
