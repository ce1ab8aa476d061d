"""The demo's intents and service graph, watched over its incident, and what one sees of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from driftband import app, app_demo, app_source, app_watch
from driftband.app_evidence import open_evidence
from driftband.app_source import open_source
from driftband.model.finding import Finding
from driftband.model.moment import from_ms, to_ms
from driftband.sources.sample.evidence import evidence as told
from driftband.sources.sample.script import FLAG_AFTER, INCIDENT_MINUTES, Script
from driftband.sources.sample.shop import CALLS, NEW_CALL
from driftband.store import findings
from driftband.store.tables import findings as table
from driftband.web.measure import Measure

NOW = 1_795_515_462_000
MINUTE = 60_000
ANCHOR = Script.at(NOW).anchor * MINUTE
Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Watch from three hours before the incident up to now; return the findings by kind, and what asks the data source."""
    made = app_demo.ready(tmp_path_factory.mktemp("demo") / "demo.db", {}, NOW)
    start = from_ms(ANCHOR - 180 * MINUTE)
    config = made.model_copy(
        update={"signals": (), "packs": (), "watch": made.watch.model_copy(update={"start": start})}
    )
    evidence = open_evidence(config)
    with pytest.MonkeyPatch.context() as patch:
        for module in (app, app_source):
            patch.setattr(module, "wall_clock", lambda: NOW)
        patch.setattr(app_watch, "utc_now", lambda: from_ms(NOW))
        patch.setattr(
            app_demo, "evidence", lambda *about: [one for one in told(*about) if one.at > start - timedelta(hours=6)]
        )
        app_demo.tell(config, evidence, NOW)
        source = open_source(config, Measure(), max_series=1000, threads=1)
        watching = app_watch.watcher(config, evidence.database, source, Measure())
        assert watching is not None
        watching.look()
        with evidence.database.read() as connection:
            watched = findings.matching(connection, table.c.signal != "")
        yield {(f.kind, f.signal): f for f in watched}, app.create_app(config, evidence).test_client()
    evidence.database.close()


@pytest.fixture
def found(seen: Any) -> dict[tuple[str, str], Finding]:
    known: dict[tuple[str, str], Finding] = seen[0]
    return known


@pytest.fixture
def client(seen: Any) -> FlaskClient:
    known: FlaskClient = seen[1]
    return known


def ask(client: FlaskClient, query: str, at: int = NOW) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/query", query_string={"query": query, "time": at / 1000})
    assert answer.status_code == 200, answer.text
    return [series["metric"] for series in answer.get_json()["data"]["result"]]


def test_there_is_an_intent_that_was_violated_and_holds_again_and_a_new_edge(
    found: dict[tuple[str, str], Finding],
) -> None:
    assert set(found) == {("intent_violated", "connection_pool"), ("new_dependency", "dependencies")}
    pool = found["intent_violated", "connection_pool"]
    assert (pool.state, pool.address) == ("closed", "module.app.kubernetes_config_map_v1.checkout")
    assert pool.identity["service"] == "checkout"
    assert 10 <= (to_ms(pool.opened_at) - ANCHOR) / MINUTE <= 12
    assert pool.closed_at is not None
    assert 0 <= to_ms(pool.closed_at) - ANCHOR - INCIDENT_MINUTES * MINUTE <= 15 * MINUTE
    new = found["new_dependency", "dependencies"]
    assert (new.state, new.severity) == ("open", "warning")
    assert 15 <= (to_ms(new.opened_at) - ANCHOR) / MINUTE - FLAG_AFTER <= 17
    assert "recommendation calls cart, which it was never seen to do before" in new.reason


def test_the_node_graph_has_all_of_it(client: FlaskClient) -> None:
    edges = {(e["source"], e["target"]): e["state"] for e in ask(client, "driftband_service_edge")}
    assert edges == {**{(a, b): "known" for a, b, _ in CALLS}, NEW_CALL[:2]: "new"}
    nodes = ask(client, "driftband_service_node")
    assert {n["id"] for n in nodes} == {node for edge in edges for node in edge}
    assert {n["id"]: n.get("subTitle") for n in nodes}["checkout"] == "payments"
    before = ask(client, "driftband_service_edge", ANCHOR)
    assert {e["state"] for e in before} == {"known"}
    assert len(before) == len(CALLS)


def test_menus_know_them(client: FlaskClient) -> None:
    def menu(path: str, **more: str) -> Any:
        return client.get(f"/api/v1/{path}", query_string=more).get_json()["data"]

    match = {"match[]": "driftband_service_edge", "end": str(NOW / 1000)}
    assert {"id", "source", "target", "state"} <= set(menu("labels", **match))
    assert menu("label/state/values", **match) == ["known", "new"]
    assert len(menu("series", **match)) >= len(CALLS) + 1
    assert "driftband_service_node" in menu("label/__name__/values")
    assert "driftband_service_node" in menu("metadata")
