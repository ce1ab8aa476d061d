"""Runs in their order: clocks ahead and behind, states of another lineage, pages of them, and what the inventory makes of it."""

import json
from datetime import datetime, timedelta
from typing import Any

from .evidence_api import D2, ROLE, A, Api, B, E, capture, now, refused
from .hostile import plan
from .ledger_content import contradictions

MINUTE = timedelta(minutes=1)


def _state(value: int, serial: int = 1, lineage: str = "one") -> dict[str, Any]:
    thing = {"mode": "managed", "type": "a_thing", "name": "x", "provider": 'provider["example.test/a/a"]'}
    instances = [{"schema_version": 0, "attributes": {"v": value}}]
    return {
        "version": 4,
        "serial": serial,
        "lineage": lineage,
        "outputs": {},
        "resources": [{**thing, "instances": instances}],
    }


def _plan(value: int) -> bytes:
    return json.dumps(plan(before=value, after=value, resource_drift=[])).encode()


def _value(api: Api, workspace: str) -> Any:
    (resource,) = api.get("/inventory", workspace=workspace)["resources"]
    return resource["attributes"]["v"]


def test_a_clock_ahead_is_told_and_hides_no_later_run(api: Api) -> None:
    ahead = api.report(B, "runs/ahead", run="ahead", started_at=now() + timedelta(days=3))
    assert "ahead of this one" in ahead["run"]["reason"]
    assert abs(datetime.fromisoformat(ahead["run"]["at"]) - now()) < MINUTE
    assert api.report(A, "runs/ahead", run="now", started_at=now())["closed"] == 2
    a_little = api.report(B, "runs/ahead", run="a little", started_at=now() + MINUTE)["run"]
    assert datetime.fromisoformat(a_little["at"]) <= now()


def test_a_clock_behind_is_kept_on_record_alone(api: Api) -> None:
    base = now() - timedelta(hours=1)
    api.report(B, "runs/behind", run="first", started_at=base)
    late = api.report(A, "runs/behind", run="late", started_at=base - MINUTE)
    assert (late["run"]["superseded"], late["closed"], len(api.open("runs/behind"))) == (True, 0, 2)
    worse = api.report(D2, "runs/behind", run="worse", started_at=base - 2 * MINUTE)
    assert (worse["run"]["superseded"], worse["opened"], len(api.open("runs/behind"))) == (True, 0, 2)
    assert {run["id"] for run in api.get("/runs", workspace="runs/behind")["runs"]} == {"first", "late", "worse"}


def test_the_plans_own_time_orders_where_nothing_else_is_said(api: Api) -> None:
    assert api.report(B, "runs/own")["run"]["at"] == "2026-11-24T00:17:03Z"
    assert api.report(A, "runs/own")["run"]["superseded"]


def test_another_lineage_is_suspect_until_it_is_adopted(api: Api) -> None:
    base = now() - timedelta(hours=1)
    api.report(B, "runs/lineage", run="one", started_at=base, lineage="one", serial=3)
    other = api.report(A, "runs/lineage", run="two", started_at=base + MINUTE, lineage="two")
    assert (other["run"]["status"], other["closed"], len(api.open("runs/lineage"))) == ("suspect", 0, 2)
    assert "lineage two" in other["run"]["reason"]
    refused(api.post("/inventory", _state(1, lineage="two"), workspace="runs/lineage"), 409, "lineage")
    assert len(api.get("/inventory", workspace="runs/lineage")["resources"]) == 11
    adopted = api.report(A, "runs/lineage", run="three", started_at=base + 2 * MINUTE, lineage="two", adopt="true")
    assert (adopted["run"]["status"], adopted["closed"]) == ("clean", 2)
    assert (
        api.report(B, "runs/lineage", run="four", started_at=base + 3 * MINUTE, lineage="one")["run"]["status"]
        == "suspect"
    )


def test_a_serial_ties_a_normal_plan_to_refresh_only_ones(api: Api) -> None:
    base = now() - timedelta(hours=1)
    api.report(E, "runs/serial", run="normal", started_at=base, serial=7)
    api.report(D2, "runs/serial", run="refreshed", started_at=base + MINUTE, serial=7)
    assert api.open("runs/serial")["postgresql_database.shard[2]"] == "ignored"
    assert api.open("runs/serial")[ROLE] == "drift"


def test_pages_of_runs_leave_none_out_though_keys_and_times_are_the_same(api: Api) -> None:
    base = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    made = []
    for n in range(24):
        about = {"workspace": f"paged/{n % 8}", "run": f"run-{n // 8}", "started_at": base + (n // 12) * MINUTE}
        api.post("/drift-reports", _plan(n), **about)
        made.append((about["workspace"], about["run"]))
    found: list[tuple[str, str]] = []
    cursor = None
    while True:
        page = api.get("/runs", limit=5, cursor=cursor)
        found += [(run["workspace"], run["id"]) for run in page["runs"] if run["workspace"].startswith("paged/")]
        if (cursor := page["next"]) is None:
            break
    assert sorted(found) == sorted(made)


def test_findings_are_listed_by_page_and_by_what_they_are(api: Api) -> None:
    for n in range(5):
        api.report(D2, f"listed/{n}", run="one")
    found: list[str] = []
    cursor = None
    while True:
        page = api.get("/findings", limit=4, cursor=cursor, kind="attribute_changed")
        found += [f["id"] for f in page["findings"] if f["workspace"].startswith("listed/")]
        if (cursor := page["next"]) is None:
            break
    assert len(found) == len(set(found)) == 15
    assert len(api.findings("listed/1", severity="error")) == 3
    assert len(api.findings("listed/1", kind="deleted_outside", layer="configuration")) == 2
    assert [f["id"] for f in api.findings("listed/1", address=ROLE)] == [
        f["id"] for f in api.findings("listed/1") if f["address"] == ROLE
    ]
    assert api.findings("listed/1", since=now()) == api.findings("listed/1")
    assert api.findings("listed/1", until="2026-11-01T00:00:00Z") == []
    assert api.findings("listed/1", state="closed") == []


def test_an_answer_lists_by_address(api: Api) -> None:
    api.report(B, "runs/order", run="one", started_at=now() - MINUTE)
    addresses = [f["address"] for f in api.report(D2, "runs/order", run="two", started_at=now())["findings"]]
    assert addresses == sorted(addresses)


def test_a_state_is_the_inventory_from_its_arrival_and_an_older_report_changes_nothing_of_it(api: Api) -> None:
    workspace, base = "runs/state", now() - timedelta(hours=1)
    api.report(_plan(1), workspace, run="first", started_at=base)
    assert api.post("/inventory", _state(2), workspace=workspace).status_code == 201
    assert _value(api, workspace) == 2
    api.report(_plan(1), workspace, run="older", started_at=now() - MINUTE)
    assert _value(api, workspace) == 2
    api.report(_plan(3), workspace, run="newer", started_at=now())
    assert _value(api, workspace) == 3
    assert api.post("/inventory", _state(3), workspace=workspace).json()["resources"] == 1
    assert len(api.instant(f'driftband_resource_info{{workspace="{workspace}"}}')) == 1
    assert contradictions(api.store) == []


def test_an_empty_state_says_that_all_is_gone(api: Api) -> None:
    api.report(capture(A), "runs/gone", run="first", started_at=now() - MINUTE)
    empty = json.dumps(
        {k: v for k, v in json.loads(capture(A)).items() if k not in ("prior_state", "timestamp")}
    ).encode()
    assert api.report(empty, "runs/gone", run="second")["run"]["status"] == "suspect"
    assert api.post("/inventory", {**_state(1), "resources": []}, workspace="runs/gone").json()["resources"] == 0
    assert api.report(empty, "runs/gone", run="third")["run"]["status"] == "clean"
