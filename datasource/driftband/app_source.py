"""Wires the source: a Prometheus-compatible server, the sample world, or files."""

import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from driftband.config import Config
from driftband.model.samples import SampleStore
from driftband.query.question import Question
from driftband.sources.asking import Source
from driftband.sources.local import LocalSource
from driftband.sources.own import OwnSamples, WithOwn
from driftband.sources.prometheus import PrometheusSource
from driftband.sources.session import Connection
from driftband.web.arguments import instant_question, range_question
from driftband.web.measure import Measure

log = structlog.get_logger(__name__)


def wall_clock() -> int:
    """Return now in epoch ms."""
    return time.time_ns() // 1_000_000


def open_source(
    config: Config, measure: Measure, *, max_series: int, threads: int, own: OwnSamples | None = None
) -> Source:
    """Return what the metrics come from. max_series: of one history. threads: that ask at once.

    own: the service's own samples, which the sample world then has too.
    """
    about = config.prometheus
    if about.url.startswith("sample:"):
        from driftband.sources.sample.world import World  # noqa: PLC0415 - only where it is asked for

        world = World(wall_clock)
        return _local(world if own is None else WithOwn(world, own, measure.families()), measure)
    if about.url.startswith("replay:"):
        from driftband.sources.replay import open_replay  # noqa: PLC0415 - pandas takes a second to import

        replay = open_replay(Path(about.url.removeprefix("replay:")))
        for warning in replay.warnings:
            log.warning("replay", warning=warning)
        return _local(replay, measure)
    headers = {name: value.get_secret_value() for name, value in about.headers.items()}
    if about.bearer_token is not None:
        headers["Authorization"] = f"Bearer {about.bearer_token.get_secret_value()}"
    basic = about.basic_auth
    connection = Connection(
        url=about.url,
        headers=headers,
        auth=(basic.username.get_secret_value(), basic.password.get_secret_value()) if basic is not None else None,
        verify=str(about.tls.ca_file) if about.tls.ca_file else not about.tls.insecure_skip_verify,
        cert=(str(about.tls.cert_file), str(about.tls.key_file)) if about.tls.cert_file else None,
    )
    return PrometheusSource(connection, max_series=max_series, pool=threads, observe=measure.source)


def _local(store: SampleStore, measure: Measure) -> LocalSource:
    def question(values: Mapping[str, str], ranged: bool) -> Question:
        return range_question(values) if ranged else instant_question(values, wall_clock())

    return LocalSource(store, question, measure.source)
