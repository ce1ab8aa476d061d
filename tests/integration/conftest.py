"""Real servers for the tests of this folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from . import victoria_server
from .prometheus_server import PrometheusServer, backfill, missing_programs
from .victoria_server import VictoriaServer

PrometheusFactory = Callable[..., PrometheusServer]


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


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaServer]:
    """Start an empty VictoriaMetrics, which runs until the module is done."""
    if victoria_server.is_missing():
        pytest.skip(f"{victoria_server.PROGRAM} not installed (Debian: apt-get install {victoria_server.PROGRAM})")
    with VictoriaServer(tmp_path_factory.mktemp("victoria")) as server:
        yield server
