"""What every destination can do: deliver one notification. How an incident is told there stands in a file of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from driftband.model.notification import Notification
from driftband.respond.outcome import Outcome
from driftband.respond.post import Address


class Sender(Protocol):
    """Delivers to one destination. The same notification again, with the same id, is once in effect where keys can do that."""

    def deliver(self, notification: Notification, at: datetime) -> Outcome:
        """Try once, at ``at``. No error of the way or of the receiver is raised."""


class Reminder(Sender, Protocol):
    """A destination that forgets what it is not told again."""

    def remind(self, standing: Sequence[Notification], at: datetime) -> Outcome:
        """Tell again, all at once, how the incidents of these notifications stand."""


class Pictures(Protocol):
    """Draws incidents."""

    def png(self, incident_id: str) -> bytes | None:
        """Return a picture, None where there is none; nothing is raised."""

    def url(self, incident_id: str) -> str:
        """Return where it can be fetched without a token, for a time."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a destination is given. external_url: of driftband, for links, without a slash at the end.

    pictures: of incidents, for messages that may have one.

    address: where to send; for chat the URL of apprise. key: of PagerDuty, ``routing_key``. secret: a webhook is signed by.
    """

    name: str
    address: Address
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    external_url: str = "http://127.0.0.1:8088"
    pictures: Pictures | None = None

    def secrets(self) -> frozenset[str]:
        """Return what no error may repeat."""
        return self.address.secrets() | frozenset(text for text in (self.key, self.secret) if text)


def incident_page(external_url: str, incident: Mapping[str, Any]) -> str:
    """Return the address of an incident's page."""
    return f"{external_url.rstrip('/')}/incidents/{quote(str(incident.get('id', '')), safe='')}"


def one_line(value: Any, longest: int) -> str:
    """Return text as one printable line of at most ``longest`` characters; nothing for what is no text."""
    if not isinstance(value, str):
        return ""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def web_link(value: Any) -> str:
    """Return an http(s) address as it is, and nothing for any other thing: what was sent to us may be hostile."""
    text = one_line(value, 2000)
    return text if text == value and text.startswith(("https://", "http://")) and " " not in text else ""


def suspects_of(incident: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the suspects, the most suspected first."""
    return [one for one in incident.get("suspects") or () if isinstance(one, Mapping)]


def told_of_suspect(suspect: Mapping[str, Any]) -> str:
    """Return a suspect in words: what, how sure, and why."""
    score = suspect.get("score")
    sure = f" ({score:.0%})" if isinstance(score, float | int) else ""
    reasons = "; ".join(one_line(reason, 200) for reason in suspect.get("reasons") or ())
    return f"{one_line(suspect.get('change'), 200)}{sure}: {reasons}"
