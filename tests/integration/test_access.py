"""Who gets in, and what a stranger can make driftband say."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from .driftband_server import DriftbandServer
from .program import free_port

READ, WRITE = "read-token-0123456789abcdef", "write-token-0123456789abcdef"
BODY = 4096


@pytest.fixture(scope="module")
def driftband(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DriftbandServer]:
    settings = {
        "prometheus": {"url": "sample:"},
        "access": {"read_tokens": [READ], "write_tokens": [WRITE]},
        "limits": {"body": f"{BODY}B"},
    }
    with DriftbandServer(tmp_path_factory.mktemp("driftband"), **settings) as server:
        yield server


def _get(driftband: DriftbandServer, path: str, token: str | None = None, **headers: str) -> requests.Response:
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return requests.get(driftband.url + path, headers=headers, allow_redirects=False, timeout=30)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/query?query=vector(1)",
        "/api/v1/query_range?query=up&start=0&end=1&step=1",
        "/api/v1/labels",
        "/api/v1/status/buildinfo",
        "/api/v1/no_such_endpoint",
    ],
)
def test_the_api_needs_a_read_token(driftband: DriftbandServer, path: str) -> None:
    for token, status in ((None, 401), ("no-such-token-0123456789", 401), ("", 401), (WRITE, 403)):
        answer = _get(driftband, path, token)
        assert answer.status_code == status
        assert answer.json()["status"] == "error"
        assert answer.json().keys() == {"status", "errorType", "error"}
        assert READ not in answer.text
        assert WRITE not in answer.text
        assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (status == 401)
    assert _get(driftband, path, READ).status_code == (404 if "no_such" in path else 200)


def test_the_page_asks_to_sign_in(driftband: DriftbandServer) -> None:
    answer = _get(driftband, "/")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("text/html")
    assert 'type="password"' in answer.text
    assert _get(driftband, "/", WRITE).status_code == 403
    assert _get(driftband, "/", READ).status_code == 200


def test_signing_in_gives_a_cookie_that_is_not_the_token(driftband: DriftbandServer) -> None:
    answer = requests.post(f"{driftband.url}/sign-in", data={"token": READ}, allow_redirects=False, timeout=30)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    cookie = answer.headers["Set-Cookie"]
    assert READ not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    kept = cookie.partition(";")[0]
    for path in ("/", "/api/v1/query?query=vector(1)", "/metrics"):
        assert _get(driftband, path, Cookie=kept).status_code == 200
        assert _get(driftband, path, Cookie=kept[:-1] + ("0" if kept[-1] != "0" else "1")).status_code == 401
        assert _get(driftband, path, Cookie=f"{kept.partition('=')[0]}={READ}").status_code == 401


@pytest.mark.parametrize("token", [WRITE, "", "no-such-token-0123456789", "żółw"])
def test_no_other_token_signs_in(driftband: DriftbandServer, token: str) -> None:
    answer = requests.post(f"{driftband.url}/sign-in", data={"token": token}, allow_redirects=False, timeout=30)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert "does not allow reading" in answer.text


def test_only_health_and_readiness_are_open(driftband: DriftbandServer) -> None:
    assert _get(driftband, "/healthz").status_code == 200
    assert _get(driftband, "/readyz").status_code == 200
    assert _get(driftband, "/metrics").status_code == 401
    assert _get(driftband, "/metrics", WRITE).status_code == 403
    exposed = _get(driftband, "/metrics", READ)
    assert exposed.status_code == 200
    assert "# TYPE " in exposed.text
    assert _get(driftband, "/no/such/page").status_code == 401


def test_no_token_is_ever_logged(driftband: DriftbandServer) -> None:
    requests.post(f"{driftband.url}/sign-in", data={"token": READ}, allow_redirects=False, timeout=30)
    _get(driftband, "/api/v1/labels", READ)
    log = driftband.log.read_text()
    assert "labels" in log
    assert READ not in log
    assert WRITE not in log


@pytest.mark.parametrize("given", [{}, {"read_tokens": [READ]}, {"write_tokens": [WRITE]}])
def test_it_does_not_start_for_others_without_tokens(tmp_path: Path, given: dict[str, list[str]]) -> None:
    config = tmp_path / "driftband.yaml"
    settings = {"listen": f"0.0.0.0:{free_port()}", "prometheus": {"url": "sample:"}, "access": given}
    config.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "driftband", "serve", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "listen" in done.stderr
    missing = {"read_tokens", "write_tokens"} - given.keys()
    assert all(f"access.{kind}" in done.stderr for kind in missing)
    assert READ not in done.stderr
    assert WRITE not in done.stderr


def test_a_larger_body_is_a_413(driftband: DriftbandServer) -> None:
    headers = {"Authorization": f"Bearer {READ}"}
    for path in ("/api/v1/query", "/api/v1/query_range", "/api/v1/series"):
        data = {"query": "vector(1)" + " " * BODY}
        answer = requests.post(driftband.url + path, data=data, headers=headers, timeout=30)
        assert answer.status_code == 413
        assert answer.json()["status"] == "error"
        assert "limits.body" in answer.json()["error"]
    small = requests.post(f"{driftband.url}/api/v1/query", data={"query": "vector(1)"}, headers=headers, timeout=30)
    assert small.status_code == 200


def test_a_foreign_host_is_never_repeated(driftband: DriftbandServer) -> None:
    foreign = "foreign.example"
    for path in ("/", "/api/v1/labels", "/api/v1/nothing", "/healthz", "/metrics", "//x", "/sign-in"):
        for token in (None, READ):
            answer = _get(driftband, path, token, Host=foreign, **{"X-Forwarded-Host": foreign})
            assert foreign not in answer.text
            assert foreign not in str(answer.headers)
    answer = requests.post(
        f"{driftband.url}/sign-in", data={"token": READ}, headers={"Host": foreign}, allow_redirects=False, timeout=30
    )
    assert not re.search(foreign, answer.text + str(answer.headers))


def test_a_long_query_by_get_is_answered(driftband: DriftbandServer) -> None:
    assert _get(driftband, "/api/v1/query?query=vector(1)" + "+" * 8_100, READ).status_code == 200


@pytest.mark.parametrize("length", [8_200, 300_000])
def test_a_longer_one_is_refused_in_prometheus_form_and_pointed_to_post(
    driftband: DriftbandServer, length: int
) -> None:
    answer = _get(driftband, "/api/v1/query?query=vector(1)" + "+" * length, READ)
    assert (answer.status_code, answer.headers["Content-Type"]) == (414, "application/json")
    assert (answer.json()["status"], answer.json()["errorType"]) == ("error", "bad_data")
    assert "POST" in answer.json()["error"]


def test_what_is_no_request_is_refused_without_a_word_of_it(driftband: DriftbandServer) -> None:
    endless = {f"x-{n}": "y" for n in range(200)}
    answer = _get(driftband, "/api/v1/labels", READ, **endless)
    assert (answer.status_code, answer.json()["status"]) == (431, "error")
    host, port = driftband.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"GET /api/v1/labels?token={READ} {READ} HTTP/1.1\r\n\r\n".encode())
        said = connection.makefile("rb").read().decode()
    assert said.startswith("HTTP/1.1 400 ")
    assert '"status":"error"' in said
    assert READ not in said + driftband.log.read_text()
