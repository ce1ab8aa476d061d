"""What holds for every dashboard."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from driftband.config_signals import pack
from driftband.grafana import building, dashboards, findings_panels
from driftband.query.names import NATIVE
from driftband.query.plan import plan, plan_local
from driftband.web.measure import Measure

ROOT = Path(__file__).parents[3]
BUILT = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "dashboards").glob("*.json"))
}
OTHERS = {name: board for name, board in BUILT.items() if name not in {"bands", "itself"}}
VALUES = {"workspace": ".*", "service": "checkout", "env": ".*", "signal": "http_error_share", "change": "run-1"}


every_dashboard = pytest.mark.parametrize("name", BUILT)


def panels(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = BUILT[name]["panels"]
    return found


def targets(name: str) -> list[dict[str, Any]]:
    return [target for panel in panels(name) for target in panel["targets"]]


def asked(expr: str) -> str:
    for name, value in VALUES.items():
        expr = re.sub(rf"\${name}\b", value, expr)
    return expr.replace("$__range", "86400s")


@every_dashboard
def test_uids_stand_still_and_all_are_found_from_each(name: str) -> None:
    board = BUILT[name]
    assert board["uid"] == f"driftband-{name}"
    assert (board["tags"], board["refresh"], board["timezone"]) == (["driftband"], "1m", "browser")
    assert board["description"]
    (others,) = board["links"]
    assert (others["type"], others["tags"], others["keepTime"], others["includeVars"]) == (
        "dashboards", ["driftband"], True, True,
    )  # fmt: skip
    source = board["templating"]["list"][0]
    assert (source["name"], source["current"]["value"]) == ("datasource", "driftband")


@pytest.mark.parametrize("name", OTHERS)
def test_service_and_environment_are_chosen_by_the_same_names(name: str) -> None:
    variables = {one["name"]: one for one in OTHERS[name]["templating"]["list"]}
    assert {"service", "env"} <= variables.keys()
    assert variables["env"]["allValue"] == ".*"
    for one in variables.values():
        if one["type"] == "query":
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@every_dashboard
def test_every_query_is_one_that_can_be_answered(name: str) -> None:
    for target in targets(name):
        assert target["editorMode"] == "code"
        expr = asked(target["expr"])
        assert "$" not in expr.replace('"$1"', "")
        plan(expr)


@every_dashboard
def test_every_series_is_one_that_exists(name: str) -> None:
    measure = Measure()
    measure.watch_findings(dict)
    own = {one.name for one in measure.registry.collect()}
    for target in targets(name):
        for series in re.findall(r"\bdriftband_\w+", target["expr"]):
            assert series in NATIVE or re.sub(r"_(total|bucket|count|sum)$", "", series) in own, series


@every_dashboard
def test_every_named_signal_is_one_of_the_pack(name: str) -> None:
    for target in targets(name):
        known = {signal.name for signal in pack("http")}
        named = set(re.findall(r'signal="([a-z]\w+)"', target["expr"]))
        assert named <= known


@every_dashboard
def test_panels_say_what_they_show_and_what_nothing_means(name: str) -> None:
    for panel in panels(name):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"].get("noValue")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        if panel["type"] not in {"table", "state-timeline", "nodeGraph"}:
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps") or panel["type"] == "timeseries"


@every_dashboard
def test_colours_are_those_that_everybody_can_tell_apart(name: str) -> None:
    for panel in panels(name):
        known = {value for name, value in vars(building).items() if name.isupper() and str(value).startswith("#")}
        assert set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(panel))) <= known
        assert not re.search(r'"color": "(red|green|yellow|blue|orange)', json.dumps(panel))


@every_dashboard
def test_panels_are_numbered_and_do_not_overlap(name: str) -> None:
    panels = BUILT[name]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells


@every_dashboard
def test_links_lead_to_dashboards_that_exist_with_time_and_variables_they_have(name: str) -> None:
    for uid, arguments in re.findall(r'"/d/([\w-]+)\?([^"]*)"', json.dumps(BUILT[name])):
        board = BUILT[uid.removeprefix("driftband-")]
        assert arguments.startswith("${__url_time_range}&${datasource:queryparam}")
        names = {variable["name"] for variable in board["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", arguments)) <= names


@pytest.mark.parametrize("name", OTHERS)
def test_changes_are_marked_once_each(name: str) -> None:
    (changes,) = OTHERS[name]["annotations"]["list"]
    assert changes["useValueForTime"] is True
    assert changes["tagKeys"] == "kind,workspace,service,actor,commit"
    plan_local(asked(changes["expr"]))


def test_the_worst_of_none_is_clear_and_ranks_rise_with_severity() -> None:
    words = {int(value): told.text for value, told in findings_panels.RANKS.options.items()}
    assert words == {0: "clear", 1: "info", 2: "warning", 3: "error", 4: "critical"}
    query = findings_panels.worst('layer="runtime"')
    assert '0 * driftband_drift{severity="critical", layer="runtime"} + 4' in query


def test_what_is_built_is_what_is_registered() -> None:
    assert {f"{name}.json" for name in BUILT} == dashboards.DASHBOARDS.keys()
