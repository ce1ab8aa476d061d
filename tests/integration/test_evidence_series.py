"""The native series of state: what they answer now, at any past instant, and in joins with metrics."""

import json
from datetime import datetime, timedelta
from typing import Any

from .evidence_api import B2, ROLE, A, Api, B, C, E, capture, now
from .hostile import plan

SHARD, FILE, GONE = "postgresql_database.shard[1]", "local_file.pool", "postgresql_database.shard[2]"
MINUTE = timedelta(minutes=1)


def _thing(size: int, *, drifted: bool, **tags: str) -> bytes:
    """Return a plan of one tagged resource of size 2 that is found in another."""
    body = plan("a_group.x", kind="a_group", before=2, after=size)
    body["resource_drift"][0]["change"]["before"]["tags"] = body["resource_drift"][0]["change"]["after"]["tags"] = tags
    body["prior_state"]["values"]["root_module"]["resources"][0]["values"] = {"v": size if drifted else 2, "tags": tags}
    if not drifted:
        body["resource_drift"] = []
    return json.dumps(body).encode()


def test_the_past_answers_as_it_was_then_and_the_future_as_now(api: Api) -> None:
    base = now() - timedelta(hours=1)
    story = (
        (B, {ROLE, SHARD}),
        (B2, {ROLE, SHARD, FILE}),
        (C, {ROLE, SHARD, FILE, GONE}),
        (A, set()),
        (B, {ROLE, SHARD}),
    )
    for n, (name, _) in enumerate(story):
        api.report(name, "series/past", run=f"run-{n}", started_at=base + 10 * n * MINUTE)
    assert api.drifted("series/past", base - MINUTE) == {}
    for n, (_, expected) in enumerate(story):
        for within in (timedelta(0), 5 * MINUTE, 10 * MINUTE - timedelta(milliseconds=2)):
            assert api.drifted("series/past", base + 10 * n * MINUTE + within).keys() == expected, n
    for ahead in (MINUTE, timedelta(days=30), timedelta(days=36_500)):
        assert api.drifted("series/past", now() + ahead) == {ROLE: "drift", SHARD: "drift"}
    reopened = {f["address"]: f for f in api.findings("series/past")}
    before = {f["address"]: f["id"] for f in api.findings("series/past", state="closed")}
    assert {a: f["reopens"] for a, f in reopened.items()} == {a: before[a] for a in (ROLE, SHARD)}


def test_a_range_draws_each_finding_from_its_opening_to_its_end(api: Api) -> None:
    base = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    for minutes, name in ((0, A), (10, B), (20, A)):
        api.report(name, "series/range", run=name + str(minutes), started_at=base + minutes * MINUTE)
    start, end = base.timestamp(), (base + 30 * MINUTE).timestamp()
    found = api.server.range('driftband_drift{workspace="series/range"}', start, end, 60)
    assert len(found) == 2
    for values in found.values():
        assert values == {start + 60.0 * n: 1 for n in range(10, 20)}
    counted = api.server.range('sum by (layer, severity) (driftband_drift{workspace="series/range"})', start, end, 60)
    assert counted == {
        (("layer", "configuration"), ("severity", "warning")): {start + 60.0 * n: 2 for n in range(10, 20)}
    }


def test_labels_of_an_open_finding_do_not_move_but_for_its_class(api: Api) -> None:
    base = now() - timedelta(hours=1)
    query = 'driftband_drift{workspace="series/labels"}'
    bodies = (
        _thing(3, drifted=True, service="cart", team="shop"),
        _thing(5, drifted=True, service="checkout", team="payments"),
        _thing(5, drifted=False, service="checkout"),
    )
    seen = []
    for n, body in enumerate(bodies[:2]):
        api.report(body, "series/labels", run=f"run-{n}", started_at=base + n * MINUTE)
        seen += api.instant(query)
    actor = {"id": "labels", "at": base.isoformat(), "actor": "dana", "action": "resize", "resource": "a_group.x"}
    assert api.post("/audit-events", actor).status_code == 201
    seen += api.instant(query)
    (finding,) = api.findings("series/labels")
    assert finding["attributes"][0]["after"] == 5
    taken_over = json.loads(bodies[1])
    taken_over["resource_drift"] = []
    api.report(json.dumps(taken_over).encode(), "series/labels", run="taken over", started_at=base + 3 * MINUTE)
    ((after, _),) = api.instant(query)
    first = seen[0][0]
    assert [labels for labels, _ in seen] == [first] * 3
    assert (first["service"], first["team"], first["finding"]) == ("cart", "shop", finding["id"])
    assert {**after, "class": "drift"} == first
    assert after["class"] == "accepted_undeclared"
    over = {labels["class"] for labels, _ in api.instant(query, base + 2 * MINUTE)}
    assert over == {"drift"}


def test_series_carry_the_labels_that_are_promised(api: Api) -> None:
    at = now() - MINUTE
    identity = {"service": "checkout", "env": "prod", "team": "shop"}
    api.report(_thing(3, drifted=True, **identity), "series/promised", run="one", started_at=at, commit="c1")
    told = {
        "commit": "c2",
        "actor": "dana",
        "url": "https://ci.example/1",
        "summary": "pool size",
        "identity": identity,
    }
    _apply(api, "promised", 1, at - 20 * MINUTE, workspace="series/promised", **told)
    ((drift, _),) = api.instant('driftband_drift{workspace="series/promised"}')
    finding = drift.pop("finding")
    assert api.get(f"/findings/{finding}")["id"] == finding
    thing = {**identity, "workspace": "series/promised", "address": "a_group.x", "resource_type": "a_group"}
    kind = {"layer": "configuration", "kind": "attribute_changed", "class": "drift", "severity": "warning"}
    assert drift == {**thing, **kind}
    ((change, _),) = api.instant('driftband_change{workspace="series/promised"}', at - 18 * MINUTE)
    place = {"change": "promised", "kind": "terraform_apply", "workspace": "series/promised"}
    assert change == {**identity, **place, **{k: v for k, v in told.items() if k != "identity"}}
    ((resource, _),) = api.instant('driftband_resource_info{workspace="series/promised"}')
    assert resource == {**thing, "commit": "c1"}


def _apply(api: Api, key: str, minutes: int, base: datetime, **more: Any) -> None:
    at = base + minutes * MINUTE
    api.change(
        **{
            "id": key,
            "kind": "terraform_apply",
            "status": "succeeded",
            "started_at": at,
            "ended_at": at + MINUTE,
            **more,
        }
    )


def test_an_identity_is_told_with_its_last_apply_and_joins_a_metric(api: Api) -> None:
    base = now() - timedelta(hours=1)
    checkout: dict[str, Any] = {"workspace": "series/identity", "identity": {"service": "checkout"}}
    touched = {"address": "a.b", "module_version": "2.4.0", "actions": ["update"]}
    _apply(api, "one", 0, base, **checkout, commit="c1", resources=[touched])
    _apply(api, "two", 20, base, **checkout, commit="c2", resources=[{**touched, "module_version": "2.5.0"}])
    _apply(api, "failed", 30, base, **checkout, commit="c3", status="failed")
    query = 'driftband_identity_info{workspace="series/identity"}'
    one = {
        "service": "checkout",
        "workspace": "series/identity",
        "commit": "c1",
        "module_version": "2.4.0",
        "change": "one",
    }
    two = {**one, "commit": "c2", "module_version": "2.5.0", "change": "two"}
    assert api.instant(query, base) == []
    assert api.instant(query, base + 10 * MINUTE) == [(one, 1)]
    assert api.instant(query, base + 25 * MINUTE) == [(two, 1)]
    assert api.instant(query) == [(two, 1)]
    rate = "sum by (service) (rate(http_requests_total[5m]))"
    at = now()
    ((labels, value),) = api.instant(f"{rate} * on (service) group_left (commit, module_version) {query}", at)
    assert labels == {"service": "checkout", "commit": "c2", "module_version": "2.5.0"}
    rates = {labels["service"]: value for labels, value in api.instant(rate, at)}
    assert value == rates["checkout"]
    drawn = api.server.range(
        f"{rate} * on (service) group_left (commit) {query}", base.timestamp(), now().timestamp(), 60
    )
    assert {dict(labels)["commit"] for labels in drawn} == {"c1", "c2"}


def test_a_resource_is_told_with_the_commit_of_the_apply_that_touched_it(api: Api) -> None:
    base = now() - timedelta(hours=1)
    api.report(capture(B), "series/resource", run="first", started_at=base, commit="c0")
    query = 'driftband_resource_info{workspace="series/resource"}'
    assert {labels["commit"] for labels, _ in api.instant(query)} == {"c0"}
    touched = [{"address": ROLE, "actions": ["update"]}]
    _apply(api, "resource", 10, base, workspace="series/resource", commit="c1", resources=touched)
    commits = {labels["address"]: labels["commit"] for labels, _ in api.instant(query)}
    assert len(commits) == 11
    assert {a for a, commit in commits.items() if commit == "c1"} == {ROLE}
    assert {labels["commit"] for labels, _ in api.instant(query, base + 5 * MINUTE)} == {"c0"}
    joined = api.instant(
        'driftband_drift{workspace="series/resource"} * on (workspace, address) group_left (commit) ' + query
    )
    assert {labels["address"]: labels["commit"] for labels, _ in joined} == {ROLE: "c1", SHARD: "c0"}
    resources = {r["address"]: r for r in api.get("/inventory", workspace="series/resource")["resources"]}
    assert (resources[ROLE]["commit"], resources[SHARD]["commit"], resources[ROLE]["module"]) == ("c1", "c0", "role")


def test_a_resource_that_is_gone_is_told_until_then(api: Api) -> None:
    base = now() - timedelta(hours=1)
    api.report(E, "series/gone", run="first", started_at=base)
    later = json.loads(capture(E)) | {"resource_drift": []}
    api.report(json.dumps(later).encode(), "series/gone", run="second", started_at=base + 10 * MINUTE)
    query = 'count(driftband_resource_info{workspace="series/gone"})'
    assert [value for _, value in api.instant(query, base + 5 * MINUTE)] == [11]
    assert [value for _, value in api.instant(query)] == [9]


def test_the_last_scan_is_told_with_its_status(api: Api) -> None:
    base = now() - timedelta(hours=1)
    for n, (name, kind) in enumerate(((B, "plan.json"), ("h_state_locked", "stream.jsonl"), (A, "plan.json"))):
        api.report(capture(name, kind), "series/scan", run=name, started_at=base + 10 * n * MINUTE)
    status, last = (
        f'{name}{{workspace="series/scan"}}'
        for name in ("driftband_scan_status", "driftband_scan_last_complete_timestamp_seconds")
    )
    for minutes, expected, complete in ((5, "drifted", 0), (15, "locked", 0), (25, "clean", 20)):
        at = base + minutes * MINUTE
        assert [labels["status"] for labels, _ in api.instant(status, at)] == [expected]
        ((_, value),) = api.instant(last, at)
        assert abs(value - (base + complete * MINUTE).timestamp()) < 0.002
    assert api.instant(status, base - MINUTE) == []


def test_series_and_labels_are_listed_as_a_source_lists_its_own(api: Api) -> None:
    api.report(B, "series/listed", started_at=now())
    get = api.server.get
    found = get("/api/v1/series", **{"match[]": 'driftband_drift{workspace="series/listed"}'}).json()["data"]
    assert {series["address"] for series in found} == {ROLE, SHARD}
    values = get("/api/v1/label/workspace/values", **{"match[]": "driftband_drift"}).json()["data"]
    assert "series/listed" in values
    names = get("/api/v1/labels", **{"match[]": "driftband_drift"}).json()["data"]
    assert {"finding", "class", "severity", "address"} <= set(names)
