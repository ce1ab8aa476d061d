"""One POST goes to one address, and ends."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from driftband.respond.outcome import Answer, Failed
from driftband.respond.post import Address, post

from .stand_ins import Reply, StandIn


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Give the URL of a server that takes one connection and does ``talk``."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
        thread.join()


def sent(url: str, within: float = 10.0) -> Answer | Failed:
    return post(Address(url=url), "", b"{}", {"Content-Type": "application/json"}, within)


def test_no_redirect_is_followed() -> None:
    with StandIn() as other, StandIn() as server:
        server.replies = [Reply(status=307, headers={"Location": other.url})]
        outcome = sent(server.url)
        assert isinstance(outcome, Answer)
        assert (outcome.status, other.asked) == (307, [])


def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    with StandIn() as proxy, StandIn() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login hunter password hunter\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert isinstance(sent(server.url), Answer)
        assert proxy.asked == []
        assert "authorization" not in server.asked[0].headers


def test_an_answer_that_drips_ends_in_time() -> None:
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not gone.wait(0.05):
                connection.sendall(b"X-A: b\r\n")
        except OSError:
            pass

    with listening(drip) as url:
        outcome = sent(url, within=0.5)
        gone.set()
    assert isinstance(outcome, Failed)
    assert (outcome.unreached, outcome.permanent) == (True, False)
    assert "in time" in outcome.error


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100_000])
def test_garbage_is_a_failure_that_may_pass(said: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(said)

    with listening(talk) as url:
        outcome = sent(url)
    assert isinstance(outcome, Failed)
    assert outcome.unreached


def test_what_is_not_there_is_said_without_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    outcome = sent(f"http://hunter:hunter@127.0.0.1:{port}/hunter")
    assert outcome == Failed(error="refuses the connection; is it running?", unreached=True)
    assert sent("https://name.invalid/hunter") == Failed(error="its host name is not known", unreached=True)


def test_tls_that_is_not_trusted_is_none() -> None:
    with StandIn() as server:
        outcome = sent(server.url.replace("http:", "https:"))
    assert isinstance(outcome, Failed)
    assert "no secure connection" in outcome.error


def test_the_path_goes_behind_that_of_the_address() -> None:
    with StandIn() as server:
        for base in ("", "/", "/am", "/am/"):
            post(Address(url=server.url + base), "/api/v2/alerts", b"", {})
        assert [asked.path for asked in server.asked] == ["/api/v2/alerts"] * 2 + ["/am/api/v2/alerts"] * 2
