"""A value that no longer moves is told, where it used to move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.detect.stuck_value import StuckValue

from .watching import MINUTE, RULE, make, run, told

STUCK = StuckValue()
DAY = 1440
rng = np.random.default_rng(0)
NOISE = rng.normal(10, 1, 2 * DAY)


def test_opens_when_it_repeats_far_longer_than_ever_and_closes_when_it_moves() -> None:
    values = np.r_[NOISE, np.full(100, 10.25), NOISE[:10]]
    events = run(STUCK, make(values))
    assert [event.what for event in events] == ["opened", "worsened", "worsened", "closed"]
    assert told(events[:1]) == [(2 * DAY + 30, "opened")]
    opened, closed = events[0], events[-1]
    assert told([closed]) == [(2 * DAY + 102, "closed")]
    assert opened.reason == (
        "10.25 s in all of 31 samples since 2024-10-06T00:00:00Z (30m); before, it moved 2880 times in 2d, and its usual "
        "longest run was 1 sample"
    )
    assert closed.reason.startswith("it moves again since 2024-10-06T01:40:00Z:")
    assert "after 10.25 s in 100 samples" in closed.reason


def test_a_constant_never_opens() -> None:
    assert run(STUCK, make(np.full(5 * DAY, 3.0))) == []


def test_a_series_that_rests_each_night_is_not_stuck_at_night() -> None:
    day = np.r_[np.zeros(8 * 60), rng.integers(1, 50, 16 * 60)]
    assert run(STUCK, make(np.tile(day, 14).astype(float))) == []


def test_rare_errors_are_not_stuck_between_them() -> None:
    for seed in range(10):
        bursts = np.random.default_rng(seed).random(7 * DAY) < 0.004
        values = np.convolve(bursts, np.ones(5))[: 7 * DAY]
        assert run(STUCK, make(values)) == []


def test_steps_of_a_gauge_are_not_stuck() -> None:
    values = np.repeat(np.random.default_rng(1).integers(2, 9, 84), 120).astype(float)
    assert run(STUCK, make(values)) == []


def test_it_must_have_been_seen_for_a_day() -> None:
    assert run(STUCK, make(np.r_[NOISE[:600], np.full(300, 1.0)])) == []


def test_gaps_neither_extend_nor_end_a_run() -> None:
    gap = np.full(200, np.nan)
    assert run(STUCK, make(np.r_[NOISE, np.full(10, 1.0), gap, np.full(9, 1.0), NOISE])) == []
    (opened, *_) = run(STUCK, make(np.r_[NOISE, np.full(10, 1.0), gap, np.full(15, 1.0), NOISE]))
    assert told([opened]) == [(2 * DAY + 220, "opened")]


def test_one_stuck_run_is_no_habit_and_two_are() -> None:
    once = np.r_[NOISE, np.full(100, 1.0)]
    events = run(STUCK, make(np.tile(once, 4)))
    assert [event.what for event in events].count("opened") == 2


def test_a_day_without_samples_closes_and_a_week_forgets() -> None:
    seen = make(np.r_[NOISE, np.full(60, 1.0), np.full(8 * DAY, np.nan)])
    events = run(STUCK, seen)
    assert events[-1].reason == "there has been no sample for 1d; it was not seen to move"
    states, _ = STUCK.step(RULE, {}, seen, MINUTE)
    assert states == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_no_value(value: float) -> None:
    assert run(STUCK, make(np.r_[NOISE, np.full(100, value), NOISE])) == []


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    runs=st.lists(st.tuples(st.sampled_from([1.0, 2.0, float("nan")]), st.integers(1, 90)), max_size=10),
    cuts=st.lists(st.integers(1, DAY + 400), max_size=6),
)
def test_pieces_are_the_whole(runs: list[tuple[float, int]], cuts: list[int]) -> None:
    tail = [value for value, length in runs for _ in range(length)]
    values = np.r_[NOISE[: DAY + 5], tail, NOISE[:20]]
    seen = make([values, values[::-1]])
    whole = run(STUCK, seen)
    assert run(STUCK, seen, cuts=[cut for cut in cuts if cut < len(values)], order=[1, 0]) == whole
