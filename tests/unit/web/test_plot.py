"""Where things stand in a picture, for any values; and that a picture says nothing that is not there."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.web.drawing import SMALL, svg
from driftband.web.plot import Axes, Mark, Plot, in_words

MINUTE = 60_000
VALUES = st.lists(
    st.one_of(st.none(), st.floats(-1e12, 1e12).map(lambda value: round(value, 6))), min_size=1, max_size=40
).filter(lambda values: any(value is not None for value in values))


def plot(values: list[float | None], gaps: list[int] | None = None, **more: object) -> Plot:
    steps = gaps or [1] * len(values)
    times = np.cumsum(np.asarray(steps, np.int64)) * MINUTE
    row = np.asarray([math.nan if value is None else value for value in values], np.float64)
    facts: dict[str, object] = {"times": times, "actual": row, "start": 0, "end": int(times[-1]) + MINUTE}
    return Plot(**{**facts, **more})  # type: ignore[arg-type]


@given(VALUES, st.lists(st.integers(1, 9), min_size=40, max_size=40), st.sampled_from(["", "s", "bytes", "ratio"]))
def test_every_value_is_drawn_once_and_on_the_paper(values: list[float | None], gaps: list[int], unit: str) -> None:
    made = plot(values, gaps[: len(values)], unit=unit)
    runs = list(made.runs(made.actual))
    shown = [place for run in runs for place in range(run.start, run.stop)]
    assert shown == [place for place, value in enumerate(values) if value is not None]
    axes = Axes(made, SMALL)
    heights = axes.y(made.actual[np.isfinite(made.actual)])
    assert (heights >= SMALL.top - 1).all()
    assert (heights <= SMALL.height - SMALL.bottom + 1).all()
    assert all(SMALL.top - 1 <= y <= SMALL.height - SMALL.bottom + 1 for y, _ in axes.levels())
    assert 1 <= len(axes.levels()) <= 12
    assert "nan" not in svg(made, SMALL, "x").lower()


def test_what_lies_far_apart_is_not_joined() -> None:
    made = plot([1, 2, 3, 4], [1, 1, 30, 1])
    assert list(made.runs(made.actual)) == [slice(0, 2), slice(2, 4)]


@pytest.mark.parametrize(
    ("values", "unit", "said"),
    [
        ([0, 5.12], "", ["0", "2", "4"]),
        ([0, 0.4], "s", ["0 s", "100 ms", "200 ms", "300 ms", "400 ms"]),
        ([0, 2**30], "bytes", ["0 B", "256 MiB", "512 MiB", "768 MiB", "1 GiB"]),
        ([7, 7], "", ["4", "6", "8", "10"]),
        ([0, 0], "", ["-0.4", "-0.2", "0", "0.2", "0.4"]),
    ],
)
def test_axes_say_round_numbers(values: list[float | None], unit: str, said: list[str]) -> None:
    assert [text for _, text in Axes(plot(values, unit=unit), SMALL).levels()] == said


def test_counts_have_no_halves() -> None:
    assert [text for _, text in Axes(plot([0, 1], whole=True), SMALL).levels()] == ["0", "1"]


@given(st.integers(2, 60 * 24 * 400))
def test_the_time_axis_has_few_words(minutes: int) -> None:
    axes = Axes(plot([1.0, 2.0], [1, minutes]), SMALL)
    assert 1 <= len(axes.hours(6)) <= 7 or minutes < 4


def test_names_are_text_and_the_picture_is_told() -> None:
    hostile = '"><script>alert(1)</script>'
    made = plot([1.0, 2.0], unit=hostile, marks=(Mark(kind="change", at=MINUTE, until=2 * MINUTE, name=hostile),))
    drawn = svg(made, SMALL, hostile)
    assert "<script" not in drawn
    assert not re.search(r'="[^"]*"[^\s/>]', drawn)
    told = in_words(plot([1.0, 2.0], marks=(Mark(kind="change", at=MINUTE, name="run-1"),)), "latency")
    assert told == (
        "latency from 1970-01-01 00:00 UTC to 1970-01-01 00:03 UTC; observed between 1 and 2; run-1 at 1970-01-01 00:01 UTC"
    )


def test_a_picture_of_nothing_is_refused() -> None:
    for values in ([], [None, None]):
        with pytest.raises(ValueError, match="a plot needs"):
            plot(values) if values else Plot(times=np.zeros(0, np.int64), actual=np.zeros(0), start=0, end=1)
