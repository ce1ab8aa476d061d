"""Real servers for the tests of this folder."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from driftband.store.database import Database

from . import postgres_server, victoria_server
from .evidence_api import Api, StartApi, serving
from .grafana_server import Grafana, GrafanaServer, missing_grafana
from .ledger_story import Ledger
from .postgres_server import PostgresServer
from .prometheus_server import PrometheusServer, backfill, missing_programs
from .terraform_provider import terraform_environ
from .victoria_server import VictoriaServer

PrometheusFactory = Callable[..., PrometheusServer]
GrafanaFactory = Callable[..., GrafanaServer]


@pytest.fixture(scope="module")
def prometheus_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusFactory]:
    """Start Prometheus servers with a past of your own: ``prometheus_factory(openmetrics, config=..., ...)``.

    What may be given is what ``PrometheusServer`` takes. They run until the module is done, or until their ``stop``.
    """
    missing = missing_programs()
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed (Debian: apt-get install prometheus)")
    with ExitStack() as servers:

        def start(openmetrics: str = "", **more: Any) -> PrometheusServer:
            data_dir = tmp_path_factory.mktemp("prometheus")
            if openmetrics:
                backfill(data_dir, openmetrics)
            return servers.enter_context(PrometheusServer(data_dir, **more))

        yield start


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    if missing := postgres_server.missing_programs():
        pytest.skip(f"{' and '.join(missing)} not installed (Debian: apt-get install postgresql)")
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = (
        f"sqlite:///{tmp_path}/ledger.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres").new_database()
    )
    opened = Database(url)
    yield opened
    opened.close()


# The store itself is tested on both in every run.
@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def start_api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApi]:
    """Start services with an empty store each: ``start_api(token=..., **settings)``; they run until the module is done."""
    with ExitStack() as services:

        def start(token: str = "", **settings: Any) -> Api:
            folder = tmp_path_factory.mktemp("driftband")
            store = (
                f"sqlite:///{folder}/ledger.db"
                if request.param == "sqlite"
                else request.getfixturevalue("postgres").new_database()
            )
            return services.enter_context(serving(folder, store, token, **settings))

        yield start


@pytest.fixture(scope="module")
def api(start_api: StartApi) -> Api:
    """Return a service without tokens, shared by a module: tell each story in a workspace of its own."""
    return start_api()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    """Return a ledger to tell a story to."""
    return Ledger(database)


@pytest.fixture(scope="session")
def terraform_home(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> dict[str, str]:
    """Return the environment of a real Terraform with the provider ``terraform.test/acme/local``."""
    cache = pytestconfig.cache
    assert cache is not None
    return terraform_environ(tmp_path_factory.mktemp("terraform"), cache.mkdir("terraform-providers"))


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaServer]:
    """Start an empty VictoriaMetrics, which runs until the module is done."""
    if victoria_server.is_missing():
        pytest.skip(f"{victoria_server.PROGRAM} not installed (Debian: apt-get install {victoria_server.PROGRAM})")
    with VictoriaServer(tmp_path_factory.mktemp("victoria")) as server:
        yield server


@pytest.fixture(scope="module")
def grafana_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrafanaFactory]:
    """Start Grafanas of your own: ``grafana_factory(provisioning=..., environ=...)``.

    They run until the module is done, or until their ``stop``.
    """
    if missing := missing_grafana():
        pytest.skip(missing)
    with ExitStack() as servers:

        def start(*, provisioning: Path | None = None, environ: dict[str, str] | None = None) -> GrafanaServer:
            folder = tmp_path_factory.mktemp("grafana")
            return servers.enter_context(GrafanaServer(folder, provisioning=provisioning, environ=environ))

        yield start


@pytest.fixture(scope="module")
def grafana(request: pytest.FixtureRequest) -> Iterator[Grafana]:
    """A Grafana with nothing of ours in it: the one at GRAFANA_URL, else one that is started for the module."""
    if named := os.environ.get("GRAFANA_URL"):
        with Grafana.named(named) as given:
            yield given
        return
    if missing := missing_grafana():
        pytest.skip(f"GRAFANA_URL names no Grafana, and {missing}")
    yield request.getfixturevalue("grafana_factory")()
