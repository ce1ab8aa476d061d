"""Reading what servers answer."""

from typing import Any

import numpy as np
import pytest

from driftband.sources.prometheus import place, to_frame

START, STEP = 1_700_000_040_000, 60_000
TIMES = np.arange(START, START + 5 * STEP, STEP, dtype=np.int64)


def series(*samples: tuple[float, str]) -> list[dict[str, Any]]:
    return [{"metric": {"a": "b"}, "values": [list(sample) for sample in samples]}]


@pytest.mark.parametrize("moved", [0, 1, 20, 40, 59, 59.999])
def test_a_sample_between_two_instants_belongs_to_the_later_one(moved: float) -> None:
    first = START / 1000 - moved
    frame = to_frame(TIMES, series(*((first + 60 * k, str(k)) for k in range(5))))
    assert frame.present.all()
    assert frame.values.tolist() == [[0, 1, 2, 3, 4]]
    gap = to_frame(TIMES, series(*((first + 60 * k, str(k)) for k in (1, 4))))
    assert gap.present.tolist() == [[False, True, False, False, True]]
    assert gap.values[gap.present].tolist() == [1, 4]


def test_what_lies_beyond_the_instants_was_not_asked_for() -> None:
    at = START / 1000
    for outside in ((at - 60, "7"), (at + 300, "7")):
        answer = sorted([outside, (at + 60, "1")])
        frame = to_frame(TIMES, series(*answer))
        assert frame.present.tolist() == [[False, True, False, False, False]]
        row = np.full(5, np.nan)
        place(answer, START, STEP, row)
        np.testing.assert_array_equal(row, [np.nan, 1, np.nan, np.nan, np.nan])
