"""Bands and changes in a dashboard that somebody has."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.grafana.adding import ANNOTATIONS, added, difference, taken_out

THEIRS = {"type": "prometheus", "uid": "prom"}
OURS = {"type": "prometheus", "uid": "driftband"}


def panel(number: int = 1, *exprs: str, **more: Any) -> dict[str, Any]:
    targets = [{"refId": chr(65 + n), "expr": expr, "datasource": THEIRS} for n, expr in enumerate(exprs or ("up",))]
    made = {"id": number, "title": f"panel {number}", "type": "timeseries", "datasource": THEIRS, "targets": targets}
    return {**made, "fieldConfig": {"defaults": {}, "overrides": []}, **more}


def board(*panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"uid": "theirs", "panels": list(panels), "annotations": {"list": []}, "templating": {"list": []}, **more}


def test_a_panel_gets_its_band_from_driftband_and_keeps_its_own_query() -> None:
    made, passed = added(board(panel(1, "sum(rate(http_requests_total[$__rate_interval]))")), "driftband")
    (drawn,) = made["panels"]
    assert passed == []
    assert drawn["datasource"] == {"type": "datasource", "uid": "-- Mixed --"}
    own, *bands = drawn["targets"]
    assert own == {"refId": "A", "expr": "sum(rate(http_requests_total[$__rate_interval]))", "datasource": THEIRS}
    operand = "(sum(rate(http_requests_total[5m])))"
    assert [one["expr"] for one in bands] == [f"band_lower{operand}", f"forecast{operand}", f"band_upper{operand}"]
    assert all(one["datasource"] == OURS for one in bands)
    by_ref = {one["matcher"]["options"]: one["properties"] for one in drawn["fieldConfig"]["overrides"]}
    assert {"id": "custom.fillBelowTo", "value": "lower"} in by_ref["driftband_upper"]


def test_a_panel_of_driftbands_own_data_source_stays_one_of_one() -> None:
    made, _ = added(board(panel(1, "up", datasource=OURS)), "driftband")
    assert made["panels"][0]["datasource"] == OURS


def test_changes_are_marked_for_the_variables_that_the_dashboard_has() -> None:
    plain, _ = added(board(), "driftband")
    (mark,) = plain["annotations"]["list"]
    assert (mark["name"], mark["datasource"], mark["expr"]) == (ANNOTATIONS, OURS, "driftband_change{}")
    assert mark["useValueForTime"] is True
    narrowed, _ = added(board(templating={"list": [{"name": "service"}, {"name": "job"}]}), "driftband")
    assert narrowed["annotations"]["list"][0]["expr"] == 'driftband_change{service=~"$service|"}'


@pytest.mark.parametrize(
    ("unfit", "why"),
    [
        (panel(1, "up", "down"), "it has 2 queries, and a band wants one"),
        (panel(1, type="table"), "it draws no time series"),
        (panel(1, libraryPanel={"uid": "x"}), "it is a library panel, which other dashboards share"),
        (panel(1, "anomaly_band(up)"), "its query asks for a band already"),
        (panel(1, 'driftband_upper{signal="x"}'), "its query asks for a band already"),
        ({**panel(1), "targets": [{"refId": "A", "query": "x", "datasource": {"type": "loki"}}]}, "its query is not PromQL"),
    ],
    ids=["two-queries", "table", "library", "band", "native", "loki"],
)  # fmt: skip
def test_what_cannot_have_a_band_is_passed_over_and_says_why(unfit: dict[str, Any], why: str) -> None:
    before = deepcopy(unfit)
    made, passed = added(board(unfit, panel(2)), "driftband")
    assert made["panels"][0] == before
    assert [(one.panel, one.why) for one in passed] == [("1 panel 1", why)]
    assert len(made["panels"][1]["targets"]) == 4


def test_hidden_queries_do_not_count_and_panels_in_folded_rows_do() -> None:
    hidden = panel(1)
    hidden["targets"].append({"refId": "B", "expr": "down", "hide": True, "datasource": THEIRS})
    row = {"id": 9, "type": "row", "collapsed": True, "panels": [hidden]}
    made, passed = added(board(row), "driftband")
    assert passed == []
    assert len(made["panels"][0]["panels"][0]["targets"]) == 5


def test_panels_are_chosen_by_their_ids() -> None:
    made, _ = added(board(panel(1), panel(2)), "driftband", [2])
    assert [len(one["targets"]) for one in made["panels"]] == [1, 4]


_PANELS = st.lists(
    st.builds(
        lambda number, exprs, kind: panel(number, *exprs, type=kind),
        st.integers(1, 50),
        st.lists(st.sampled_from(["up", "rate(x[5m])", "anomaly_score(up)", ""]), min_size=1, max_size=3),
        st.sampled_from(["timeseries", "table", "stat"]),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(panels=_PANELS, chosen=st.lists(st.integers(1, 50), max_size=3))
def test_taken_out_it_is_as_it_was_and_added_again_it_is_the_same(panels: list[Any], chosen: list[int]) -> None:
    before = board(*panels)
    kept = deepcopy(before)
    made, _ = added(before, "driftband", chosen)
    assert before == kept
    assert added(made, "driftband", chosen)[0] == made
    assert taken_out(made) == before
    assert difference(before, taken_out(made)) == []
    assert difference(before, made)
