import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.series import Frame
from driftband.query.encode import encode
from driftband.query.question import Question, Result

NUMBERS = st.lists(st.floats(), min_size=1, max_size=8)


@given(NUMBERS, st.integers(0, 2**41))
def test_every_number_comes_back_as_it_was(numbers: list[float], start: int) -> None:
    question = Question("x", start, start + 1500 * (len(numbers) - 1), 1500)
    frame = Frame(question.times, ((("a", '"\n'),),), np.array([numbers]), np.ones((1, len(numbers)), dtype=bool))
    answer = json.loads(encode(question, Result(frame, question.times)))
    assert answer["status"] == "success"
    series = answer["data"]["result"][0]
    assert series["metric"] == {"a": '"\n'}
    assert [round(t * 1000) for t, _ in series["values"]] == question.times.tolist()
    np.testing.assert_array_equal([float(v) for _, v in series["values"]], numbers)


@pytest.mark.parametrize(
    ("numbers", "printed"),
    [
        ([2.0, 2.0, 2.0], ["2", "2", "2"]),
        ([0.0, -0.0], ["0", "-0"]),
        ([np.nan, np.nan], ["NaN", "NaN"]),
        ([np.inf, np.inf, -np.inf], ["+Inf", "+Inf", "-Inf"]),
        ([10.0, 1.05, 1200.5], ["10", "1.05", "1200.5"]),
    ],
)
def test_a_number_is_printed_without_a_needless_digit(numbers: list[float], printed: list[str]) -> None:
    question = Question("x", 0, 1000 * (len(numbers) - 1), 1000)
    frame = Frame(question.times, ((),), np.array([numbers]), np.ones((1, len(numbers)), dtype=bool))
    answer = json.loads(encode(question, Result(frame, question.times)))
    assert [value for _, value in answer["data"]["result"][0]["values"]] == printed


def test_absent_is_not_nan() -> None:
    question = Question("x", 0, 2000, 1000)
    frame = Frame(question.times, ((),), np.array([[1.0, np.nan, 3.0]]), np.array([[True, True, False]]))
    answer = json.loads(encode(question, Result(frame, question.times, warnings=("careful",))))
    assert answer["data"]["result"] == [{"metric": {}, "values": [[0, "1"], [1, "NaN"]]}]
    assert answer["warnings"] == ["careful"]


def test_a_limit_cuts_and_says_so() -> None:
    question = Question("x", 0, 0, None, limit=1)
    frame = Frame(question.times, ((("a", "1"),), (("a", "2"),)), np.ones((2, 1)), np.ones((2, 1), dtype=bool))
    answer = json.loads(encode(question, Result(frame, question.times)))
    assert len(answer["data"]["result"]) == 1
    assert answer["warnings"] == ["results truncated due to limit"]
