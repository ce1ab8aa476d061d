"""Changes: new and updated ones, how they are listed, and how ``driftband_change`` draws them."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from .evidence_api import Api, now, refused

APPLY = {
    "kind": "terraform_apply",
    "status": "succeeded",
    "commit": "9f3c2a1",
    "actor": "dana",
    "url": "https://ci.example/4711",
    "summary": "pool size",
    "identity": {"service": "checkout", "env": "prod"},
    "resources": [
        {
            "address": "module.db.aws_db_parameter_group.main",
            "type": "aws_db_parameter_group",
            "module": "db",
            "module_version": "2.4.0",
            "actions": ["update"],
            "attributes": [{"path": "max_connections", "before": 500, "after": 50, "sensitive": False}],
        }
    ],
}


def _drawn(api: Api, workspace: str, start: datetime, end: datetime, step: int) -> dict[float, float]:
    """Return the value of the one series at each instant of a range."""
    query = f'driftband_change{{workspace="{workspace}"}}'
    found = api.server.range(query, start.timestamp(), end.timestamp(), step)
    assert len(found) <= 1
    return next(iter(found.values()), {})


def test_a_change_is_new_once_and_then_updated(api: Api) -> None:
    whole = {
        "id": "run-4711",
        **APPLY,
        "workspace": "change/new",
        "started_at": "2026-11-24T10:00:00Z",
        "ended_at": "2026-11-24T10:02:10Z",
    }
    first = api.post("/changes", whole)
    assert (first.status_code, first.json()) == (201, whole)
    again = api.post("/changes", whole)
    assert (again.status_code, again.json()) == (200, whole)
    part = {
        "id": "run-4711",
        "kind": "terraform_apply",
        "started_at": "2026-11-24T10:00:00Z",
        "summary": "pool size, again",
    }
    updated = api.post("/changes", part)
    assert (updated.status_code, updated.json()) == (200, {**whole, "summary": "pool size, again"})
    assert api.get("/changes/run-4711") == updated.json()
    assert [change["id"] for change in api.get("/changes", workspace="change/new")["changes"]] == ["run-4711"]


@pytest.mark.parametrize("key", ["https://ci.example/runs/1?a=b#c", "a/b/../c", "żółw 🐢", "a//b", "%2e%2e", "x" * 200])
def test_an_id_may_be_nearly_anything(api: Api, key: str) -> None:

    change = api.change(id=key, kind="manual", started_at="2026-11-24T10:00:00Z")
    assert change["id"] == key
    assert api.get(f"/changes/{quote(key, safe='')}") == change


def test_only_three_fields_are_needed(api: Api) -> None:
    least = api.change(id="least", kind="other", started_at="2026-11-24T11:00:00+01:00")
    assert (least["status"], least["started_at"], least["ended_at"]) == (
        "succeeded",
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:00:00Z",
    )
    assert (least["workspace"], least["identity"], least["resources"]) == (None, {}, [])


def test_a_running_change_ends(api: Api) -> None:
    began = now() - timedelta(minutes=10)
    change = {"id": "ends", "kind": "deploy", "workspace": "change/ends", "started_at": began, "actor": "dana"}
    assert api.change(**change, status="running")["ended_at"] is None
    assert _drawn(api, "change/ends", now() - timedelta(minutes=1), now(), 30)
    over = api.change(id="ends", kind="deploy", started_at=began, status="succeeded")
    assert (over["actor"], over["workspace"]) == ("dana", "change/ends")
    assert now() - timedelta(minutes=1) < datetime.fromisoformat(over["ended_at"]) <= now()
    kept = api.change(id="ends", kind="deploy", started_at=began, summary="done")
    assert (kept["status"], kept["ended_at"]) == ("succeeded", over["ended_at"])


def test_what_does_not_fit_what_is_known_is_refused(api: Api) -> None:
    api.change(id="fits", kind="deploy", started_at="2026-11-24T10:00:00Z", ended_at="2026-11-24T10:05:00Z")
    late = {"id": "fits", "kind": "deploy", "started_at": "2026-11-24T11:00:00Z"}
    refused(api.post("/changes", late), 400, "do not fit together")
    assert api.get("/changes/fits")["started_at"] == "2026-11-24T10:00:00Z"


def test_secrets_of_a_change_are_not_kept(api: Api) -> None:
    attributes = [
        {"path": "password", "before": "canary-one", "after": "canary-two"},
        {"path": "size", "before": 1, "after": 2, "sensitive": True},
        {"path": "user_data", "after": "AKIAIOSFODNN7EXAMPLE"},
    ]
    change = api.change(
        id="secrets",
        kind="manual",
        started_at="2026-11-24T10:00:00Z",
        summary="rotated ghp_0123456789abcdefghijklmnopqrstuvwxyz",
        url="https://ci.example/1",
        resources=[{"address": "a.b", "attributes": attributes}],
    )
    assert all(a == {"path": a["path"], "sensitive": True} for a in change["resources"][0]["attributes"])
    text = str(change) + str(api.get("/changes/secrets")) + str(api.instant('driftband_change{change="secrets"}'))
    assert "canary" not in text
    assert "ghp_" not in text
    assert "AKIA" not in text


def test_changes_are_listed_by_page_and_by_what_they_are(api: Api) -> None:
    base = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    for n in range(25):
        at = base + timedelta(minutes=n // 3)  # some begin together
        api.change(
            id=f"listed-{n:02}",
            kind="deploy" if n % 2 else "manual",
            workspace="change/list",
            started_at=at,
            commit="c",
        )
    found: list[str] = []
    cursor = None
    while True:
        page = api.get("/changes", workspace="change/list", limit=7, cursor=cursor)
        found += [change["id"] for change in page["changes"]]
        if (cursor := page["next"]) is None:
            break
    assert found == sorted(found, reverse=True)
    assert len(found) == 25
    some: dict[str, Any] = {"workspace": "change/list", "limit": 1000}
    assert len(api.get("/changes", **some, kind="deploy")["changes"]) == 12
    assert len(api.get("/changes", **some, since=base + timedelta(minutes=5))["changes"]) == 10
    assert len(api.get("/changes", **some, until=base)["changes"]) == 3
    assert len(api.get("/changes", **some, commit="another")["changes"]) == 0


@pytest.mark.parametrize("step", [15, 60, 300, 3600])
def test_a_change_is_there_at_every_step_that_it_touches_and_never_between(api: Api, step: int) -> None:
    workspace = f"change/drawn/{step}"
    base = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    began, ended = base + timedelta(seconds=1_003), base + timedelta(seconds=1_009)
    api.change(id=f"drawn-{step}", kind="deploy", workspace=workspace, started_at=began, ended_at=ended)
    drawn = _drawn(api, workspace, base, base + timedelta(hours=3), step)
    touched = [base + timedelta(seconds=n) for n in range(0, 10_801, step)]
    touched = [at for at in touched if began <= at and ended > at - timedelta(seconds=step)]
    assert touched
    assert drawn == {at.timestamp(): began.timestamp() * 1000 for at in touched}


def test_a_long_change_is_there_from_its_start_to_its_end(api: Api) -> None:
    base = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    api.change(
        id="long", kind="deploy", workspace="change/long", started_at=base, ended_at=base + timedelta(minutes=30)
    )
    drawn = _drawn(api, "change/long", base - timedelta(hours=1), base + timedelta(hours=1), 60)
    assert sorted(drawn) == [base.timestamp() + 60 * n for n in range(31)]
    assert set(drawn.values()) == {base.timestamp() * 1000}


def test_an_instant_query_looks_back_five_minutes(api: Api) -> None:
    at = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    api.change(id="instant", kind="deploy", workspace="change/instant", started_at=at, summary="short")
    query = 'driftband_change{workspace="change/instant"}'
    for seconds, there in ((-1, False), (0, True), (299, True), (301, False)):
        found = api.instant(query, at + timedelta(seconds=seconds))
        assert bool(found) == there, seconds
    ((labels, value),) = api.instant(query, at)
    assert labels == {"change": "instant", "kind": "deploy", "workspace": "change/instant", "summary": "short"}
    assert value == at.timestamp() * 1000


def test_a_change_filters_by_its_labels_as_ad_hoc_filters_do(api: Api) -> None:
    at = now() - timedelta(minutes=1)
    for name in ("checkout", "cart"):
        api.change(
            id=f"filter-{name}", kind="deploy", workspace="change/filter", started_at=at, identity={"service": name}
        )
    query = 'driftband_change{workspace="change/filter",service=~"che.*",kind!="manual"}'
    assert [labels["change"] for labels, _ in api.instant(query)] == ["filter-checkout"]
    assert [value for _, value in api.instant('count(driftband_change{workspace="change/filter"})')] == [2]
