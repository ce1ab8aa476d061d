"""The ways to a source: a path prefix, credentials, TLS with certificates of both sides, and tenants."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from driftband import doctor
from driftband.config import load

from . import certificates
from .certificates import Certificates
from .conftest import PrometheusFactory
from .driftband_server import DriftbandServer
from .gate import gate
from .prometheus_server import PrometheusServer

pytestmark = pytest.mark.slow  # a server each

NOW = int(time.time()) // 300 * 300
DAYS = 3
USER, PASSWORD, WRONG = "canary-dana", "canary-password-of-dana", "canary-password-of-nobody"
HASH = "$2b$04$OhdLrKJj0BuYwEx5Q9QYKO8dkammqK2PfqNwgu5Kls.hTGY6Nck26"
TENANT, BEARER = "canary-tenant", "canary-bearer-token-4714"
SECRETS = (PASSWORD, WRONG, TENANT, BEARER)
BAND = "anomaly_band(load, 0.99)"


def load_of_days() -> str:
    times = range(NOW - DAYS * 86_400, NOW + 1, 300)
    return "".join(f'load{{service="cart"}} {100 + 40 * math.sin(t / 86_400 * 2 * math.pi):.4f} {t}\n' for t in times)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if certificates.is_missing():
        pytest.skip(f"{certificates.PROGRAM} not installed (Debian: apt-get install {certificates.PROGRAM})")
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@dataclass(frozen=True)
class Way:
    """A server, and what driftband's configuration says of how to reach it besides the address."""

    server: PrometheusServer
    settings: Mapping[str, Any]
    slash: str = ""
    """What ends the address in the configuration: a slash must not matter."""


@pytest.fixture(scope="module")
def prefixed(prometheus_factory: PrometheusFactory) -> Way:
    return Way(prometheus_factory(load_of_days(), prefix="/some/prometheus"), {}, slash="/")


@pytest.fixture(scope="module")
def with_users(prometheus_factory: PrometheusFactory) -> Way:
    web = yaml.safe_dump({"basic_auth_users": {USER: HASH}})
    server = prometheus_factory(load_of_days(), web=web, reach={"auth": (USER, PASSWORD)})
    return Way(server, {"basic_auth": {"username": USER, "password": PASSWORD}})


@pytest.fixture(scope="module")
def with_tls(prometheus_factory: PrometheusFactory, papers: Certificates) -> Way:
    tls = {"cert_file": str(papers.server.cert), "key_file": str(papers.server.key)}
    ca = str(papers.authority.cert)
    server = prometheus_factory(
        load_of_days(), web=yaml.safe_dump({"tls_server_config": tls}), prefix="/prometheus", reach={"verify": ca}
    )
    return Way(server, {"tls": {"ca_file": ca}})


@pytest.fixture(scope="module")
def with_both_certificates(prometheus_factory: PrometheusFactory, papers: Certificates) -> Way:
    ca, cert, key = str(papers.authority.cert), str(papers.client.cert), str(papers.client.key)
    tls = {"cert_file": str(papers.server.cert), "key_file": str(papers.server.key), "client_ca_file": ca}
    tls["client_auth_type"] = "RequireAndVerifyClientCert"
    web = yaml.safe_dump({"tls_server_config": tls, "basic_auth_users": {USER: HASH}})
    reach = {"verify": ca, "cert": (cert, key), "auth": (USER, PASSWORD)}
    settings = {
        "tls": {"ca_file": ca, "cert_file": cert, "key_file": key},
        "basic_auth": {"username": USER, "password": PASSWORD},
    }
    return Way(prometheus_factory(load_of_days(), web=web, reach=reach), settings)


@pytest.fixture(params=["prefixed", "with_users", "with_tls", "with_both_certificates"])
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.getfixturevalue(request.param)
    return found


@contextmanager
def behind(folder: Path, url: str, settings: Mapping[str, Any]) -> Iterator[DriftbandServer]:
    """Run driftband on a source, and look for secrets in all that it told when the test is done."""
    with DriftbandServer(folder, prometheus={"url": url, **settings}) as driftband:
        yield driftband
        told = driftband.log.read_text() + driftband.get("/metrics").text + driftband.get("/readyz").text
    assert not [secret for secret in SECRETS if secret in told]


def passes_through(driftband: DriftbandServer, direct: Callable[[str], requests.Response]) -> None:
    for path in (
        f"/api/v1/query?query=load&time={NOW}",
        f"/api/v1/query_range?query=sum(load)&start={NOW - 3600}&end={NOW}&step=60",
        "/api/v1/series?match[]=load",
        f"/api/v1/query?query=sum(&time={NOW}",
    ):
        theirs, ours = direct(path), requests.get(driftband.url + path, timeout=30)
        assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
        assert b"load" in ours.content or b"values" in ours.content or ours.status_code == 400
    assert "load" in driftband.get("/api/v1/label/__name__/values").json()["data"]


def draws_bands(driftband: DriftbandServer) -> None:
    found = driftband.range(BAND, NOW - 3600, NOW + 3600, 300)
    assert {dict(labels)["band"] for labels in found} == {"actual", "lower", "expected", "upper"}
    assert max(max(values) for values in found.values()) == NOW + 3600


def test_queries_pass_through_and_bands_are_drawn(way: Way, tmp_path: Path) -> None:
    with behind(tmp_path, way.server.url + way.slash, way.settings) as driftband:
        passes_through(driftband, way.server.get)
        draws_bands(driftband)
        assert driftband.get("/readyz").json()["source"] == "ok"


def test_the_doctor_goes_the_same_way(way: Way) -> None:
    environ = {f"DRIFTBAND_PROMETHEUS__{name.upper()}": yaml.safe_dump(value) for name, value in way.settings.items()}
    found = doctor.run(load(None, {**environ, "DRIFTBAND_PROMETHEUS__URL": way.server.url + way.slash}))
    assert [one.status for one in found if one.name == "source"] == ["ok"]


def test_a_wrong_prefix_is_told(prefixed: Way, tmp_path: Path) -> None:
    with behind(tmp_path, prefixed.server.url.removesuffix("/some/prometheus"), {}) as driftband:
        assert "prometheus.url" in refused(driftband, BAND)


def test_a_wrong_password_is_told_without_it(with_users: Way, tmp_path: Path) -> None:
    settings = {"basic_auth": {"username": USER, "password": WRONG}}
    with behind(tmp_path, with_users.server.url, settings) as driftband:
        assert "credentials" in refused(driftband, BAND)
        assert driftband.get("/api/v1/query", query="load").status_code == 401


@pytest.mark.parametrize("mistake", ["other authority", "public authorities", "no certificate", "a stranger's"])
def test_tls_that_does_not_come_about_is_told(
    with_both_certificates: Way, papers: Certificates, tmp_path: Path, mistake: str
) -> None:
    tls = {
        "other authority": {"ca_file": str(papers.other.cert)},
        "public authorities": {"ca_file": None},
        "no certificate": {"cert_file": None, "key_file": None},
        "a stranger's": {"cert_file": str(papers.stranger.cert), "key_file": str(papers.stranger.key)},
    }[mistake]
    good = with_both_certificates.settings
    changed = {name: value for name, value in {**good["tls"], **tls}.items() if value is not None}
    with behind(tmp_path, with_both_certificates.server.url, {**good, "tls": changed}) as driftband:
        for query in (BAND, "load"):
            words = refused(driftband, query)
            assert "prometheus.tls" in words
            assert str(papers.client.key.parent) not in words
        assert "prometheus.tls" in driftband.get("/readyz").json()["source"]


def refused(driftband: DriftbandServer, query: str) -> str:
    """Ask, expect a 503 in Prometheus's form without secrets, and return its words."""
    answer = driftband.get("/api/v1/query", query=query, time=NOW)
    assert answer.status_code == 503, answer.text
    assert answer.json().keys() == {"status", "errorType", "error"}
    assert answer.json()["status"] == "error"
    assert not [secret for secret in SECRETS if secret in answer.text + str(answer.headers)]
    return str(answer.json()["error"])


def test_tenant_and_bearer_token_come_with_every_request(prometheus_factory: PrometheusFactory, tmp_path: Path) -> None:
    prometheus = prometheus_factory(load_of_days())
    settings = {"headers": {"X-Scope-OrgID": TENANT}, "bearer_token": BEARER}
    wanted = {"X-Scope-OrgID": TENANT, "Authorization": f"Bearer {BEARER}"}
    with gate(prometheus.url, wanted) as guarded, behind(tmp_path, guarded.url, settings) as driftband:
        passes_through(driftband, prometheus.get)
        posted = requests.post(
            f"{driftband.url}/api/v1/query",
            data={"query": "load", "time": NOW},
            # A client's own are driftband's to check, and never the source's to see.
            headers={"X-Scope-OrgID": "somebody-else", "Authorization": "Bearer of-somebody-else"},
            timeout=30,
        )
        assert posted.json()["data"]["result"]
        draws_bands(driftband)
        assert driftband.get("/readyz").json()["source"] == "ok"
    assert len(guarded.seen) > 5
    assert all(seen == wanted for seen in guarded.seen)


def test_a_gate_that_stays_shut_is_told(prometheus_factory: PrometheusFactory, tmp_path: Path) -> None:
    wanted = {"X-Scope-OrgID": "the-right-one", "Authorization": f"Bearer {BEARER}"}
    settings = {"headers": {"X-Scope-OrgID": TENANT}, "bearer_token": BEARER}
    with gate(prometheus_factory().url, wanted) as guarded, behind(tmp_path, guarded.url, settings) as driftband:
        assert "credentials" in refused(driftband, BAND)
        passed = driftband.get("/api/v1/query", query="load")
        assert (passed.status_code, passed.text) == (401, "no org id")
