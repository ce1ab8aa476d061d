"""The services of docker-compose.yml that go on with the backfilled sample world: what a Prometheus scrapes, and its drift."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from driftband.model.series import Labels, make_labels
from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import MINUTE
from driftband.sources.sample.world import World
from driftband.store import findings
from driftband.store.database import Database
from driftband.store.overview import StoredOverview

from .conftest import PrometheusFactory
from .driftband_server import DriftbandServer
from .program import Program

DOCKER = Path(__file__).parents[2] / "docker"
ANCHOR = Script.at(time.time_ns() // 1_000_000).anchor - 2 * 1440 - 7
"""Minutes since the epoch: of a world that was backfilled two days ago, and that no world of today would choose."""


class WorldService(Program):
    """What the compose file calls ``world``."""

    ready_path = "/metrics"

    def command(self) -> list[str]:
        (self.data_dir / "anchor").write_text(str(ANCHOR))
        return [sys.executable, str(DOCKER / "world.py"), str(self.data_dir), str(self.port)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldService]:
    with WorldService(tmp_path_factory.mktemp("world")) as server:
        yield server


@pytest.mark.slow
def test_a_prometheus_that_scrapes_it_goes_on_with_the_story_of_the_backfill(
    service: WorldService, prometheus_factory: PrometheusFactory
) -> None:
    config = yaml.safe_load((DOCKER / "prometheus.yml").read_text())
    (job,) = (job for job in config["scrape_configs"] if job["job_name"] == "world")
    job["static_configs"] = [{"targets": [service.url.removeprefix("http://")]}]
    prometheus = prometheus_factory(config=yaml.safe_dump({"scrape_configs": [{**job, "scrape_interval": "1s"}]}))
    world = World(lambda: time.time_ns() // 1_000_000, Script(ANCHOR))
    for _ in range(300):
        answer = prometheus.get("/api/v1/query", params={"query": '{env="demo"}[10m]'}).json()["data"]["result"]
        scraped = {make_labels(one["metric"]): one["values"] for one in answer}
        if len(scraped) >= len(_telling(world)):
            break
        time.sleep(0.1)
    assert scraped.keys() >= _telling(world)
    for labels, values in scraped.items():
        known = world.read([labels], 0, 2**53)[0]
        expected = dict(zip(known.times.tolist(), known.values.tolist(), strict=True))
        assert all(expected[round(t * 1000)] == float(value) for t, value in values), labels


@pytest.mark.slow
def test_a_prometheus_scrapes_driftband_with_the_token_that_compose_gives_to_both(
    prometheus_factory: PrometheusFactory, tmp_path: Path
) -> None:
    config = yaml.safe_load((DOCKER / "prometheus.yml").read_text())
    (job,) = (job for job in config["scrape_configs"] if job["job_name"] == "driftband")
    assert f">{job['authorization']['credentials_file']}" in (DOCKER / "prometheus.sh").read_text()
    services = yaml.safe_load((DOCKER.parent / "docker-compose.yml").read_text())["services"]
    given, wanted = (services[name]["environment"] for name in ("prometheus", "driftband"))
    assert given["DRIFTBAND_READ_TOKEN"] in wanted["DRIFTBAND_ACCESS__READ_TOKENS"]
    token = tmp_path / "driftband.token"
    token.write_text("read-token-0123456789")
    access = {"read_tokens": [token.read_text()]}
    with DriftbandServer(tmp_path, prometheus={"url": "sample:"}, access=access) as server:
        job |= {"scrape_interval": "1s", "authorization": {"credentials_file": str(token)}}
        job["static_configs"] = [{"targets": [server.url.removeprefix("http://")]}]
        prometheus = prometheus_factory(config=yaml.safe_dump({"scrape_configs": [job]}))
        for _ in range(300):
            found = prometheus.get("/api/v1/query", params={"query": "driftband_cache_bytes"}).json()["data"]["result"]
            if found:
                break
            time.sleep(0.1)
    assert {one["metric"]["job"] for one in found} == {"driftband"}


def _telling(world: World) -> set[Labels]:
    """Return the series that have a sample in each of the last minutes: all but those of pods that restart now."""
    now = time.time_ns() // 1_000_000
    series = world.series()
    return {s.labels for s in world.read(series, now - 4 * MINUTE, now) if len(s.times) >= 4}


def test_nothing_else_is_served(service: WorldService) -> None:
    assert service.get("/").status_code == 404


def test_what_was_backfilled_once_stays(tmp_path: Path) -> None:
    (tmp_path / "anchor").write_text(str(ANCHOR))
    subprocess.run([sys.executable, DOCKER / "backfill.py", tmp_path], check=True, timeout=60)
    assert [path.name for path in tmp_path.iterdir()] == ["anchor"]
    assert (tmp_path / "anchor").read_text() == str(ANCHOR)


@pytest.mark.slow
def test_the_ledger_is_told_the_worlds_drift_once(tmp_path: Path) -> None:
    (tmp_path / "anchor").write_text(str(ANCHOR))
    compose = yaml.safe_load((DOCKER.parent / "docker-compose.yml").read_text())
    given = compose["services"]["evidence"]["environment"]
    environ = {"PATH": "/usr/bin:/bin", **given, "DRIFTBAND_STORE": f"sqlite:///{tmp_path}/ledger.db"}
    told = []
    for _ in range(2):
        subprocess.run([sys.executable, DOCKER / "evidence.py", tmp_path], check=True, timeout=300, env=environ)
        database = Database(environ["DRIFTBAND_STORE"])
        with database.read() as connection:
            found = findings.page(connection, equal={}, since=None, until=None, after=None, limit=1000)
        told.append((StoredOverview(database).workspaces(), found))
        database.close()
    assert told[0] == told[1]
    workspaces, found = told[0]
    assert len(workspaces) == 3
    assert {f.severity for f in found if f.alarming} >= {"warning", "error"}
    assert any(f.actor for f in found)
