"""`driftband grafana install` and `uninstall` on a real Grafana: once, twice, after an upgrade, beside things of others."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driftband.grafana.dashboards import DASHBOARDS
from driftband.grafana.rules import GROUPS

from .grafana_server import Grafana

pytestmark = pytest.mark.slow

READ, SECRET = "hunter22-read-token", "hunter22-webhook-secret"
Install = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def token(grafana: Grafana) -> str:
    return grafana.token("Admin")


def tell(grafana: Grafana, method: str, path: str, body: Any = None) -> Any:
    answer = grafana.session.request(method, grafana.url + path, json=body, timeout=60)
    answer.raise_for_status()
    return answer.json() if answer.text else None


def run(grafana: Grafana, token: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PATH": os.environ["PATH"],
        "GRAFANA_URL": grafana.url,
        "GRAFANA_TOKEN": token,
        "DRIFTBAND_URL": "http://driftband.example:8088",
        "DRIFTBAND_READ_TOKEN": READ,
        "DRIFTBAND_WEBHOOK_SECRET": SECRET,
        **environ,
    }
    command = [sys.executable, "-m", "driftband", "grafana", *arguments]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert "hunter22" not in done.stdout + done.stderr
    assert token not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def clean(grafana: Grafana, token: str) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Give what runs the verb and returns its steps that changed something; nothing is left of it afterwards."""

    def done(*arguments: str, **environ: str) -> list[dict[str, Any]]:
        result = run(grafana, token, *arguments, "--yes", "--json", **environ)
        assert result.returncode == 0, result.stderr
        shown = json.loads(result.stdout)
        changed = [step for step in shown["steps"] if step["action"] in ("create", "change", "remove")]
        assert shown["done"] == len(changed)
        return changed

    yield done
    done("uninstall")


def everything(grafana: Grafana) -> dict[str, Any]:
    """Return what a Grafana has of what we could touch, without what it counts up or dates."""
    search = grafana.ask("GET", "/api/search", params={"limit": 5000})
    points = grafana.ask("GET", "/api/v1/provisioning/contact-points")
    return {
        "search": sorted((one["type"], one["uid"], one["title"]) for one in search),
        "sources": sorted(one["uid"] for one in grafana.ask("GET", "/api/datasources")),
        "points": sorted((one["uid"], one["name"]) for one in points),
        "templates": sorted(one["name"] for one in grafana.ask("GET", "/api/v1/provisioning/templates") or []),
        "rules": sorted(one["uid"] for one in grafana.ask("GET", "/api/v1/provisioning/alert-rules")),
        "policies": grafana.ask("GET", "/api/v1/provisioning/policies"),
    }


def test_all_is_there_after_it_nothing_changes_twice_and_nothing_is_left(grafana: Grafana, clean: Any) -> None:
    before = everything(grafana)
    made = clean("install")
    assert {step["action"] for step in made} == {"create"}
    after = everything(grafana)
    assert after["policies"] == before["policies"]
    uids = {dashboard().uid for dashboard in DASHBOARDS.values()}
    assert {uid for kind, uid, _ in after["search"] if kind == "dash-db"} >= uids
    assert set(after["rules"]) - set(before["rules"]) == {rule.uid for group in GROUPS for rule in group.rules}
    assert clean("install") == []
    assert everything(grafana) == after
    assert {step["action"] for step in clean("uninstall")} == {"remove"}
    assert everything(grafana) == before
    assert clean("uninstall") == []


def test_what_it_makes_is_what_is_meant(grafana: Grafana, clean: Any) -> None:
    clean("install")
    source = grafana.ask("GET", "/api/datasources/uid/driftband")
    assert (source["url"], source["secureJsonFields"]) == ("http://driftband.example:8088", {"httpHeaderValue1": True})
    assert source["jsonData"]["incrementalQuerying"] is False
    (point,) = grafana.ask("GET", "/api/v1/provisioning/contact-points", params={"name": "driftband"})
    assert point["settings"]["url"] == "http://driftband.example:8088/driftband/v1/alerts/grafana"
    assert (point["settings"]["hmacConfig"]["secret"], point["provenance"]) == ("[REDACTED]", "api")
    rules = {rule["uid"]: rule for rule in grafana.ask("GET", "/api/v1/provisioning/alert-rules")}
    for group in GROUPS:
        for rule in group.rules:
            held = rules[rule.uid]
            assert (held["noDataState"], held["execErrState"]) == (rule.no_data, rule.on_error)
            assert (held["labels"], held["ruleGroup"]) == (rule.labels(), group.name)
    dashboards = grafana.ask("GET", "/api/search", params={"type": "dash-db", "folderUIDs": "driftband"})
    assert {one["uid"] for one in dashboards} == {dashboard().uid for dashboard in DASHBOARDS.values()}


def test_what_somebody_changed_is_shown_and_put_right(grafana: Grafana, clean: Any) -> None:
    clean("install")
    source = grafana.ask("GET", "/api/datasources/uid/driftband")
    tell(grafana, "PUT", "/api/datasources/uid/driftband", {**source, "url": "http://elsewhere.example"})
    held = grafana.ask("GET", "/api/dashboards/uid/driftband-bands")["dashboard"]
    renamed = {"dashboard": {**held, "title": "Mine now"}, "folderUid": "driftband", "overwrite": True}
    tell(grafana, "POST", "/api/dashboards/db", renamed)
    changed = {(step["kind"], step["uid"]): step["lines"] for step in clean("install")}
    assert changed == {
        ("data source", "driftband"): ['url: "http://elsewhere.example" -> "http://driftband.example:8088"'],
        ("dashboard", "driftband-bands"): ['title: "Mine now" -> "Bands"'],
    }
    assert clean("install") == []


def test_another_address_or_contact_point_is_a_change_and_secrets_are_renewed_on_demand(
    grafana: Grafana, clean: Any
) -> None:
    clean("install")
    moved = clean("install", DRIFTBAND_URL="http://new.example")
    # The pages of the runbooks, to which the rules link, have moved too.
    assert [step["kind"] for step in moved] == ["data source", "contact point", *["rule group"] * len(GROUPS)]
    renewed = clean("install", "--renew-secrets", DRIFTBAND_URL="http://new.example")
    assert [(step["kind"], step["lines"]) for step in renewed] == [
        ("data source", ["the secrets are written again"]),
        ("contact point", ["the secrets are written again"]),
    ]
    own = {"name": "own", "type": "webhook", "settings": {"url": "http://own.example"}}
    point = tell(grafana, "POST", "/api/v1/provisioning/contact-points", own)
    try:
        told = clean("install", "--notify", "own", DRIFTBAND_URL="http://new.example")
        assert [step["uid"] for step in told] == ["driftband", "driftband drift"]
        assert 'notification_settings.receiver: "driftband" -> "own"' in told[0]["lines"][0]
        clean("uninstall")
    finally:
        tell(grafana, "DELETE", f"/api/v1/provisioning/contact-points/{point['uid']}")


def test_what_an_earlier_version_made_goes(grafana: Grafana, clean: Any) -> None:
    clean("install")
    old = {"uid": "driftband-old", "title": "Old", "tags": ["driftband"], "panels": []}
    tell(grafana, "POST", "/api/dashboards/db", {"dashboard": old, "folderUid": "driftband"})
    (step,) = clean("install")
    assert (step["action"], step["kind"], step["uid"]) == ("remove", "dashboard", "driftband-old")


def test_things_of_others_stay_with_the_folder_that_they_lie_in(grafana: Grafana, clean: Any) -> None:
    clean("install")
    mine = {"uid": "mine", "title": "Mine", "panels": []}
    tell(grafana, "POST", "/api/dashboards/db", {"dashboard": mine, "folderUid": "driftband"})
    try:
        removed = clean("uninstall")
        assert "folder" not in [step["kind"] for step in removed]
        assert grafana.ask("GET", "/api/dashboards/uid/mine")["dashboard"]["title"] == "Mine"
    finally:
        tell(grafana, "DELETE", "/api/dashboards/uid/mine")
    assert [step["kind"] for step in clean("uninstall")] == ["folder"]


@pytest.mark.parametrize("role", ["Viewer", "Editor"])
def test_a_token_of_a_lesser_role_hears_what_it_lacks(grafana: Grafana, role: str) -> None:
    done = run(grafana, grafana.token(role), "install", "--yes")
    assert done.returncode == 1
    assert re.search(r"\(403\): the token lacks the permission [a-z]+:[a-z]+;", done.stderr), done.stderr
    assert "role Admin" in done.stderr
