"""What intents and the service graph write into the ledger, on SQLite and on PostgreSQL."""

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftband.app_incidents import incidents_of
from driftband.app_watch_one import OneWatch
from driftband.config import load
from driftband.model.moment import from_ms
from driftband.query.errors import QueryError
from driftband.store import watching
from driftband.store.database import Database
from driftband.store.series import intervals

from .watched_shop import CALLS, DAY, WORKSPACE, calls, declare, deployments, watch_graph, watch_replicas
from .watched_world import BEGIN, END, HOUR, MINUTE, World, everything

LAST = END + 2 * HOUR


def until(one: OneWatch[Any], goal: int) -> None:
    while one.until < goal:
        assert one.go_on(goal, goal + DAY) == "done"


def rows(database: Database, kind: str) -> list[dict[str, Any]]:
    return sorted(
        (row for row in everything(database)["findings"] if row["kind"] == kind), key=lambda row: row["opened_at"]
    )


def test_fewer_replicas_than_declared_are_a_finding_of_the_resource(database: Database) -> None:
    declare(database, BEGIN - DAY, cart=3, web=2)
    one = watch_replicas(database, deployments())
    until(one, BEGIN + 20 * MINUTE)
    (violated,) = rows(database, "intent_violated")
    assert {name: violated[name] for name in ("state", "layer", "signal", "workspace", "address", "resource_type")} == {
        "state": "open",
        "layer": "runtime",
        "signal": "replicas",
        "workspace": WORKSPACE,
        "address": "kubernetes_deployment_v1.cart",
        "resource_type": "kubernetes_deployment_v1",
    }
    assert violated["module"] == "app"
    assert violated["identity"] == {"service": "cart", "team": "payments"}
    assert violated["opened_at"] == from_ms(BEGIN + 10 * MINUTE)
    assert violated["last_seen_at"] == from_ms(BEGIN + 20 * MINUTE)
    evidence = violated["evidence"]
    assert (evidence["declared"], evidence["observed"], evidence["query"]) == (3, 2.0, one.rule.expr)
    assert evidence["labels"] == {"namespace": "shop", "deployment": "cart"}
    (drift,) = intervals(database, "driftband_drift", BEGIN + DAY, BEGIN + DAY, {"kind": "intent_violated"}, 10)
    assert (drift.labels["address"], drift.labels["service"]) == ("kubernetes_deployment_v1.cart", "cart")
    (unknown,) = rows(database, "intent_unknown")
    assert (unknown["severity"], unknown["address"]) == ("info", "kubernetes_deployment_v1.web")
    assert 'no sample with deployment="web", namespace="shop" is observed' in unknown["reason"]
    until(one, LAST)
    (violated,), (unknown,) = rows(database, "intent_violated"), rows(database, "intent_unknown")
    assert (violated["state"], unknown["state"]) == ("closed", "closed")
    assert violated["reason"].startswith("3 is observed again")


def test_the_inventory_of_each_instant_counts(database: Database) -> None:
    declare(database, BEGIN - DAY, cart=3, web=2)
    declare(database, BEGIN + 20 * MINUTE + 1, cart=2, web=2)
    declare(database, END, cart=3, web=2)
    one = watch_replicas(database, deployments())
    until(one, LAST)
    (violated,) = rows(database, "intent_violated")
    assert violated["opened_at"] == from_ms(BEGIN + 10 * MINUTE)
    assert violated["closed_at"] == from_ms(BEGIN + 31 * MINUTE)
    assert violated["reason"].startswith("2 is observed again, as kubernetes_deployment_v1.cart")


def test_what_is_no_longer_declared_is_over(database: Database) -> None:
    declare(database, BEGIN - DAY, cart=3, web=2)
    declare(database, BEGIN + 20 * MINUTE, web=2)
    until(watch_replicas(database, deployments()), LAST)
    (violated,) = rows(database, "intent_violated")
    assert violated["closed_at"] == from_ms(BEGIN + 20 * MINUTE)
    assert violated["reason"] == "no kubernetes_deployment declares it any more"


def test_an_intent_that_nothing_declares_is_unknown_until_something_does(database: Database) -> None:
    one = watch_replicas(database, deployments())
    until(one, BEGIN)
    (unknown,) = rows(database, "intent_unknown")
    assert unknown["reason"].endswith("no kubernetes_deployment is in the inventory")
    assert (unknown["workspace"], unknown["evidence"]["labels"]) == ("", {})
    declare(database, BEGIN + MINUTE, cart=3)
    until(one, BEGIN + 2 * MINUTE)
    (unknown,) = rows(database, "intent_unknown")
    assert (unknown["state"], unknown["reason"]) == ("closed", "it is declared now")


def test_an_intent_that_is_another_one_closes_what_it_had_found(database: Database) -> None:
    declare(database, BEGIN - DAY, cart=3)
    until(watch_replicas(database, deployments()), BEGIN + 20 * MINUTE)
    assert watching.enrol(database, {}, from_ms(BEGIN)) == {}
    (violated,) = rows(database, "intent_violated")
    assert (violated["state"], violated["reason"]) == ("closed", "the signal is no longer watched")


def test_a_new_edge_and_one_that_has_gone(database: Database) -> None:
    one = watch_graph(database, calls())
    until(one, BEGIN + 35 * MINUTE)
    (new,), (gone,) = rows(database, "new_dependency"), rows(database, "gone_dependency")
    assert (new["evidence"]["client"], new["evidence"]["server"]) == ("search", "cache")
    assert (gone["evidence"]["client"], gone["evidence"]["server"]) == ("search", "db")
    assert new["opened_at"] == from_ms(BEGIN + 15 * MINUTE)
    assert {row["identity"]["service"] for row in (new, gone)} == {"search"}
    assert {row["layer"] for row in (new, gone)} == {"behavioral"}
    assert new["last_seen_at"] == from_ms(BEGIN + 35 * MINUTE)
    assert "search calls cache, which it was never seen to do before" in new["reason"]
    until(one, LAST)
    (gone,) = rows(database, "gone_dependency")
    assert (gone["state"], gone["reason"][:25]) == ("closed", "search calls db again sin")


def test_correlation_is_told_who_calls_whom(database: Database, tmp_path: Path) -> None:
    until(watch_graph(database, calls()), BEGIN + 5 * MINUTE)
    assert watching.edges(database) == sorted(CALLS)
    path = tmp_path / "driftband.yaml"
    path.write_text('prometheus: {url: "sample:"}\ndependencies: {expr: calls}\n')
    config = load(path, {})
    assert incidents_of(config, database, datetime.now).edges() == sorted(CALLS)
    bare = config.model_copy(update={"dependencies": None})
    assert incidents_of(bare, database, datetime.now).edges() == ()


def test_what_was_there_before_the_watching_began_is_not_new(database: Database) -> None:
    asked: list[tuple[int, int]] = []
    world = calls()
    world.ask = lambda start, end: asked.append((start, end))
    one = watch_graph(database, world)
    first = one.until + MINUTE
    until(one, BEGIN + 10 * MINUTE)
    assert asked[1] == (first - DAY, first - 1)
    until(one, BEGIN + 20 * MINUTE)
    assert sum(start < first for start, _ in asked) == 1
    assert len(rows(database, "new_dependency")) == 1
    until(watch_graph(database, world), BEGIN + 25 * MINUTE)
    assert sum(start < first for start, _ in asked) == 1


def test_a_graph_that_appears_is_learned_for_a_day(database: Database) -> None:
    world = calls()
    world.values = lambda times: np.where(times >= BEGIN, 1.0, np.nan) * np.ones((len(CALLS), 1))
    until(watch_graph(database, world), BEGIN + 12 * HOUR)
    assert everything(database)["findings"] == []


WATCHES: dict[str, tuple[Callable[..., OneWatch[Any]], Callable[[], World], set[str]]] = {
    "intent": (watch_replicas, deployments, {"intent_violated", "intent_unknown"}),
    "graph": (watch_graph, calls, {"new_dependency", "gone_dependency"}),
}


def declared(database: Database) -> None:
    declare(database, BEGIN - DAY, cart=3, web=2)
    declare(database, BEGIN + 20 * MINUTE, cart=2, web=2)
    declare(database, BEGIN + 40 * MINUTE, cart=3, web=2)


@pytest.mark.parametrize("name", WATCHES)
@pytest.mark.parametrize("seed", [1, 2])
def test_dying_at_any_point_leaves_the_same_ledger(database: Database, tmp_path: Path, name: str, seed: int) -> None:
    begin, world, kinds = WATCHES[name]
    undisturbed = Database(f"sqlite:///{tmp_path}/undisturbed.db")
    declared(undisturbed)
    until(begin(undisturbed, world()), LAST)
    expected = everything(undisturbed)
    undisturbed.close()
    assert {row["kind"] for row in expected["findings"]} == kinds

    declared(database)
    chance, original, died = random.Random(seed), watching._write_states, 0

    def dying(*some: Any) -> None:
        if chance.random() < 0.5:
            raise KeyboardInterrupt
        original(*some)

    one = begin(database, world())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watching, "_write_states", dying)
        while one.until < LAST:
            try:
                one.go_on(min(one.until + chance.randint(1, 60) * MINUTE, LAST), LAST + DAY)
            except KeyboardInterrupt:
                died += 1
                one = begin(database, world())
    assert died > 3
    assert everything(database) == expected


@pytest.mark.parametrize("name", WATCHES)
def test_a_source_that_does_not_answer_is_no_evidence(database: Database, name: str) -> None:
    begin, make, _ = WATCHES[name]
    declared(database)
    world = make()
    one = begin(database, world)
    until(one, BEGIN - 10 * MINUTE)

    def down(*_: int) -> None:
        raise QueryError("unavailable", "the source cannot be reached")

    world.ask = down
    before = everything(database)
    with pytest.raises(QueryError):
        one.go_on(LAST, LAST + DAY)
    assert everything(database) == before
