"""Who did it: audit events before and after the report, and the applies between two runs."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from .evidence_api import D2, ROLE, A, Api, B, now

SHARD, BILLING = "postgresql_database.shard[1]", 'module.role["billing"].postgresql_role.this'
MINUTE = timedelta(minutes=1)
# Events are of no workspace: each test tells of hours of its own.
SAMPLES = Path(__file__).parents[1] / "unit/sources/audit/samples"


def _event(api: Api, key: str, at: Any, actor: str = "dana", **more: Any) -> dict[str, Any]:
    event = {"id": key, "at": at.isoformat(), "actor": actor, "action": "alter database", "resource": "shard_1", **more}
    answer = api.post("/audit-events", event)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def _actors(api: Api, workspace: str) -> dict[str, str | None]:
    return {f["address"]: f["actor"] for f in api.findings(workspace)}


@pytest.mark.parametrize(("order", "hours"), [("before", 2), ("after", 4)])
def test_an_event_names_the_actor_whenever_it_arrives(api: Api, order: str, hours: int) -> None:
    workspace, base = f"audit/{order}", now() - timedelta(hours=hours)
    api.report(A, workspace, run="clean", started_at=base)
    if order == "before":
        assert _event(api, order, base + 5 * MINUTE) == {"events": 1, "attributed": 0}
    api.report(B, workspace, run="drifted", started_at=base + 10 * MINUTE)
    if order == "after":
        assert _actors(api, workspace) == {ROLE: None, SHARD: None}
        assert _event(api, order, base + 5 * MINUTE)["attributed"] >= 1
    assert _actors(api, workspace) == {ROLE: None, SHARD: "dana"}
    (finding,) = [f for f in api.findings(workspace) if f["address"] == SHARD]
    assert finding["evidence"]["audit_event"]["id"] == order
    assert "dana did alter database on shard_1" in finding["evidence"]["who"]
    assert finding["window_from"] < finding["opened_at"]
    assert _event(api, order, base + 5 * MINUTE) == {"events": 1, "attributed": 0}
    api.report(B, workspace, run="still", started_at=base + 20 * MINUTE)
    assert _actors(api, workspace) == {ROLE: None, SHARD: "dana"}


def test_reads_failures_and_what_lies_elsewhere_explain_nothing(api: Api) -> None:
    base = now() - timedelta(hours=6)
    api.report(A, "audit/nothing", run="clean", started_at=base)
    _event(api, "read", base + 5 * MINUTE, read_only=True)
    _event(api, "early", base - 10 * MINUTE)
    _event(api, "late", base + 20 * MINUTE)
    _event(api, "other", base + 5 * MINUTE, resource="another")
    api.report(B, "audit/nothing", run="drifted", started_at=base + 10 * MINUTE)
    (finding,) = [f for f in api.findings("audit/nothing") if f["address"] == SHARD]
    assert (finding["actor"], finding["evidence"]["applies"]) == (None, [])
    assert finding["evidence"]["who"]
    assert "no apply of the workspace" in finding["evidence"]["applies_reason"]


def test_without_an_event_the_applies_between_two_runs_are_told(api: Api) -> None:
    base = now() - timedelta(hours=8)
    api.report(A, "audit/applies", run="clean", started_at=base)
    api.report(B, "audit/applies", run="drifted", started_at=base + 10 * MINUTE)
    at = base + 5 * MINUTE
    api.change(
        id="audit-1", kind="terraform_apply", workspace="audit/applies", started_at=at, actor="erik", commit="9f3c2a1"
    )
    api.change(id="audit-2", kind="terraform_apply", workspace="audit/elsewhere", started_at=at)
    for finding in api.findings("audit/applies"):
        assert finding["evidence"]["applies"] == ["audit-1"]
        assert "audit-1 (by erik, commit 9f3c2a1)" in finding["evidence"]["applies_reason"]


def test_drift_seen_during_an_apply_is_provisional_until_the_next_run(api: Api) -> None:
    base = now() - timedelta(hours=10)
    workspace = "audit/during"
    api.report(A, workspace, run="clean", started_at=base)
    began: dict[str, Any] = {
        "id": "during",
        "kind": "terraform_apply",
        "workspace": workspace,
        "started_at": base + 9 * MINUTE,
    }
    api.change(**began, status="running")
    api.report(B, workspace, run="seen", started_at=base + 10 * MINUTE)
    assert api.drifted(workspace) == {ROLE: "provisional", SHARD: "provisional"}
    api.change(**began, status="succeeded", ended_at=base + 12 * MINUTE)
    api.report(B, workspace, run="confirmed", started_at=base + 30 * MINUTE)
    assert api.drifted(workspace) == {ROLE: "drift", SHARD: "drift"}
    assert api.drifted(workspace, base + 20 * MINUTE) == {ROLE: "provisional", SHARD: "provisional"}


def test_an_apply_that_is_told_of_late_makes_what_was_seen_meanwhile_provisional(api: Api) -> None:
    base = now() - timedelta(hours=12)
    workspace = "audit/late"
    api.report(A, workspace, run="clean", started_at=base)
    api.report(B, workspace, run="seen", started_at=base + 10 * MINUTE)
    assert set(api.drifted(workspace).values()) == {"drift"}
    api.change(
        id="late",
        kind="terraform_apply",
        workspace=workspace,
        started_at=base + 9 * MINUTE,
        ended_at=base + 12 * MINUTE,
    )
    assert set(api.drifted(workspace).values()) == {"provisional"}
    assert set(api.drifted(workspace, base + 11 * MINUTE).values()) == {"provisional"}


def test_what_an_apply_put_right_is_closed_by_it(api: Api) -> None:
    base = now() - timedelta(hours=14)
    workspace = "audit/right"
    api.report(B, workspace, run="seen", started_at=base)
    touched = [{"address": SHARD, "actions": ["update"]}]
    api.change(
        id="right",
        kind="terraform_apply",
        workspace=workspace,
        started_at=base + 20 * MINUTE,
        ended_at=base + 21 * MINUTE,
        resources=touched,
    )
    api.report(A, workspace, run="clean", started_at=base + 30 * MINUTE)
    reasons = {f["address"]: f["reason"] for f in api.findings(workspace, state="closed")}
    assert reasons == {SHARD: "applied by right", ROLE: "reality is what was declared again"}


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.json")))
def test_events_of_each_kind_are_taken_and_their_secrets_are_not(api: Api, name: str) -> None:
    body = (SAMPLES / name).read_bytes()
    answer = api.post("/audit-events", body)
    assert answer.status_code == 201
    assert answer.json()["events"] >= 1
    assert api.post("/audit-events", body).json() == answer.json()
    assert "canary" not in answer.text.lower()


def test_many_events_in_one_body_are_taken_together_or_not_at_all(api: Api) -> None:
    base = now() - timedelta(hours=16)
    events = [
        {
            "id": f"many-{n}",
            "at": (base + timedelta(seconds=n)).isoformat(),
            "actor": "cron",
            "action": "x",
            "resource": f"thing-{n}",
        }
        for n in range(3_000)
    ]
    lines = "\n".join(map(json.dumps, events)).encode()
    broken = lines + b'\n{"id": "bad"}'
    assert api.post("/audit-events", broken).status_code == 400
    assert api.post("/audit-events", lines).json() == {"events": 3_000, "attributed": 0}


def test_a_secret_that_moved_is_attributed_too(api: Api) -> None:
    base = now() - timedelta(hours=18)
    api.report(A, "audit/secret", run="clean", started_at=base)
    _event(api, "secret", base + 5 * MINUTE, actor="mallory", action="alter role", resource="billing")
    api.report(D2, "audit/secret", run="drifted", started_at=base + 10 * MINUTE)
    (finding,) = [f for f in api.findings("audit/secret") if f["address"] == BILLING]
    assert (finding["actor"], finding["severity"]) == ("mallory", "error")
