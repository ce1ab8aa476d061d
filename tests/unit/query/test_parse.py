import pytest

from driftband.query.errors import QueryError
from driftband.query.nodes import BandCall, Binary, Number, Remote
from driftband.query.plan import plan
from driftband.query.tokens import names_ours


@pytest.mark.parametrize(
    ("query", "ours"),
    [
        ("up", False),
        ("forecast(up)", True),
        ("forecast (up)", True),
        ("forecast", False),
        ('up{job="forecast(x)"}', False),
        ("up # forecast(x)", False),
        ("sum by (forecast) (up)", False),
        ('driftband_upper{signal="a"}', True),
        ('{__name__="driftband_upper"}', True),
        ('{__name__=~"driftband_.*"}', False),
        ("driftband_watch_something", False),
        ('anomaly_band(up{a="', True),
    ],
)
def test_only_a_query_that_names_something_of_ours_is_read(query: str, ours: bool) -> None:
    assert names_ours(query) is ours


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("anomaly_band(up", "1:13"),
        ("anomaly_band(up))", "1:17"),
        ("forecast(up) +", "1:15"),
        ("forecast(up) up", "1:14"),
        ('forecast(up{a="b)', "1:15"),
        ("forecast(\n  up{a=5})", "2:8"),
        ("forecast()", "1:1"),
        ("1 + forecast(up, 1, 2)", "1:5"),
        ("anomaly_band(up, 2)", "1:1"),
        ("anomaly_band(up, 0)", "1:1"),
        ("anomaly_band(up[5m])", "1:1"),
        ("anomaly_band(1)", "1:1"),
        ("anomaly_band(no_such(up))", "1:14"),
        ("time_to_breach(up)", "1:1"),
    ],
)
def test_a_wrong_query_is_a_400_that_says_where(query: str, place: str) -> None:
    with pytest.raises(QueryError) as failed:
        plan(query)
    assert failed.value.status == 400
    assert f'invalid parameter "query": {place}: parse error: ' in str(failed.value)


@pytest.mark.parametrize(
    ("query", "construct"),
    [
        ("forecast(up @ end())", "@"),
        ("forecast(up @ start())", "@"),
        ("forecast(up @ 1000)", "@"),
        ("forecast(up offset -5m)", "negative offset"),
        ("forecast(sum(rate(up[5m] offset -1m)))", "negative offset"),
        ("forecast(max_over_time(up[1h:5m] @ end()))", "@"),
        ("max_over_time(forecast(up)[1h:5m])", "subquery"),
        ("forecast(forecast(up))", "operand"),
        ("forecast(driftband_upper)", "operand"),
        ("limitk(2, forecast(up))", "limitk"),
        ("predict_linear(driftband_upper[1h], 5)", "predict_linear"),
        ("forecast(up)[5m:1m]", "subquery"),
    ],
)
def test_what_cannot_be_done_is_a_422_that_names_it_and_what_works(query: str, construct: str) -> None:
    with pytest.raises(QueryError) as failed:
        plan(query)
    assert failed.value.status == 422
    assert construct in str(failed.value)
    assert "; " in str(failed.value)


def test_the_operand_goes_to_the_source_as_it_was_written() -> None:
    operand = r"""sum by (a)  ( rate(x{a=~'b"\d+', c="\n"}[5m]) )  # why not"""
    node = plan(f"anomaly_band({operand}\n, 1 - 0.05, 'prophet')")
    assert node == BandCall("anomaly_band", operand.partition("  #")[0], 0.95, "prophet")


def test_parts_without_ours_go_to_the_source_whole_and_with_their_strings_untouched() -> None:
    node = plan(r"""forecast(x) > on (a) group_left () (sum(y{b='"\\'}) / 2)""")
    assert isinstance(node, Binary)
    assert isinstance(node.right, Remote)
    assert node.right.text in {r"""(sum(y{b='"\\'}) / 2)""", r"""sum(y{b='"\\'}) / 2"""}


def test_time_to_breach_takes_a_limit_and_a_level() -> None:
    assert plan("time_to_breach(up, -2 * 8, 0.9)") == BandCall("time_to_breach", "up", 0.9, None, Number(-16.0))
    node = plan("time_to_breach(up, scalar(limit))")
    assert isinstance(node, BandCall)
    assert node.limit == Remote("scalar(limit{})", scalar=True)
