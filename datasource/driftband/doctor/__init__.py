"""`driftband doctor`: what would keep driftband from working, and how to mend it. It reads and changes nothing."""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import requests
from prometheus_api_client import PrometheusConnect
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.retry import Retry

from driftband.config import Config, ConfigError, load
from driftband.doctor import grafana, source, store, telemetry
from driftband.doctor.finding import Finding
from driftband.grafana.client import connect as connect_grafana
from driftband.logs import Redactor

__all__ = ["Finding", "examine", "run"]

Connect = Callable[[Config], PrometheusConnect]


def _connect(config: Config) -> PrometheusConnect:
    """Return a client that shows the first failure as it is: no retries, no redirects, no proxy of the environment."""
    settings = config.prometheus
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.verify = settings.tls.ca_file or not settings.tls.insecure_skip_verify
    if settings.tls.cert_file and settings.tls.key_file:
        session.cert = (settings.tls.cert_file, settings.tls.key_file)
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    if settings.bearer_token:
        headers["Authorization"] = f"Bearer {settings.bearer_token.get_secret_value()}"
    auth = None
    if settings.basic_auth:
        # As bytes, since requests would refuse what is not Latin-1.
        auth = tuple(
            part.get_secret_value().encode() for part in (settings.basic_auth.username, settings.basic_auth.password)
        )
    return PrometheusConnect(
        url=settings.url,
        headers=headers,
        auth=auth,
        session=session,
        retry=Retry(0, read=False),
        timeout=config.limits.query_timeout / 1000,
    )


def examine(path: Path | None, environ: Mapping[str, str], connect: Connect = _connect) -> list[Finding]:
    """Load the configuration and return the findings about it and, where it is good, about all that it names."""
    try:
        config = load(path, environ)
    except ConfigError as error:
        mend = "mend these; `driftband check-config` shows them again"
        return [Finding(name="configuration", status="fail", message=str(error), mend=mend)]
    where = str(path) if path else "the environment"
    return [Finding(name="configuration", status="ok", message=f"{where} is good"), *run(config, connect)]


def run(config: Config, connect: Connect = _connect, now: Callable[[], float] = time.time) -> list[Finding]:
    """Return the findings about the source, the store and Grafana; ``now`` is this machine's clock, in epoch seconds."""
    with warnings.catch_warnings():
        # The finding below says it once, in our words.
        warnings.simplefilter("ignore", InsecureRequestWarning)
        found = [*_source(config, connect, now), *store.checks(config), *_grafana(config)]
    redact = Redactor(config.secrets()).text
    return [replace(one, message=redact(one.message), mend=redact(one.mend)) for one in found]


def _source(config: Config, connect: Connect, now: Callable[[], float]) -> list[Finding]:
    settings = config.prometheus
    if not settings.is_http:
        return [Finding(name="source", status="ok", message=f"{settings.url} is no server: there is nothing to reach")]
    with connect(config) as client:
        asked = source.Source(client, settings.url, config.limits.query_timeout / 1000, now)
        found = source.checks(asked, config)
        if found[0].status == "ok":
            found += telemetry.check_identity(asked, config.identity)
    if settings.tls.insecure_skip_verify:
        message = "prometheus.tls.insecure_skip_verify is on: anyone on the way can pose as the source"
        found.append(Finding(name="tls", status="warn", message=message, mend="give prometheus.tls.ca_file instead"))
    return found


def _grafana(config: Config) -> list[Finding]:
    if config.grafana is None:
        return []
    timeout = config.limits.query_timeout / 1000
    api = connect_grafana(config.grafana.url, config.grafana.token.get_secret_value(), timeout)
    try:
        return grafana.checks(grafana.Grafana(api, config.grafana.url, timeout), config.external_url)
    finally:
        api.client.s.close()
