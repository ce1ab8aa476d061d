"""Pictures in messages: fetched by PagerDuty, attached in chats, never the reason that a message fails or comes twice."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from PIL import Image

from driftband.model.notification import Notification
from driftband.respond.destinations import sender
from driftband.respond.outcome import Delivered
from driftband.respond.pictured import Pictured
from driftband.respond.post import Address
from driftband.respond.sender import Setup

from .memory_outbox import START, incident, owed
from .stand_ins import ROUTING_KEY, PagerDuty, Reply, StandIn

PAGE = "https://driftband.example"
LINK = f"{PAGE}/pictures/signed.png"


def _dot() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (4, 4)).save(written, "PNG")
    return written.getvalue()


DOT = _dot()


@dataclass
class Drawn:
    """Pictures of every incident but ``without``."""

    without: bool = False
    asked: list[str] = field(default_factory=list)

    def png(self, incident_id: str) -> bytes | None:
        self.asked.append(incident_id)
        return None if self.without else DOT

    def url(self, incident_id: str) -> str:
        assert incident_id == "incident-1"
        return LINK


@pytest.fixture
def chat() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


def _say(server: StandIn, service: str, pictures: Drawn, notification: Notification | None = None) -> object:
    address = Address(url=f"{service}://{server.url.removeprefix('http://')}/topic")
    setup = Setup(name="chat", address=address, external_url=PAGE, pictures=pictures)
    return sender("apprise", setup).deliver(notification or owed(), START)


def test_a_program_gets_the_address_of_the_picture_in_the_same_message(chat: StandIn) -> None:
    assert _say(chat, "json", Drawn()) == Delivered()
    (asked,) = chat.asked
    assert asked.json["message"].splitlines()[-2:] == [f"{PAGE}/incidents/incident-1", LINK]
    assert not asked.json.get("attachments")


@pytest.mark.slow
def test_a_chat_that_takes_files_gets_the_text_and_then_the_picture(chat: StandIn) -> None:
    assert _say(chat, "ntfy", Drawn()) == Delivered()
    text, picture = chat.asked
    assert b"incident-1" in text.body
    assert LINK.encode() not in text.body
    assert DOT in picture.body


@pytest.mark.slow
def test_a_picture_that_fails_sends_no_text_twice(chat: StandIn) -> None:
    chat.replies = [Reply(), Reply(status=500)]
    assert _say(chat, "ntfy", Drawn()) == Delivered()
    assert sum(b"checkout is slow" in asked.body and DOT not in asked.body for asked in chat.asked) == 1


def test_where_there_is_no_picture_there_is_no_word_of_it(chat: StandIn) -> None:
    assert _say(chat, "json", Drawn(without=True)) == Delivered()
    drawn = Drawn()
    assert _say(chat, "json", drawn, replace(owed(), deed="resolved")) == Delivered()
    assert drawn.asked == [], "nothing is drawn of what is over"
    assert all("pictures" not in asked.json["message"] for asked in chat.asked)


@pytest.mark.parametrize("without", [False, True])
def test_pagerduty_fetches_ours_before_those_of_alerts(without: bool) -> None:
    given = {"src": "https://grafana.example/panel.png", "alt": "the alert"}
    with PagerDuty() as server:
        way = sender(
            "pagerduty", Setup(name="oncall", address=Address(url=server.url), key=ROUTING_KEY, external_url=PAGE)
        )
        told = owed(incident={**incident(), "context": {"images": [given]}})
        assert Pictured(way, Drawn(without=without), PAGE).deliver(told, START) == Delivered()
        (asked,) = server.asked
    ours = {"src": LINK, "href": f"{PAGE}/incidents/incident-1", "alt": "checkout is slow"}
    assert asked.json["images"] == ([given] if without else [ours, given])
