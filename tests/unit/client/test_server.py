import socket
from dataclasses import dataclass, field

import pytest
from requests import Response

from driftband.client.call import Call, change_call
from driftband.client.server import RefusedError, Server, UnreachedError, _retry_after

from .stand_in import TOKEN, Reply, StandIn

CALL = change_call(b'{"id": "1", "kind": "deploy", "started_at": "2026-11-24T10:00:00Z"}')


@dataclass
class Clock:
    """Time that passes only where somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def server_at(url: str, clock: Clock, token: str = TOKEN) -> Server:
    return Server(url=url, token=token, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5)


def test_a_call_is_sent_with_the_token_and_answered(stand_in: StandIn) -> None:
    assert server_at(stand_in.url, Clock()).send(CALL)["id"] == "1"
    assert stand_in.taken == [("/driftband/v1/changes", {}, CALL.body)]


def test_a_path_before_the_api_is_kept_and_query_values_are_escaped(stand_in: StandIn) -> None:
    call = Call(path="/driftband/v1/drift-reports", query={"workspace": "prod/a&b=c #1", "run": "r"}, body=b"{}")
    stand_in.replies = [Reply()]
    server_at(f"{stand_in.url}/behind", Clock()).send(call)
    assert stand_in.requests == [("/behind/driftband/v1/drift-reports", dict(call.query), b"{}")]


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_a_busy_server_is_asked_again(stand_in: StandIn, status: int) -> None:
    stand_in.replies = [Reply(status=status), Reply(cut=True)]
    clock = Clock()
    assert server_at(stand_in.url, clock).send(CALL)["id"] == "1"
    assert clock.slept == [0.5, 1.0]
    assert len(stand_in.taken) == 1


def test_retry_after_is_heeded(stand_in: StandIn) -> None:
    stand_in.replies = [
        Reply(status=429, headers={"Retry-After": "7"}),
        Reply(status=503, headers={"Retry-After": "soon"}),
    ]
    clock = Clock()
    server_at(stand_in.url, clock).send(CALL)
    assert clock.slept == [pytest.approx(7.05), 1.0]


def test_retry_after_as_a_date_counts_from_the_servers_own_clock() -> None:
    response = Response()
    response.headers["Retry-After"] = "Tue, 24 Nov 2026 10:00:05 GMT"
    response.headers["Date"] = "Tue, 24 Nov 2026 10:00:00 GMT"
    assert _retry_after(response) == 5.0


def test_a_retry_after_beyond_the_time_is_not_waited_for(stand_in: StandIn) -> None:
    stand_in.replies = [Reply(status=429, headers={"Retry-After": "3600"})]
    clock = Clock()
    with pytest.raises(UnreachedError, match=r"not ready \(429\)"):
        server_at(stand_in.url, clock).send(CALL)
    assert clock.slept == []


def test_trying_ends_within_the_time() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        clock = Clock()
        with pytest.raises(UnreachedError, match="cannot be reached"):
            server_at(f"http://127.0.0.1:{taken.getsockname()[1]}", clock).send(CALL)
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert clock.now < 30


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        server = Server(url=f"http://127.0.0.1:{deaf.getsockname()[1]}", within=0.2)
        with pytest.raises(UnreachedError, match="did not answer in time"):
            server.send(CALL)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_what_is_refused_is_told_and_not_tried_again(stand_in: StandIn, status: int) -> None:
    stand_in.replies = [Reply(status=status, body={"title": "no", "detail": f"bad \x1b[31m{TOKEN}"})]
    with pytest.raises(RefusedError) as refused:
        server_at(stand_in.url, Clock()).send(CALL)
    assert str(refused.value) == f"the server refuses this ({status}): no: bad  [31m<secret>"
    assert refused.value.input_is_bad == (status != 404)
    assert len(stand_in.requests) == 1


def test_a_wrong_token_is_told_without_it(stand_in: StandIn) -> None:
    with pytest.raises(RefusedError, match=r"refuses the token in DRIFTBAND_TOKEN \(401\): Unauthorized: a write") as e:
        server_at(stand_in.url, Clock(), token="another-token").send(CALL)
    assert "another-token" not in str(e.value)
    assert not e.value.input_is_bad


def test_a_failure_of_the_server_is_not_tried_again_and_is_no_refusal(stand_in: StandIn) -> None:
    stand_in.replies = [Reply(status=500, body=b"<html>")]
    with pytest.raises(UnreachedError, match=r"the server failed \(500\)"):
        server_at(stand_in.url, Clock()).send(CALL)


def test_a_page_is_no_answer(stand_in: StandIn) -> None:
    stand_in.replies = [Reply(body=b"<html>sign in</html>")]
    with pytest.raises(UnreachedError, match="not driftband"):
        server_at(stand_in.url, Clock()).send(CALL)


def test_redirects_are_not_followed(stand_in: StandIn) -> None:
    target = f"{stand_in.url.replace('http://', 'http://u:secret@')}/else?where=secret"
    stand_in.replies = [Reply(status=307, headers={"Location": target})]
    with pytest.raises(RefusedError, match=rf"redirects to {stand_in.url} \(307\)") as refused:
        server_at(stand_in.url, Clock()).send(CALL)
    assert "secret" not in str(refused.value)
    assert len(stand_in.requests) == 1


def test_the_netrc_is_left_alone_and_the_proxy_is_used(
    stand_in: StandIn, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login dana password from-netrc\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", stand_in.url)
    assert server_at("http://driftband.invalid", Clock()).send(CALL)["id"] == "1"
    assert stand_in.taken[0][0] == "/driftband/v1/changes"


def test_the_proxys_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://dana:hunter22@127.0.0.1:9")
    with pytest.raises(UnreachedError, match="proxy of the environment") as unreached:
        server_at("http://driftband.invalid", Clock()).send(CALL)
    assert "hunter22" not in repr(unreached.value)


@pytest.mark.parametrize("token", ["two words", "new\nline", "n\N{LATIN SMALL LETTER O WITH DIAERESIS}"])
def test_a_token_that_no_header_carries_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as refused:
        Server(url="http://127.0.0.1:9", token=token)
    assert token not in str(refused.value)
    assert token not in repr(Server(url="http://127.0.0.1:9", token="seen-nowhere"))


def test_a_large_body_arrives_whole(stand_in: StandIn) -> None:
    body = (
        b'{"id": "1", "kind": "deploy", "started_at": "2026-11-24T10:00:00Z", "summary": "' + b"x" * 9_000_000 + b'"}'
    )
    server_at(stand_in.url, Clock()).send(change_call(body))
    assert stand_in.taken[0][2] == body
