"""What people decide to live with: ignore rules and acceptances, their ends, and what is drawn meanwhile."""

import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from driftband.model.moment import show_moment

from .evidence_api import A0, D2, ROLE, A, Api, B, now, refused
from .hostile import plan

pytestmark = pytest.mark.slow  # its rules end by the clock

SHARD, FILE, GONE = "postgresql_database.shard[1]", "local_file.pool", "postgresql_database.shard[2]"
BILLING = 'module.role["billing"].postgresql_role.this'
SOON = timedelta(seconds=3)


def _ignore(api: Api, workspace: str, **fields: Any) -> dict[str, Any]:
    answer = api.post("/ignores", {"workspace": workspace, "reason": "known", "owner": "dana", **fields})
    assert answer.status_code == 201, answer.text
    rule: dict[str, Any] = answer.json()
    return rule


def _until_drifted(api: Api, workspace: str, expected: dict[str, str]) -> None:
    """Wait for what time alone does; it is looked for every 15 s."""
    deadline = time.monotonic() + 60
    while api.drifted(workspace) != expected and time.monotonic() < deadline:
        time.sleep(0.5)
    assert api.drifted(workspace) == expected


def _timeline(api: Api, finding: str) -> list[tuple[str, str]]:
    return [(step["state"], step["class"]) for step in api.get(f"/findings/{finding}")["timeline"]]


def test_a_rule_takes_open_drift_out_and_its_end_brings_it_back(api: Api) -> None:
    begun = now() - timedelta(minutes=2)
    api.report(B, "ignore/open", started_at=begun)
    (labels, _), *_ = api.instant('driftband_drift{workspace="ignore/open",resource_type="postgresql_role"}')
    rule = _ignore(api, "ignore/open", address=ROLE)
    assert rule in api.get("/ignores")["ignores"]
    assert api.open("ignore/open") == {ROLE: "ignored", SHARD: "drift"}
    assert api.drifted("ignore/open") == {SHARD: "drift"}
    assert api.drifted("ignore/open", begun + timedelta(seconds=30)) == {ROLE: "drift", SHARD: "drift"}
    again = api.report(B, "ignore/open", run="again", started_at=now())
    assert (again["opened"], again["still_open"], api.open("ignore/open")[ROLE]) == (0, 1, "ignored")
    assert api.ask("DELETE", f"/ignores/{rule['id']}").status_code == 204
    assert rule not in api.get("/ignores")["ignores"]
    assert api.drifted("ignore/open") == {ROLE: "drift", SHARD: "drift"}
    assert _timeline(api, labels["finding"]) == [("open", "drift"), ("open", "ignored"), ("open", "drift")]
    assert (labels, 1) in api.instant('driftband_drift{workspace="ignore/open"}')
    refused(api.ask("DELETE", f"/ignores/{rule['id']}"), 404)
    assert api.report(B, "ignore/open", run="third", started_at=now())["still_open"] == 2


def test_a_rule_that_expires_brings_the_drift_back_from_that_instant(api: Api) -> None:
    api.report(B, "ignore/expiring", started_at=now() - timedelta(minutes=2))
    expires = now() + SOON
    rule = _ignore(api, "ignore/expiring", resource_type="postgresql_*", expires_at=show_moment(expires))
    assert api.drifted("ignore/expiring") == {}
    _until_drifted(api, "ignore/expiring", {ROLE: "drift", SHARD: "drift"})
    assert api.drifted("ignore/expiring", expires - timedelta(seconds=1)) == {}
    assert api.drifted("ignore/expiring", expires + timedelta(seconds=1)) == {ROLE: "drift", SHARD: "drift"}
    assert "expired" in api.findings("ignore/expiring")[0]["reason"]
    assert rule["id"] in {known["id"] for known in api.get("/ignores")["ignores"]}
    assert api.report(B, "ignore/expiring", run="after", started_at=now())["run"]["status"] == "drifted"


@pytest.mark.parametrize(
    ("fields", "ignored"),
    [
        ({"attribute": "connection_limit"}, {ROLE, SHARD}),
        ({"attribute": "connection_*", "resource_type": "postgresql_role"}, {ROLE}),
        ({"attribute": "pass*"}, {BILLING}),
        ({"attribute": "tags"}, set()),
        ({"address": "module.role[*].postgresql_role.this"}, {ROLE, BILLING}),
        ({"address": "postgresql_database.shard[?]"}, {SHARD, GONE}),
        ({"address": "*"}, {ROLE, BILLING, SHARD, GONE, FILE}),
        ({"address": "postgresql_database.shard"}, set()),
        ({"resource_type": "local_file"}, {FILE}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else str(len(value)),
)
def test_rules_speak_in_patterns(api: Api, fields: dict[str, str], ignored: set[str]) -> None:
    workspace = f"patterns/{fields}"
    api.report(D2, f"{workspace}/after", run="first")
    rule = _ignore(api, f"{workspace}/*".replace("?", "*"), **fields)
    before = api.report(D2, f"{workspace}/before", run="first")
    for name in ("after", "before"):
        assert {a for a, kind in api.open(f"{workspace}/{name}").items() if kind == "ignored"} == ignored
        assert api.drifted(f"{workspace}/{name}").keys() == {ROLE, BILLING, SHARD, GONE, FILE} - ignored
    assert before["opened"] == 5 - len(ignored)
    assert before["run"]["status"] == ("clean" if len(ignored) == 5 else "drifted")
    api.ask("DELETE", f"/ignores/{rule['id']}")


def test_a_rule_for_one_attribute_leaves_the_others_of_a_resource(api: Api) -> None:
    two = plan()
    two["resource_drift"][0]["change"] |= {"before": {"v": 1, "w": 1}, "after": {"v": 2, "w": 2}}
    rule = _ignore(api, "ignore/part", attribute="v", resource_type="a_thing")
    (finding,) = api.post("/drift-reports", two, workspace="ignore/part").json()["findings"]
    assert (finding["class"], [a["path"] for a in finding["attributes"]]) == ("drift", ["w"])
    api.ask("DELETE", f"/ignores/{rule['id']}")


def test_the_same_rule_once_more_is_the_same_rule(api: Api) -> None:
    rule = _ignore(api, "ignore/same", address="a")
    again = api.post("/ignores", {"workspace": "ignore/same", "reason": "known", "owner": "dana", "address": "a"})
    assert (again.status_code, again.json()) == (200, rule)
    api.ask("DELETE", f"/ignores/{rule['id']}")
    assert _ignore(api, "ignore/same", address="a")["id"] != rule["id"]


def test_an_accepted_finding_is_out_of_the_series_until_it_closes(api: Api) -> None:
    api.report(B, "accept/whole", run="first", started_at=now() - timedelta(minutes=3))
    (finding,) = [f for f in api.findings("accept/whole") if f["address"] == ROLE]
    path = f"/findings/{finding['id']}/accept"
    accepted = api.post(path, {"by": "dana", "reason": "a trial"}).json()
    assert (accepted["state"], accepted["reason"]) == ("accepted", "accepted by dana: a trial")
    assert api.post(path, {"by": "dana", "reason": "a trial"}).json() == accepted
    assert _timeline(api, finding["id"]) == [("open", "drift"), ("accepted", "drift")]
    assert api.drifted("accept/whole") == {SHARD: "drift"}
    assert [f["id"] for f in api.findings("accept/whole", state="accepted")] == [finding["id"]]
    assert api.open("accept/whole") == {SHARD: "drift"}
    again = api.report(B, "accept/whole", run="second", started_at=now() - timedelta(minutes=2))
    assert (again["opened"], again["still_open"], api.drifted("accept/whole")) == (0, 1, {SHARD: "drift"})
    assert api.report(A, "accept/whole", run="third", started_at=now() - timedelta(minutes=1))["closed"] == 1
    assert {f["state"] for f in api.findings("accept/whole", state="all")} == {"closed"}
    refused(api.post(path, {"by": "dana", "reason": "late"}), 409, "closed already")


def test_an_acceptance_ends(api: Api) -> None:
    api.report(B, "accept/ending", started_at=now() - timedelta(minutes=3))
    (finding,) = [f for f in api.findings("accept/ending") if f["address"] == ROLE]
    until = show_moment(now() + SOON)
    answer = api.post(f"/findings/{finding['id']}/accept", {"by": "dana", "reason": "until then", "until": until})
    assert answer.status_code == 200
    assert api.drifted("accept/ending") == {SHARD: "drift"}
    _until_drifted(api, "accept/ending", {ROLE: "drift", SHARD: "drift"})
    assert _timeline(api, finding["id"]) == [("open", "drift"), ("accepted", "drift"), ("open", "drift")]
    back = api.get(f"/findings/{finding['id']}")
    assert datetime.fromisoformat(back["timeline"][2]["at"]) == datetime.fromisoformat(until)


def test_what_always_moves_is_proposed_and_not_ignored(api: Api) -> None:
    start = now() - timedelta(days=5)
    for day in range(5):
        for hour, moved in ((0, True), (1, False)):
            body = plan("a_group.x", kind="a_group")
            change = {"actions": ["update"], "before": {"desired_size": 2}, "after": {"desired_size": 3 + day}}
            thing = {"address": "a_group.x", "mode": "managed", "type": "a_group", "name": "x", "provider_name": "p"}
            body["resource_drift"] = [{**thing, "change": change}] if moved else []
            body["prior_state"]["values"]["root_module"]["resources"][0]["values"] = {"desired_size": 2}
            at = start + timedelta(days=day, hours=hour)
            api.report(json.dumps(body).encode(), "noise", run=f"{day}-{hour}", started_at=at)
    (proposal,) = [p for p in api.get("/ignores")["proposals"] if p["workspace"] == "noise"]
    assert (proposal["resource_type"], proposal["attribute"]) == ("a_group", "desired_size")
    assert "autoscalers" in proposal["reason"]
    _ignore(api, "noise", resource_type="a_group", attribute="desired_size")
    assert [p for p in api.get("/ignores")["proposals"] if p["workspace"] == "noise"] == []


def test_normalisation_alone_is_not_touched_by_rules(api: Api) -> None:
    api.report(A0, "ignore/noise")
    rule = _ignore(api, "ignore/noise", address="*")
    assert set(api.open("ignore/noise").values()) == {"normalisation"}
    api.ask("DELETE", f"/ignores/{rule['id']}")
    assert set(api.open("ignore/noise").values()) == {"normalisation"}
