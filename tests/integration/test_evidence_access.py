"""Who may read and who may write evidence: tokens by kind, signed webhooks, and pages of other sites."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
import requests

from .evidence_api import Api, B, StartApi, capture, refused

READ, WRITE, APPROVE = (f"{kind}-token-0123456789abcdef" for kind in ("read", "write", "approve"))
SECRET = "webhook-secret-0123456789abcdef"
SAMPLES = Path(__file__).parents[1] / "unit/sources/samples/hooks"
READS = ["/findings", "/findings/x", "/runs", "/changes", "/changes/x", "/inventory?workspace=w", "/ignores"]
WRITES = [
    ("POST", "/drift-reports?workspace=w"),
    ("POST", "/inventory?workspace=w"),
    ("POST", "/changes"),
    ("POST", "/audit-events"),
    ("POST", "/findings/x/accept"),
    ("POST", "/ignores"),
    ("DELETE", "/ignores/x"),
    ("POST", "/hooks/atlantis"),
    ("POST", "/hooks/hcp-terraform"),
]


@pytest.fixture(scope="module")
def guarded(start_api: StartApi) -> Api:
    access = {"read_tokens": [READ], "write_tokens": [WRITE], "approve_tokens": [APPROVE], "webhook_secret": SECRET}
    return start_api(access=access)


@pytest.fixture(scope="module")
def named(start_api: StartApi) -> Api:
    """Return a service without tokens that has a name for others."""
    return start_api(external_url="https://bands.example/")


def _ask(api: Api, method: str, path: str, token: str | None, **more: object) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return api.ask(method, path, headers=headers, **more)


def _refuses(answer: requests.Response, status: int) -> None:
    text = refused(answer, status, "token")
    assert not any(token in text for token in (READ, WRITE, APPROVE, SECRET))
    assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (status == 401)


@pytest.mark.parametrize("path", READS)
def test_reading_needs_a_read_token(guarded: Api, path: str) -> None:
    for token, status in ((None, 401), ("no-such-token-0123456789", 401), (WRITE, 403), (APPROVE, 403)):
        _refuses(_ask(guarded, "GET", path, token), status)
    assert _ask(guarded, "GET", path, READ).status_code in (200, 404)


def test_the_gate_answers_ci_too_which_has_a_write_token_alone(guarded: Api) -> None:
    path = "/verification?change=x&seconds=900"
    for token, status in ((None, 401), ("no-such-token-0123456789", 401), (APPROVE, 403)):
        _refuses(_ask(guarded, "GET", path, token), status)
    for token in (READ, WRITE):
        refused(_ask(guarded, "GET", path, token), 404, "no change 'x'")
    for wrong in (
        "",
        "?change=x",
        "?change=x&seconds=0",
        "?change=x&seconds=15m",
        "?seconds=9",
        "?change=x&seconds=9&for=9",
    ):
        refused(_ask(guarded, "GET", f"/verification{wrong}", READ), 400)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writing_needs_a_write_token(guarded: Api, method: str, path: str) -> None:
    for token, status in ((None, 401), ("no-such-token-0123456789", 401), (READ, 403), (APPROVE, 403)):
        _refuses(_ask(guarded, method, path, token, data=capture(B)), status)
    assert _ask(guarded, method, path, WRITE, data=b"{}").status_code in (400, 404)


def test_a_browsers_session_reads_and_does_not_write(guarded: Api) -> None:
    session = requests.Session()
    signed_in = session.post(f"{guarded.server.url}/sign-in", data={"token": READ}, allow_redirects=False, timeout=30)
    assert signed_in.status_code == 303
    url = f"{guarded.server.url}/driftband/v1"
    assert session.get(f"{url}/findings", timeout=30).status_code == 200
    _refuses(session.post(f"{url}/drift-reports?workspace=w", data=capture(B), timeout=30), 401)


def test_what_was_refused_has_left_nothing(guarded: Api) -> None:
    for path in ("/findings?state=all", "/runs", "/changes"):
        (found,) = [v for v in _ask(guarded, "GET", path, READ).json().values() if v is not None]
        assert found == []


def _signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-TFE-Notification-Signature": hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()}


def test_hcp_terraforms_webhook_is_known_by_its_signature(guarded: Api) -> None:
    body = (SAMPLES / "hcp_run_completed.json").read_bytes()
    path = "/hooks/hcp-terraform"
    for headers in (
        {},
        _signed(body, "another secret"),
        _signed(body, ""),
        _signed(body + b" "),
        {"X-TFE-Notification-Signature": ""},
    ):
        _refuses(guarded.ask("POST", path, data=body, headers=headers), 401)
    assert guarded.ask("POST", path, data=body, headers=_signed(body)).status_code == 200
    (change,) = _ask(guarded, "GET", "/changes", READ).json()["changes"]
    assert (change["id"], change["actor"]) == (json.loads(body)["run_id"], "erik")


@pytest.mark.parametrize("path", ["/hooks/atlantis", "/changes", "/drift-reports?workspace=w"])
def test_the_signature_opens_nothing_else(guarded: Api, path: str) -> None:
    body = (SAMPLES / "atlantis_apply.json").read_bytes()
    _refuses(guarded.ask("POST", path, data=body, headers=_signed(body)), 401)


def test_without_a_secret_a_signature_is_nothing(start_api: StartApi) -> None:
    api = start_api(access={"write_tokens": [WRITE]})
    body = (SAMPLES / "hcp_run_completed.json").read_bytes()
    _refuses(api.ask("POST", "/hooks/hcp-terraform", data=body, headers=_signed(body, "")), 401)
    assert _ask(api, "POST", "/hooks/hcp-terraform", WRITE, data=body).status_code == 200


FOREIGN = [
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
REBOUND = [
    {"Host": "rebound.example"},
    {"Origin": "http://rebound.example", "Host": "rebound.example:8088"},
    {"Sec-Fetch-Site": "same-origin", "Host": "127.0.0.1.rebound.example"},
    {"Host": "localhost.rebound.example"},
    {"Host": "[::1"},
    {"Host": ""},
]


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_without_tokens_no_page_of_another_site_writes(
    api: Api, method: str, path: str, headers: dict[str, str]
) -> None:
    refused(api.ask(method, path, data=b"{}", headers=headers), 403, "other sites")


def test_without_tokens_our_own_pages_and_programs_write(api: Api) -> None:
    own = {"Origin": api.server.url, "Sec-Fetch-Site": "same-origin"}
    for headers in ({}, own, {"Sec-Fetch-Site": "none"}):
        refused(api.ask("POST", "/changes", data=b"{}", headers=headers), 400, "id")


@pytest.mark.parametrize("headers", REBOUND, ids=str)
def test_without_tokens_no_name_of_others_leads_here(api: Api, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/changes"), ("GET", "/findings"), ("GET", "/no/such")):
        text = refused(api.ask(method, path, data=b"{}", headers=headers), 400, "external_url")
        assert "rebound" not in text
    for path in ("/", "/workspaces", "/metrics", "/api/v1/query?query=vector(1)"):
        answer = requests.get(api.server.url + path, headers=headers, timeout=30)
        assert answer.status_code == 400
        assert "external_url" in answer.text
    asked = requests.get(f"{api.server.url}/api/v1/query?query=vector(1)", headers=headers, timeout=30).json()
    assert (asked["status"], asked["errorType"]) == ("error", "bad_data")
    assert requests.get(f"{api.server.url}/healthz", headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8088", "127.0.0.1", "127.8.8.8:80", "[::1]:8088", "host.docker.internal:8088", "bands.example"]
)  # fmt: skip
def test_without_tokens_it_answers_to_its_own_names(named: Api, host: str) -> None:
    assert named.ask("GET", "/findings", headers={"Host": host}).status_code == 200
    assert named.ask("POST", "/changes", data=b"{}", headers={"Host": host}).status_code == 400


def test_with_a_read_token_it_answers_to_any_name(guarded: Api) -> None:
    for host in ("driftband:8088", "rebound.example"):
        headers = {"Host": host, "Authorization": f"Bearer {READ}"}
        assert guarded.ask("GET", "/findings", headers=headers).status_code == 200
        _refuses(guarded.ask("GET", "/findings", headers={"Host": host}), 401)


def test_with_tokens_where_it_comes_from_does_not_matter(guarded: Api) -> None:
    for headers in (*FOREIGN, {"Host": "driftband:8088"}):
        answer = guarded.ask("POST", "/changes", data=b"{}", headers={**headers, "Authorization": f"Bearer {WRITE}"})
        assert answer.status_code == 400
