"""Every rule of provisioning/ in a real Grafana: it evaluates, fires on what it is about, is told where it must be, and ends.

One story, told in order: driftband is without its source; then it has it back, and everything it is about has come; then
driftband is gone; then it is back, and all is calm.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from driftband.grafana.rules import DRIFT, ITSELF

from .conftest import GrafanaFactory, PrometheusFactory
from .grafana_server import Grafana
from .rules_stage import READ, ROOT, RULES, SECRET, OwnContactPoint, Trouble, awaited, firing, hurried, states, world

pytestmark = pytest.mark.slow

OF_DRIFT = {rule.uid for rule in DRIFT.rules}
OF_ITSELF = {rule.uid for rule in ITSELF.rules}
UNREACHABLE, WATCHER, SCAN = "driftband-self-unreachable", "driftband-self-watcher", "driftband-self-scan"


@dataclass(frozen=True)
class Stage:
    grafana: Grafana
    trouble: Trouble
    own: OwnContactPoint
    source: str

    def fires(self, *uids: str) -> dict[str, list[dict[str, Any]]]:
        """Wait until these rules fire, and return their alerts."""
        seen = awaited(lambda: states(self.grafana), lambda every: all(firing(every[uid]) for uid in uids))
        assert {uid for uid in uids if firing(seen[uid])} == set(uids)
        return {uid: firing(seen[uid]) for uid in uids}

    def is_over(self, *uids: str) -> None:
        """Wait until these rules fire no more."""
        seen = awaited(lambda: states(self.grafana), lambda every: not any(firing(every[uid]) for uid in uids))
        assert {uid for uid in uids if firing(seen[uid])} == set()

    def told(self, *expected: tuple[str, str]) -> None:
        """Wait until the user's own contact point has been told."""
        wanted = set(expected)
        seen = awaited(lambda: set(self.own.told), lambda told: told >= wanted)
        assert seen >= wanted


@pytest.fixture(scope="module")
def stage(
    grafana_factory: GrafanaFactory, prometheus_factory: PrometheusFactory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    if os.environ.get("GRAFANA_URL"):
        pytest.skip("the Grafana at GRAFANA_URL does not mount provisioning/: unset it, and give GRAFANA_BIN")
    source = prometheus_factory(world()).url
    trouble = Trouble(tmp_path_factory.mktemp("driftband"), source)
    with OwnContactPoint().serving() as own, trouble.server:
        trouble.plant()
        environ = {
            "DRIFTBAND_URL": trouble.server.url,
            "DRIFTBAND_READ_TOKEN": READ,
            "DRIFTBAND_WEBHOOK_SECRET": SECRET,
            "DRIFTBAND_DASHBOARDS": str(ROOT / "dashboards"),
            "DRIFTBAND_USERS_CONTACT_POINT": "own",
        }
        provisioning = hurried(tmp_path_factory.mktemp("mounted"), own.url)
        yield Stage(grafana_factory(provisioning=provisioning, environ=environ), trouble, own, source)


def test_all_rules_are_there_with_what_people_are_told(stage: Stage) -> None:
    seen = awaited(lambda: states(stage.grafana), lambda every: every.keys() == RULES.keys())
    assert seen.keys() == RULES.keys()
    for uid, rule in seen.items():
        assert rule["annotations"]["runbook_url"].endswith(RULES[uid].runbook)
        assert rule["labels"]["driftband_rule"] == uid


def test_what_stands_still_is_told_to_the_user(stage: Stage) -> None:
    alerts = stage.fires(WATCHER, SCAN)
    (watcher,), scans = alerts[WATCHER], {one["labels"]["workspace"]: one for one in alerts[SCAN]}
    assert "No signal has been evaluated for 1h" in watcher["annotations"]["summary"]
    assert list(scans) == ["prod/forgotten"]
    assert "prod/forgotten has not been looked at whole for 8d" in scans["prod/forgotten"]["annotations"]["summary"]
    stage.told((WATCHER, "firing"), (SCAN, "firing"))


def test_with_its_source_back_every_rule_evaluates_and_those_about_drift_fire(stage: Stage) -> None:
    stage.trouble.restart(stage.source)
    stage.is_over(WATCHER)
    alerts = stage.fires(*OF_DRIFT)
    every = awaited(lambda: states(stage.grafana), lambda seen: {one["health"] for one in seen.values()} == {"ok"})
    assert {uid: one["health"] for uid, one in every.items()} == dict.fromkeys(RULES, "ok")
    (explained,) = alerts["driftband-correlated"]
    assert "Suspect: run-7, commit 9f3c2a1." in explained["annotations"]["description"]
    assert "https://driftband.example/incidents/" in explained["annotations"]["description"]
    (exposed,) = alerts["driftband-exposure"]
    summary = "Open to anybody: aws_security_group.shop in prod/network"
    assert (exposed["annotations"]["summary"], exposed["labels"]["severity"]) == (summary, "critical")
    assert "/d/driftband-drift?var-workspace=prod%2Fnetwork" in exposed["annotations"]["description"]
    (old,) = alerts["driftband-uncodified"]
    assert (old["labels"]["address"], old["labels"]["workspace"]) == ("thing.old", "prod/old")
    (limit,) = alerts["driftband-limit"]
    assert limit["annotations"]["summary"].startswith("disk of db is forecast to reach its limit within the day")
    for one in (one for some in alerts.values() for one in some):
        assert not any("<no value>" in text or "{{" in text or "%!" in text for text in one["annotations"].values()), (
            one
        )


def test_driftband_believes_them_notes_them_and_counts_none_again(stage: Stage) -> None:
    wanted = {(uid, "firing") for uid in OF_DRIFT}
    assert awaited(stage.trouble.noted, lambda seen: seen >= wanted) >= wanted
    found = stage.trouble.seen.get("/findings", state="all", limit=500)["findings"]
    assert [one["signal"] for one in found if one["kind"] == "alert_firing"] == ["Latency"]
    assert [one["kind"] for one in found if one["kind"] == "evidence_missing"] == []


def test_an_outage_of_driftband_is_one_alert_and_ends_none(stage: Stage) -> None:
    stage.trouble.server.kill()
    stage.fires(UNREACHABLE)
    stage.told((UNREACHABLE, "firing"))
    kept = states(stage.grafana)
    assert {uid for uid in OF_DRIFT if firing(kept[uid])} == OF_DRIFT
    assert {uid for uid, _ in stage.own.told} <= OF_ITSELF


def test_all_ends_where_it_ends(stage: Stage) -> None:
    stage.trouble.server.__enter__()
    stage.is_over(UNREACHABLE)
    stage.trouble.restart(stage.source, signals=False)
    stage.trouble.calm()
    stage.is_over(*RULES)
    wanted = {(uid, "resolved") for uid in OF_DRIFT}
    assert awaited(stage.trouble.noted, lambda seen: seen >= wanted) >= wanted
    stage.told(*((uid, "resolved") for uid in OF_ITSELF))
    assert {uid for uid, _ in stage.own.told} == OF_ITSELF
