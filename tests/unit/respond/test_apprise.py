"""Chat through apprise: in a process of its own, with nothing of the environment, and no word of the address."""

import json
import logging
import socket
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import unquote_plus

import pytest

from driftband.respond.apprise import Chat
from driftband.respond.apprise_address import problem_with
from driftband.respond.destinations import sender
from driftband.respond.outcome import Delivered, Failed, Outcome
from driftband.respond.post import Address
from driftband.respond.sender import Setup

from .memory_outbox import START, incident, owed
from .stand_ins import Reply, StandIn

PAGE = "https://driftband.example"


@pytest.fixture
def chat() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


def setup(url: str) -> Setup:
    return Setup(name="chat", address=Address(url=url), external_url=PAGE)


def url(server: StandIn, service: str = "json", path: str = "/hunter-path") -> str:
    return server.url.replace("http://", f"{service}://hunter:hunter-word@") + path


def delivered(server: StandIn, *replies: Reply, service: str = "json", path: str = "/hunter-path") -> Outcome:
    server.replies = list(replies)
    return sender("apprise", setup(url(server, service, path))).deliver(owed(), START)


def test_a_message_arrives(chat: StandIn) -> None:
    assert delivered(chat) == Delivered()
    (asked,) = chat.asked
    assert asked.path == "/hunter-path"
    assert asked.json["title"] == "New incident (error): checkout is slow"
    assert asked.json["message"].splitlines()[-1] == f"{PAGE}/incidents/incident-1"
    assert asked.json["type"] == "failure"


@pytest.mark.parametrize("service", ["json", "xml", "form", "mmost"])
def test_hostile_text_stays_text_whatever_the_service_speaks(chat: StandIn, service: str) -> None:
    hostile = "<!channel> <b>x</b> [a](http://evil.example) @all `x` *x* \\n </Message>"
    way = sender("apprise", setup(f"{service}://{chat.url.removeprefix('http://')}/{'token' * 5}"))
    way.deliver(owed(incident=incident(title=hostile, owner=hostile)), START)
    assert chat.asked
    for asked in chat.asked:
        text = unquote_plus(asked.body.decode())
        assert "checkout" in text
        for markup in ("http://evil", "<!channel>", "<b>x", "[a](", "@all", "`x`", "*x*", "</Message> "):
            assert markup not in text


@pytest.mark.parametrize(("status", "permanent"), [(400, True), (404, True), (429, False), (500, False), (302, False)])
def test_answers_are_told_apart(chat: StandIn, status: int, permanent: bool) -> None:
    outcome = delivered(chat, Reply(status=status, headers={"Retry-After": "7", "Location": "/elsewhere"}))
    assert isinstance(outcome, Failed)
    assert (outcome.permanent, len(chat.asked)) == (permanent, 1)
    assert outcome.retry_after == (timedelta(seconds=7) if status in {429, 500} else None)


def test_no_redirect_is_followed_even_where_the_address_asks_for_it(chat: StandIn) -> None:
    with StandIn() as other:
        redirect = Reply(status=307, headers={"Location": other.url})
        outcome = delivered(chat, redirect, path="/hunter-path?redirect=yes")
        assert isinstance(outcome, Failed)
        assert "a redirect, which is not followed" in outcome.error
        assert other.asked == []


def test_nothing_is_taken_from_the_environment(chat: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    with StandIn() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert delivered(chat) == Delivered()
        assert proxy.asked == []
    assert list(tmp_path.iterdir()) == [tmp_path / ".netrc"]


def test_no_word_of_the_address_gets_out(
    chat: StandIn, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = delivered(chat, Reply(status=500, body=b"hunter-word"))
    away = socket.create_server(("127.0.0.1", 0))
    away.close()
    unknown = Chat(setup("hunter://hunter")).deliver(owed(), START)
    assert isinstance(unknown, Failed)
    assert unknown.permanent
    told = capfd.readouterr()
    assert "hunter" not in caplog.text + told.out + told.err + str(outcome) + str(unknown) + repr(
        Chat(setup(url(chat)))
    )


def test_one_that_never_answers_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"json://127.0.0.1:{server.getsockname()[1]}/x"
        outcome = Chat(setup(address), within=3.0).deliver(owed(), START)
    assert isinstance(outcome, Failed)
    assert outcome.unreached
    assert not outcome.permanent


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("json://127.0.0.1/x", None),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", None),
        ("slak://x/y/z", "did you mean slack://"),
        ("slack://x", "a part of its URL is missing or wrong"),
        ("pagerduty://a@b", "use type: pagerduty"),
        ("no url", "expected a URL of apprise"),
    ],
)
def test_an_address_is_checked_without_sending(address: str, said: str | None) -> None:
    found = problem_with(address)
    assert found is None if said is None else said in (found or "")


def test_an_acknowledged_one_is_no_failure(chat: StandIn) -> None:
    way = sender("apprise", setup(url(chat)))
    for sequence, deed in enumerate(["acknowledged", "resolved"], start=2):
        assert way.deliver(owed(sequence, deed), START) == Delivered()
    assert [json.loads(asked.body)["type"] for asked in chat.asked] == ["info", "success"]
