import json
from pathlib import Path
from typing import Any

import pytest

from driftband.grafana import dashboards
from driftband.model.finding import ALARMING
from driftband.query.plan import plan_local


@pytest.fixture(name="drift")
def _drift(tmp_path: Path) -> Any:
    dashboards.build(tmp_path)
    return json.loads((tmp_path / "drift.json").read_text(encoding="utf-8"))


def expressions(drift: Any) -> list[str]:
    return [target["expr"] for panel in drift["panels"] for target in panel["targets"]]


def test_it_has_a_stable_uid_and_its_variables(drift: Any) -> None:
    assert (drift["uid"], drift["title"]) == ("driftband-drift", "Configuration drift")
    source, workspace, *_ = drift["templating"]["list"]
    assert (source["name"], source["query"], source["current"]["value"]) == ("datasource", "prometheus", "driftband")
    assert (workspace["name"], workspace["multi"], workspace["allValue"]) == ("workspace", True, ".*")
    assert workspace["query"]["query"] == "label_values(driftband_scan_status, workspace)"


def test_every_query_is_one_that_can_be_answered_here(drift: Any) -> None:
    for expr in [*expressions(drift), drift["annotations"]["list"][0]["expr"]]:
        assert '=~"$workspace' in expr
        plan_local(expr.replace("$workspace", "(a|b)").replace("$__range", "604800s"))


def test_a_class_has_a_colour_and_no_class_is_forgotten(drift: Any) -> None:
    (panel,) = (panel for panel in drift["panels"] if panel["type"] == "timeseries")
    assert {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]} == ALARMING


def test_changes_are_annotations_one_each(drift: Any) -> None:
    (changes,) = drift["annotations"]["list"]
    assert changes["useValueForTime"] is True
    assert changes["tagKeys"] == "kind,workspace,service,actor,commit"
    assert changes["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
