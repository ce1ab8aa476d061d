"""From the configuration to the ledger: a limit that comes near, an intent, the service graph; and where one looks at them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import orjson
import pytest

from driftband import app_watch
from driftband.config import load
from driftband.model.moment import from_ms, show_moment
from driftband.model.series import Floats, Frame, History, Instants
from driftband.query.fetch import Answer
from driftband.store.database import Database
from driftband.web.measure import Measure

from .watched_shop import DAY, calls, declare, deployments
from .watched_world import AT, BEGIN, HOUR, MINUTE, SERVICES, World, everything

NOW = BEGIN + 35 * MINUTE
LIMIT = 100.0
CONFIG = f"""
prometheus: {{url: "http://127.0.0.1:9"}}
grafana: {{url: "http://grafana.example", token: none-needed}}
watch: {{start: "{show_moment(from_ms(AT))}"}}
signals:
  - {{name: disk, expr: disk, unit: GiB, direction: up, limit: {LIMIT}}}
intents:
  - name: replicas
    declared: {{resource_type: kubernetes_deployment, attribute: spec.replicas}}
    observed: kube_deployment_status_replicas_available
    match: {{namespace: metadata.namespace, deployment: metadata.name}}
dependencies: {{expr: calls, for: 15m}}
"""


def disk(times: Instants) -> Floats:
    """One disk fills up by 2 GiB an hour and is full ten hours after NOW; the other one does not."""
    noise = 0.02 * (np.sin(times / 7.3e5) + np.sin(times / 1.1e5))
    return np.stack([LIMIT - 2 * (NOW + 10 * HOUR - times) / HOUR + noise, 40 + noise])


class Shop:
    """A source that has all three; ``asked`` counts range queries by their text."""

    def __init__(self) -> None:
        self.worlds = {
            "disk": World(disk, SERVICES),
            "kube_deployment_status_replicas_available": deployments(),
            "calls": calls(),
        }
        self.asked: list[str] = []

    def instant(self, _ask: Any, _text: str, time: int) -> Answer:
        return Answer(Frame(np.array([time]), ((),), np.array([[2.0]]), np.array([[True]])))

    def range(self, _ask: Any, text: str, start: int, end: int, step: int) -> Answer:
        self.asked.append(text)
        return self.worlds[text].range(text, start, end, step)

    def history(self, _ask: Any, text: str, start: int, end: int, _step: int) -> History:
        return self.worlds[text].history(text, start, end)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, dict[str, dict[str, Any]]]]:
    """Watch from midnight until NOW; return the source, and the findings by kind."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "driftband.yaml").write_text(CONFIG)
    database, source = Database(f"sqlite:///{folder}/ledger.db"), Shop()
    declare(database, AT - DAY, cart=3, web=2)
    looked = _watcher(folder, database, source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app_watch, "utc_now", lambda: from_ms(NOW + MINUTE))
        looked()
    yield source, {row["kind"]: row for row in everything(database)["findings"]}
    database.close()


def _watcher(folder: Path, database: Database, source: Shop) -> Callable[[], float]:
    made = app_watch.watcher(load(folder / "driftband.yaml", {}), database, source, Measure())  # type: ignore[arg-type]
    assert made is not None
    return made.look


def queries(finding: dict[str, Any]) -> list[str]:
    """Return the queries that a finding's link opens."""
    link = finding["evidence"]["link"]
    assert link.startswith("http://grafana.example/explore?")
    (pane,) = orjson.loads(parse_qs(urlsplit(link).query)["panes"][0]).values()
    return [query["expr"] for query in pane["queries"]]


def test_a_limit_that_the_forecast_crosses_is_a_finding(watched: tuple[Shop, dict[str, dict[str, Any]]]) -> None:
    finding = watched[1]["saturation"]
    assert (finding["signal"], finding["identity"], finding["state"]) == ("disk", {"service": "cart"}, "open")
    assert 5 * 3600 < finding["evidence"]["seconds_left_now"] < 24 * 3600
    assert finding["evidence"]["limit"] == LIMIT
    assert "the forecast reaches" in finding["reason"]
    assert "100 GiB" in finding["reason"]


def test_intents_and_edges_are_findings_with_links(watched: tuple[Shop, dict[str, dict[str, Any]]]) -> None:
    found = watched[1]
    assert set(found) == {"saturation", "intent_violated", "intent_unknown", "new_dependency", "gone_dependency"}
    (expr,) = queries(found["intent_violated"])
    assert expr.startswith("(kube_deployment_status_replicas_available\n) and on (deployment, namespace)")
    assert queries(found["new_dependency"]) == ['driftband_service_edge{source="search", target="cache"}']
    assert queries(found["saturation"])[0].startswith('driftband_actual{signal="disk"')


def test_each_is_asked_for_once_a_round(watched: tuple[Shop, dict[str, dict[str, Any]]]) -> None:
    asked = watched[0].asked
    rounds = -(-(NOW - AT) // MINUTE // app_watch.MOST_INSTANTS)
    assert asked.count("disk") == asked.count("kube_deployment_status_replicas_available") == rounds
    assert asked.count("calls") == rounds + 1
