"""The demo's evidence, told to real stores, and what one sees of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from driftband import app, app_demo
from driftband.app_evidence import Evidence, open_evidence
from driftband.app_incidents import incidents_of
from driftband.config import Config, load
from driftband.model.finding import Finding
from driftband.model.moment import from_ms, to_ms
from driftband.store.database import Database
from driftband.store.overview import StoredOverview

NOW = to_ms(datetime(2026, 11, 24, 10, 17, 42, tzinfo=UTC))
HOUR = 3_600_000
SERIES = Path(__file__).parents[2] / "docs/series.md"


Opening = Callable[[Config], Evidence]


@pytest.fixture(scope="module")
def opening() -> Iterator[Opening]:
    """Return what opens the evidence of a configuration; it is closed at the end."""
    with ExitStack() as stores:

        def open_one(config: Config) -> Evidence:
            evidence = open_evidence(config)
            stores.callback(evidence.database.close)
            return evidence

        yield open_one


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def demo(
    request: pytest.FixtureRequest, opening: Opening, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Config, Evidence]:
    environ = {}
    if request.param == "postgresql":
        environ["DRIFTBAND_STORE"] = request.getfixturevalue("postgres").new_database()
    config = app_demo.ready(tmp_path_factory.mktemp("demo") / "demo.db", environ, NOW)
    evidence = opening(config)
    app_demo.tell(config, evidence, NOW)
    incidents_of(config, evidence.database, evidence.clock).look(from_ms(NOW))
    return config, evidence


@pytest.fixture
def client(demo: tuple[Config, Evidence], monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(app, "wall_clock", lambda: NOW)
    return app.create_app(*demo).test_client()


def query(client: FlaskClient, text: str, at: int = NOW) -> list[dict[str, object]]:
    answer = client.get("/api/v1/query", query_string={"query": text, "time": at / 1000})
    assert answer.status_code == 200, answer.text
    result: list[dict[str, object]] = answer.json["data"]["result"]  # type: ignore[index]
    return result


def open_findings(evidence: Evidence) -> dict[str, Finding]:
    return {f.address: f for f in StoredOverview(evidence.database).open_findings(100)}


def test_what_is_open_tells_of_every_class_and_who_did_it(demo: tuple[Config, Evidence]) -> None:
    found = open_findings(demo[1])
    seen = {(f.class_, f.severity, f.actor) for f in found.values()}
    assert seen == {
        ("drift", "critical", "milan"),
        ("drift", "error", None),
        ("drift", "warning", "dana"),
        ("accepted_undeclared", "warning", "jonas"),
        ("pending", "warning", None),
        ("ignored", "warning", None),
        ("normalisation", "warning", None),
    }
    ignored = next(f for f in found.values() if f.class_ == "ignored")
    assert "platform" in ignored.reason
    resized = found["module.db.aws_db_instance.main"]
    assert resized.evidence["applies"]
    assert [f.class_ for f in found.values()][-3:] == ["pending", "normalisation", "ignored"]


def test_the_past_has_been_closed_and_the_runs_are_on_record(demo: tuple[Config, Evidence]) -> None:
    standing = {w.name: w for w in StoredOverview(demo[1].database).workspaces()}
    assert set(standing) == {w.name for w in demo[0].workspaces}
    for workspace in standing.values():
        assert workspace.last is not None
        assert workspace.whole is not None
        assert workspace.last.status == "drifted"
        assert to_ms(workspace.whole.at) > NOW - 4 * HOUR
    assert (standing["prod/network"].alarming("critical"), standing["prod/network"].of_class("ignored")) == (1, 1)
    _, proposals = demo[1].ignores()
    assert [(p["resource_type"], p["attribute"]) for p in proposals] == [("aws_autoscaling_group", "desired_capacity")]


def test_it_is_told_once_and_only_of_the_sample_world(
    demo: tuple[Config, Evidence], opening: Opening, tmp_path: Path
) -> None:
    before = open_findings(demo[1])
    app_demo.tell(*demo, NOW + 9 * HOUR)
    assert open_findings(demo[1]) == before
    other = load(
        None, {"DRIFTBAND_PROMETHEUS__URL": "http://127.0.0.1:9", "DRIFTBAND_STORE": f"sqlite:///{tmp_path}/o.db"}
    )
    evidence = opening(other)
    app_demo.tell(other, evidence, NOW)
    assert StoredOverview(evidence.database).workspaces() == []


def test_the_environment_goes_before_the_demos_configuration(tmp_path: Path) -> None:
    config = app_demo.ready(
        tmp_path / "d.db", {"DRIFTBAND_LISTEN": "127.0.0.1:4321", "DRIFTBAND_BANDS__LEVEL": "0.9"}, NOW
    )
    assert (config.port, config.bands.level, config.prometheus.url) == (4321, 0.9, "sample:")
    assert [w.identity["env"] for w in config.workspaces] == ["demo"] * 3


def test_every_example_of_the_banner_is_answered(client: FlaskClient) -> None:
    banner = app_demo.banner("http://here", app.SAMPLE_EXAMPLE)
    tries = [line.strip().removeprefix("try").strip() for line in banner.partition("  try")[2].splitlines()]
    tries = tries[: next(i for i, line in enumerate(tries) if line.startswith("curl"))]
    assert len(tries) == 5
    began = to_ms(datetime(2026, 11, 24, 5, 30, tzinfo=UTC))
    for text in tries:
        assert query(client, text, began if "change" in text else NOW), text


def test_series_of_drift_and_of_metrics_join(client: FlaskClient) -> None:
    rates = "sum by (service, env, region) (rate(http_requests_total[5m]))"
    joined = query(
        client, f"{rates} * on (service, env, region) group_left (team, commit, change) driftband_identity_info"
    )
    assert {one["metric"]["service"] for one in joined} >= {"checkout", "payment", "frontend"}  # type: ignore[index]
    assert all(one["metric"]["commit"] and one["metric"]["team"] for one in joined)  # type: ignore[index]
    of_resources = query(
        client, "driftband_drift * on (workspace, address) group_left (module_version, commit) driftband_resource_info"
    )
    assert len(of_resources) == 4
    yesterday = query(client, "count by (layer, workspace, severity) (driftband_drift)", NOW - 24 * HOUR)
    assert {one["metric"]["workspace"] for one in yesterday} == {"prod/checkout", "prod/data"}  # type: ignore[index]


def test_findings_tell_when_they_opened_what_differs_who_did_it_and_until_when_they_are_silenced(
    client: FlaskClient, demo: tuple[Config, Evidence]
) -> None:
    found = open_findings(demo[1])
    told: dict[str, Any] = {
        one["metric"]["finding"]: one  # type: ignore[index]
        for one in query(client, "driftband_finding_opened_timestamp_seconds")
    }
    assert told.keys() == {f.id for f in found.values()}
    for finding in found.values():
        labels, (_, value) = told[finding.id]["metric"], told[finding.id]["value"]
        assert (labels["class"], labels["state"]) == (finding.class_, "open")
        assert float(value) == finding.opened_at.timestamp()
        assert labels.get("attribute", "") == ", ".join(one.path for one in finding.attributes)
        assert labels.get("actor") == finding.actor
        assert ("until" in labels) == (finding.class_ == "ignored")
    ignored = next(f for f in found.values() if f.class_ == "ignored")
    assert told[ignored.id]["metric"]["until"] == "2026-12-24T04:00:00Z"


def test_incidents_tell_when_they_opened_and_how_long_things_took(client: FlaskClient) -> None:
    listed = {i["id"]: i for i in client.get("/driftband/v1/incidents?state=all").get_json()["incidents"]}

    def told(series: str) -> dict[str, float]:
        found: Any = query(client, f"last_over_time(driftband_incident_{series}[30d])")
        return {one["metric"]["incident"]: float(one["value"][1]) for one in found}

    opened, lasted, unseen = (
        told("opened_timestamp_seconds"),
        told("resolved_after_seconds"),
        told("detected_after_seconds"),
    )
    assert {i: datetime.fromtimestamp(at, UTC) for i, at in opened.items()} == {
        i: datetime.fromisoformat(one["opened_at"]) for i, one in listed.items()
    }
    assert lasted == {
        i: datetime.fromisoformat(one["resolved_at"]).timestamp() - opened[i]
        for i, one in listed.items()
        if one["resolved_at"]
    }
    assert lasted
    # Between two looks of half a day or two hours, nobody looked.
    assert set(unseen.values()) == {7200.0, 43200.0}


def test_the_examples_of_the_documentation_are_answered(client: FlaskClient) -> None:
    began = to_ms(datetime(2026, 11, 24, 4, 2, tzinfo=UTC))
    # Nothing is stale, nothing so severe was open yesterday, and the only incident that is over is older than a week.
    quiet = ("time() - driftband_scan", "offset 1d", "resolved_after")
    examples = re.findall(r"```promql\n(.*?)```", SERIES.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 8
    for text in examples:
        found = query(client, text.replace("$service", "checkout"), began if "driftband_change" in text else NOW)
        assert found or any(part in text for part in quiet), text


def test_pages_show_the_worst_first(client: FlaskClient) -> None:
    start = client.get("/").text
    assert start.index("module.edge.aws_security_group.shop") < start.index("module.orders.aws_sqs_queue.dead_letter")
    assert "milan" in start
    assert "Revert &#34;fewer database connections" in start
    page = client.get("/workspaces").text
    assert re.search(r"prod/network</a></th>\s*<td><span class=\"status drifted\"", page)
    assert "accepted undeclared" in page
    assert "<script" not in start + page
    one = client.get("/workspaces", query_string={"workspace": "prod/data"}).text
    assert "dead_letter" in one
    assert "module.edge" not in one


def test_a_store_that_is_gone_is_told_and_the_band_is_drawn(client: FlaskClient, demo: tuple[Config, Evidence]) -> None:
    if not demo[1].database.is_sqlite:
        pytest.skip("a table that is gone stands for a store that does not answer on SQLite alone")
    _rename(demo[1].database, "workspaces", "elsewhere")
    try:
        start, page = client.get("/"), client.get("/workspaces")
    finally:
        _rename(demo[1].database, "elsewhere", "workspaces")
    assert start.status_code == 200
    assert "What has drifted is not known now: the store does not answer" in start.text
    assert "<svg" in start.text
    assert "the store does not answer" in page.text


def _rename(database: Database, name: str, to: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"alter table {name} rename to {to}")


def test_without_the_demo_there_is_no_evidence(opening: Opening, tmp_path: Path) -> None:
    config = load(None, {"DRIFTBAND_PROMETHEUS__URL": "sample:", "DRIFTBAND_STORE": f"sqlite:///{tmp_path}/d.db"})
    client = app.create_app(config, opening(config)).test_client()
    assert "No workspace has reported yet" in client.get("/").text
    assert "No workspace has reported yet" in client.get("/workspaces").text
    assert query(client, "driftband_drift", NOW + 24 * HOUR) == []
