import json
import re
from pathlib import Path
from typing import Any

import pytest

from driftband.grafana import dashboards

ROOT = Path(__file__).parents[3]
NAMES = ["actual", "lower", "expected", "upper"]


@pytest.fixture(name="bands")
def _bands(tmp_path: Path) -> Any:
    dashboards.build(tmp_path)
    return json.loads((tmp_path / "bands.json").read_text(encoding="utf-8"))


def band_panels(bands: Any) -> list[Any]:
    return [panel for panel in bands["panels"] if "anomaly_band" in panel["targets"][0]["expr"]]


def overrides(panel: Any) -> dict[str, dict[str, Any]]:
    return {
        override["matcher"]["options"]: {one["id"]: one["value"] for one in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    }


def test_it_is_found_under_a_stable_uid_and_looks_ahead(bands: Any) -> None:
    assert (bands["uid"], bands["title"], bands["refresh"]) == ("driftband-bands", "Bands", "1m")
    assert bands["time"] == {"from": "now-24h", "to": "now+6h"}


def test_variables_choose_the_data_source_and_one_service(bands: Any) -> None:
    source, service = bands["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert (service["name"], service["multi"], service["includeAll"]) == ("service", False, False)
    assert service["query"]["query"] == "label_values(http_requests_total, service)"
    assert service["datasource"]["uid"] == "${datasource}"


def test_changes_of_the_service_are_marked_and_all_others_can_be(bands: Any) -> None:
    ours, every = bands["annotations"]["list"]
    assert (ours["name"], ours["enable"], ours["target"]["tags"]) == (
        "Changes",
        True,
        ["driftband", "service:$service"],
    )
    assert (every["name"], every["enable"], every["target"]["tags"]) == ("All changes", False, ["driftband"])
    for query in (ours, every):
        assert query["datasource"] == {"type": "grafana", "uid": "-- Grafana --"}
        assert (query["target"]["type"], query["target"]["matchAny"]) == ("tags", False)


def test_every_query_keeps_functions_that_grafana_does_not_know(bands: Any) -> None:
    for panel in bands["panels"]:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert target["editorMode"] == "code"
            assert re.match(r"(anomaly_band|anomaly_score|time_to_breach)\(", target["expr"])
            assert 'service="$service"' in target["expr"]


def test_panels_say_what_they_show_do_not_overlap_and_have_units(bands: Any) -> None:
    assert [panel["id"] for panel in bands["panels"]] == [1, 2, 3, 4, 5, 6]
    places = set()
    for panel in bands["panels"]:
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        places.add((panel["gridPos"]["x"], panel["gridPos"]["y"]))
    assert len(places) == len(bands["panels"]) == 6


def test_a_band_is_filled_between_its_edges_and_expected_is_dashed(bands: Any) -> None:
    panels = band_panels(bands)
    assert [panel["title"] for panel in panels] == ["Request rate", "Error share", "Latency, 99th percentile", "Memory"]
    for panel in panels:
        by_name = overrides(panel)
        assert list(by_name) == NAMES
        assert panel["targets"][0]["legendFormat"] == "{{band}}"
        assert by_name["upper"]["custom.fillBelowTo"] == "lower"
        assert by_name["upper"]["custom.fillOpacity"] == 15
        assert by_name["upper"]["custom.lineWidth"] == by_name["lower"]["custom.lineWidth"] == 0
        assert by_name["expected"]["custom.lineStyle"]["fill"] == "dash"


def test_scores_show_where_the_band_ends(bands: Any) -> None:
    (panel,) = (panel for panel in bands["panels"] if "anomaly_score" in panel["targets"][0]["expr"])
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, -1, 1]
    assert steps[1]["color"] == steps[2]["color"]
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == "dashed"
    assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C", "D"]


def test_the_breach_is_asked_for_once_and_never_is_put_in_words(bands: Any) -> None:
    (panel,) = (panel for panel in bands["panels"] if panel["type"] == "stat")
    (target,) = panel["targets"]
    assert target["expr"].endswith(", 1073741824)")
    assert target["instant"] is True
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
    assert mapping["options"]["result"]["text"] == "not in sight"


def test_what_is_committed_is_what_the_source_makes() -> None:
    assert dashboards.check(ROOT / "dashboards") == []


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    dashboards.build(tmp_path / "one")
    dashboards.build(tmp_path / "two")
    assert (tmp_path / "one/bands.json").read_bytes() == (tmp_path / "two/bands.json").read_bytes()
    assert (tmp_path / "one/bands.json").read_bytes().endswith(b"}\n")


def test_check_names_what_is_missing_changed_or_left_over(tmp_path: Path) -> None:
    assert dashboards.check(tmp_path) == [f"{tmp_path / name}: missing" for name in dashboards.DASHBOARDS]
    dashboards.build(tmp_path)
    assert dashboards.check(tmp_path) == []
    (tmp_path / "bands.json").write_text("{}\n")
    (tmp_path / "old.json").write_text("{}\n")
    assert dashboards.check(tmp_path) == [
        f"{tmp_path / 'bands.json'}: differs",
        f"{tmp_path / 'old.json'}: no source makes it",
    ]
