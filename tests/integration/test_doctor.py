"""The doctor against a real Prometheus, servers that behave badly, and Grafana (a real one where there is one)."""

import json
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from driftband import doctor
from driftband.config import Config, load
from driftband.doctor import Finding

from .grafana_server import Grafana
from .program import free_port
from .prometheus_server import PrometheusServer

DAY = 86_400
TOKEN = "glsa_made-up-token-of-a-test"


def configured(url: str, **variables: str) -> Config:
    environ = {"DRIFTBAND_PROMETHEUS__URL": url, "DRIFTBAND_LIMITS__QUERY_TIMEOUT": "10s"}
    return load(None, environ | {f"DRIFTBAND_{name}": value for name, value in variables.items()})


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {found.name: found for found in findings}


def samples(metric: str, days: float, until: float, labels: tuple[str, ...] = ("a",)) -> str:
    return "".join(
        f'{metric}{{job="{label}"}} 1 {int(at)}\n'
        for label in labels
        for at in range(int(until - days * DAY) - 60, int(until), 300)
    )


@pytest.fixture(scope="module")
def server(prometheus_factory: Callable[..., PrometheusServer]) -> PrometheusServer:
    now = time.time()
    return prometheus_factory(samples("up", 15, now) + samples("orders", 2, now, ("a", "b", "c")))


# A handler's answer: status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
Answering = Callable[[str], Answer]


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json"} | headers, json.dumps(value).encode()


class FakeServer:
    """Answers every GET with what ``answer`` makes of the path; keeps the headers sent to it, their names lowered."""

    def __init__(self, answer: Answering, certificate: Path | None = None) -> None:
        received: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                received.append({name.lower(): value for name, value in self.headers.items()})
                status, headers, body = answer(self.path)
                self.send_response_only(status)
                for name, value in ({"Date": formatdate(usegmt=True)} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                pass

        self.received = received
        self._server = Server(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.port = self._server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_all_is_well_with_a_real_prometheus(server: PrometheusServer) -> None:
    signals = "[{name: orders, expr: 'sum by (job) (orders) # by shop'}]"
    found = by_name(doctor.run(configured(server.url, SIGNALS=signals)))
    assert {name: one.status for name, one in found.items()} == {
        "source": "ok",
        "clock": "ok",
        "history": "ok",
        "signal orders": "ok",
        "labels": "warn",
        "store": "ok",
    }
    assert "service, env, cluster, region, team: a (1 of 1)" in found["labels"].message
    assert found["signal orders"].message == "3 series"


def test_a_shallow_history_is_told_with_what_there_is(server: PrometheusServer) -> None:
    found = by_name(doctor.run(configured(server.url, BANDS__HISTORY="30d")))["history"]
    assert found.status == "warn"
    assert "of the 30d" in found.message
    assert "about 14d" in found.message or "about 15d" in found.message


def test_a_source_without_up_is_judged_by_its_other_series(
    prometheus_factory: Callable[..., PrometheusServer],
) -> None:
    young = prometheus_factory(samples("orders", 0.5, time.time()))
    found = by_name(doctor.run(configured(young.url)))["history"]
    assert found.status == "warn"
    assert "bands need 1d: there are none yet" in found.message


def test_an_empty_source_is_told(prometheus_factory: Callable[..., PrometheusServer]) -> None:
    found = by_name(doctor.run(configured(prometheus_factory().url)))["history"]
    assert found.status == "warn"
    assert "no sample of the last 14d" in found.message


@pytest.mark.parametrize(
    ("expr", "status", "message"),
    [
        ("sum by (", "fail", "1:9"),
        ("orders", "fail", "3 series, and limits.series is 2"),
        ("nothing_has_this_name", "warn", "no series now"),
        ("1 + 1", "fail", "got scalar"),
        ("orders{job='a'}", "ok", "1 series"),
        ("up[5m]", "fail", "got range vector"),
    ],
)
def test_a_signal_is_tried_at_the_source(server: PrometheusServer, expr: str, status: str, message: str) -> None:
    config = configured(server.url, SIGNALS=json.dumps([{"name": "one", "expr": expr}]), LIMITS__SERIES="2")
    found = by_name(doctor.run(config))["signal one"]
    assert found.status == status
    assert message in found.message


def test_intents_and_the_service_graph_are_tried_too(server: PrometheusServer) -> None:
    declared = {"resource_type": "kubernetes_deployment", "attribute": "spec.replicas"}
    intents = [{"name": "replicas", "declared": declared, "observed": "orders", "identity": ["service"]}]
    config = configured(server.url, INTENTS=json.dumps(intents), DEPENDENCIES="{expr: calls}", LIMITS__SERIES="2")
    found = by_name(doctor.run(config))
    assert (found["intent replicas"].status, found["intent replicas"].message) == ("ok", "3 series")
    assert (found["dependencies"].status, found["dependencies"].message) == ("warn", "no series now")


@pytest.mark.parametrize(("ahead", "status"), [(0, "ok"), (-20, "warn"), (30, "warn"), (90, "fail"), (-3600, "fail")])
def test_a_clock_that_differs_is_told(server: PrometheusServer, ahead: int, status: str) -> None:
    found = by_name(doctor.run(configured(server.url), now=lambda: time.time() - ahead))["clock"]
    assert found.status == status
    if ahead:
        assert ("ahead of" if ahead > 0 else "behind") in found.message


def test_a_date_header_that_differs_is_told() -> None:
    def answer(path: str) -> Answer:
        value = "2" if "1%2B1" in path else str(time.time())
        return as_json({"status": "success", "data": {"result": [0, value]}}, Date=formatdate(0, usegmt=True))

    with FakeServer(answer) as fake:
        found = by_name(doctor.run(configured(fake.url)))
    assert found["source"].status == "ok"
    assert found["clock"].status == "fail"


WEB_PAGE: Answer = (200, {"Content-Type": "text/html"}, b"<!doctype html><title>Sign in</title>")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (WEB_PAGE, "a web page"),
        ((401, {}, b"no org id"), "does not accept the credentials (401)"),
        ((403, {}, b""), "forbids"),
        ((404, {}, b"404 page not found"), "knows no such path (404)"),
        ((429, {}, b""), "limits requests"),
        ((503, {}, b"no healthy upstream"), "fails by itself (503)"),
        ((302, {"Location": "http://127.0.0.1:1/login"}, b""), "redirects elsewhere"),
        ((204, {}, b""), "status 204"),
        ((200, {}, b'{"status": "succ'), "not as a Prometheus does"),
        (as_json([1, 2]), "not as a Prometheus does"),
        (as_json({"data": {"result": {"a": 1}}}), "not as a Prometheus does"),
        (as_json({"status": "success", "data": {"result": [0, "3"]}}), "something else than 2"),
        (as_json({"status": "error", "errorType": "bad_data", "error": "no PromQL here"}, 400), "no PromQL here"),
    ],
)
def test_an_answer_that_is_none_is_told_apart(answer: Answer, message: str) -> None:
    with FakeServer(lambda _: answer) as fake:
        found = doctor.run(configured(fake.url))
    assert [one.name for one in found] == ["source", "store"]
    assert found[0].status == "fail"
    assert message in found[0].message
    assert found[0].mend


def test_a_refused_connection_is_told() -> None:
    assert "refuses the connection" in doctor.run(configured(f"http://127.0.0.1:{free_port()}"))[0].message


def test_an_unknown_name_is_told() -> None:
    assert "(DNS)" in doctor.run(configured("http://no-such-host.invalid:9090"))[0].message


def test_a_slow_source_is_told() -> None:
    done = threading.Event()

    def answer(_: str) -> Answer:
        done.wait(30)
        return WEB_PAGE

    with FakeServer(answer) as fake:
        found = doctor.run(configured(fake.url, LIMITS__QUERY_TIMEOUT="200ms"))
        done.set()
    assert "does not answer within 0.2s" in found[0].message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    try:
        subprocess.run([*new, "-keyout", str(key), "-out", str(cert), *subject], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl not installed")
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


def test_tls_is_checked_and_its_failures_are_told_apart(certificate: Path) -> None:
    def answer(_: str) -> Answer:
        return as_json({"status": "success", "data": {"result": [time.time(), "2"]}})

    with FakeServer(answer, certificate) as fake:
        untrusted = doctor.run(configured(fake.url))
        trusted = doctor.run(configured(fake.url, PROMETHEUS__TLS__CA_FILE=str(certificate)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            unchecked = doctor.run(configured(fake.url, PROMETHEUS__TLS__INSECURE_SKIP_VERIFY="true"))
    with FakeServer(answer) as plain:
        without = doctor.run(configured(plain.url.replace("http:", "https:")))
    assert "is not trusted" in untrusted[0].message
    assert trusted[0].status == "ok"
    assert unchecked[0].status == "ok"
    assert by_name(unchecked)["tls"].status == "warn"
    assert "does not speak TLS" in without[0].message


def test_credentials_go_to_the_source_and_into_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")

    def answer(path: str) -> Answer:
        return as_json({"error": "you sent s3cr3t-of-dana", "path": path}, 400)

    with FakeServer(answer) as fake:
        url = fake.url.replace("://", "://dana:s3cr3t-of-dana@")
        basic = doctor.run(configured(url, PROMETHEUS__HEADERS="{X-Scope-OrgID: shop}"))
        doctor.run(configured(fake.url, PROMETHEUS__BEARER_TOKEN="a-bearer-token"))
    assert "s3cr3t" not in str(basic)
    assert fake.received[0]["authorization"].startswith("Basic ")
    assert fake.received[0]["x-scope-orgid"] == "shop"
    assert fake.received[-1]["authorization"] == "Bearer a-bearer-token"


def test_what_is_no_server_needs_no_reaching(tmp_path: Path) -> None:
    for url in ("sample:", f"replay:{tmp_path}"):
        assert [one.status for one in doctor.run(configured(url))] == ["ok", "ok"]


# Answers of Grafana 12.2 to a service account, shortened.
HEALTH = {"database": "ok", "version": "12.2.0", "commit": "92f1fba9b4b6700328e99e97328d6639df8ddc3d"}
ORGANIZATION = {"id": 1, "name": "Main Org.", "address": {"address1": "", "address2": "", "city": "", "zipCode": ""}}
VIEWER = {
    "annotations:read": ["annotations:type:organization"],
    "datasources:read": ["datasources:*"],
    "orgs:read": [""],
}
# As Grafana 12.2 gives it to a Viewer, who is refused all the same.
BARRED = VIEWER | {"annotations:create": ["annotations:type:dashboard"]}
EDITOR = VIEWER | {"annotations:create": ["annotations:type:organization"], "annotations:write": ["annotations:*"]}
UNAUTHORIZED = {"extra": None, "message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401}
DATA_SOURCE = {
    "id": 1,
    "uid": "driftband",
    "orgId": 1,
    "name": "driftband",
    "type": "prometheus",
    "typeName": "Prometheus",
    "access": "proxy",
    "url": "http://127.0.0.1:8088/",
    "basicAuth": False,
    "isDefault": True,
    "jsonData": {"httpMethod": "POST"},
    "readOnly": True,
}


def grafana_answers(**changed: Answer) -> Answering:
    answers = {
        "health": as_json(HEALTH),
        "org": as_json(ORGANIZATION),
        "permissions": as_json(EDITOR),
        "datasources": as_json([DATA_SOURCE | {"type": "loki"}, DATA_SOURCE]),
    } | changed

    def answer(path: str) -> Answer:
        return answers.get(path.rsplit("/", 1)[1], (404, {}, b"")) if path.startswith("/grafana/api/") else WEB_PAGE

    return answer


def grafana_findings(answer: Answering, prefix: str = "/grafana/") -> tuple[dict[str, Finding], FakeServer]:
    with FakeServer(answer) as fake:
        grafana = json.dumps({"url": fake.url + prefix, "token": TOKEN})
        return by_name(doctor.run(configured("sample:", GRAFANA=grafana))), fake


def test_all_is_well_with_grafana_below_a_path() -> None:
    found, fake = grafana_findings(grafana_answers())
    assert {name: one.status for name, one in found.items()} == {
        "source": "ok",
        "store": "ok",
        "grafana": "ok",
        "grafana token": "ok",
        "grafana role": "ok",
        "grafana data source": "ok",
    }
    assert {headers["authorization"] for headers in fake.received} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("changed", "name", "status", "message"),
    [
        ({"health": as_json({"database": "failing"}, 503)}, "grafana", "fail", "fails by itself (503)"),
        ({"health": as_json({"database": "failing"})}, "grafana", "fail", "its database does not"),
        ({"health": WEB_PAGE}, "grafana", "fail", "a web page"),
        ({"health": (200, {}, b"OK")}, "grafana", "fail", "not as Grafana does"),
        ({"health": (302, {"Location": "/login"}, b"")}, "grafana", "fail", "redirects elsewhere"),
        ({"org": as_json(UNAUTHORIZED, 401)}, "grafana token", "fail", "(401)"),
        ({"permissions": as_json(VIEWER)}, "grafana role", "fail", "may not write annotations"),
        ({"permissions": as_json(BARRED)}, "grafana role", "fail", "may not write annotations"),
        ({"permissions": (404, {}, b"")}, "grafana role", "warn", "cannot be told"),
        ({"datasources": as_json([])}, "grafana data source", "warn", "has the URL http://127.0.0.1:8088"),
        ({"datasources": as_json({"message": "no"}, 403)}, "grafana data source", "warn", "cannot be listed"),
    ],
)
def test_what_is_wrong_with_grafana_is_told_apart(
    changed: dict[str, Answer], name: str, status: str, message: str
) -> None:
    found, _ = grafana_findings(grafana_answers(**changed))
    assert found[name].status == status
    assert message in found[name].message
    assert found[name].mend
    assert TOKEN not in str(found)


def test_a_grafana_that_is_down_is_told() -> None:
    grafana = json.dumps({"url": f"http://127.0.0.1:{free_port()}", "token": TOKEN})
    found = by_name(doctor.run(configured("sample:", GRAFANA=grafana)))
    assert "refuses the connection" in found["grafana"].message


@pytest.mark.parametrize(("role", "status"), [("Viewer", "fail"), ("Editor", "ok")])
def test_a_real_grafana_says_what_a_role_may(grafana: Grafana, role: str, status: str) -> None:
    access = json.dumps({"url": grafana.url, "token": grafana.token(role)})
    found = by_name(doctor.run(configured("sample:", GRAFANA=access)))
    assert found["grafana"].status == "ok"
    assert found["grafana token"].status == "ok"
    assert found["grafana role"].status == status
