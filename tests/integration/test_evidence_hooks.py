"""Webhooks of Atlantis and HCP Terraform through the API: what they make of the ledger, also when delivered again."""

import json
from pathlib import Path
from typing import Any

import pytest

from .evidence_api import Api, B, now

SAMPLES = Path(__file__).parents[1] / "unit/sources/samples/hooks"


def _hook(api: Api, name: str, **changes: Any) -> list[str]:
    body = json.loads((SAMPLES / f"{name}.json").read_bytes()) | changes
    answer = api.post("/hooks/atlantis" if name.startswith("atlantis") else "/hooks/hcp-terraform", body)
    assert answer.status_code == 200, answer.text
    assert "canary" not in answer.text
    taken: list[str] = answer.json()["taken"]
    return taken


def test_an_apply_of_atlantis_is_one_change_however_often_it_is_told(api: Api) -> None:
    (key,) = _hook(api, "atlantis_apply")
    first = api.get(f"/changes/{key}")
    assert (first["workspace"], first["actor"], first["kind"]) == ("acme/platform/network", "erik", "terraform_apply")
    assert _hook(api, "atlantis_apply") == [key]
    assert api.get(f"/changes/{key}") == first
    assert "canary" not in json.dumps(api.get("/changes"))


def test_a_drift_detection_of_atlantis_is_a_run_of_each_project(api: Api) -> None:
    workspaces = ("acme/platform/network", "acme/platform/infra/db/staging", "acme/platform")
    for _ in range(2):
        assert len(_hook(api, "atlantis_drift")) == 3
        runs = [run for workspace in workspaces for run in api.get("/runs", workspace=workspace)["runs"]]
        assert [run["status"] for run in runs] == ["drifted", "clean", "failed"]
    (finding,) = api.findings(workspaces[0])
    assert (finding["kind"], finding["address"]) == ("workspace_drifted", None)
    assert "canary" not in json.dumps(runs)
    _hook(
        api,
        "atlantis_drift",
        detection_id="another",
        projects=[{"path": "infra/network", "project_name": "network", "has_drift": False}],
    )
    assert api.findings(workspaces[0]) == []


def test_assessments_of_hcp_terraform_are_runs(api: Api) -> None:
    for name, status in (("drifted", "drifted"), ("check_failure", "clean"), ("failed", "failed")):
        for _ in range(2):
            _hook(api, f"hcp_assessment_{name}")
        assert status in {run["status"] for run in api.get("/runs", workspace="prod-checkout")["runs"]}
    assert len(api.get("/runs", workspace="prod-checkout")["runs"]) == 3


def test_a_run_of_hcp_terraform_is_one_change_from_apply_to_end(api: Api) -> None:
    (key,) = _hook(api, "hcp_run_applying")
    assert api.get(f"/changes/{key}")["status"] == "running"
    for _ in range(2):
        assert _hook(api, "hcp_run_completed") == [key]
        change = api.get(f"/changes/{key}")
        assert (change["status"], change["started_at"]) == ("succeeded", "2026-11-24T10:00:00Z")
        assert change["ended_at"] == "2026-11-24T10:02:10Z"


@pytest.mark.parametrize("name", ["hcp_verification", "hcp_run_planned_and_finished"])
def test_what_changes_nothing_tells_nothing(api: Api, name: str) -> None:
    assert _hook(api, name) == []


def test_a_workspace_that_is_named_again_keeps_what_is_known_of_its_resources(api: Api) -> None:
    api.report(B, "acme/platform/network", run="whole", started_at=now())
    _hook(api, "atlantis_drift", detection_id="later")
    assert api.open("acme/platform/network").keys() >= {"postgresql_database.shard[1]"}
