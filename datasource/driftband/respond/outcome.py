"""What became of one attempt to deliver, and how the answers of HTTP are told apart."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_PASSING = frozenset({408, 425, 429})
"""Refusals that may pass by themselves; any other 4xx says that this message is never taken as it is."""
_LONGEST_PAUSE = timedelta(days=1)
_LONGEST_TEXT = 300


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """It is not known to have it. error: for a person, without secrets.

    permanent: the same message is refused again, however often it is sent. unreached: nobody answered. retry_after: how long
    the receiver wants to be left alone, by all messages.
    """

    error: str
    permanent: bool = False
    unreached: bool = False
    retry_after: timedelta | None = None

    def __post_init__(self) -> None:
        """Refuse a failure that nobody can understand."""
        if not self.error:
            raise ValueError("a failure needs a reason")


Outcome = Delivered | Failed


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. headers: names in small letters. body: its beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def refusal(answer: Answer, at: datetime, said: str = "") -> Failed:
    """Return what an answer that is no acceptance means; ``said``: the receiver's words, already without secrets."""
    status = answer.status
    words = f": {said}" if said else ""
    if 300 <= status < 400:  # noqa: PLR2004 - the redirects
        return Failed(error=f"answered {status}: a redirect, which is not followed; give the address where it leads")
    if status < 300:  # noqa: PLR2004 - a success of another kind
        return Failed(error=f"answered {status}, and not as expected; is the address right?{words}")
    permanent = 400 <= status < 500 and status not in _PASSING  # noqa: PLR2004 - the client's errors
    after = retry_after(answer.headers.get("retry-after", ""), at)
    return Failed(error=f"answered {status}{words}", permanent=permanent, retry_after=None if permanent else after)


def retry_after(text: str, at: datetime) -> timedelta | None:
    """Read ``Retry-After``, seconds or a date; None where there is none. A day at most."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,15}", text):
        return min(timedelta(seconds=min(int(text), 10**9)), _LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - at, timedelta(0)), _LONGEST_PAUSE)


def plainly(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a receiver's words fit for a log and a list: one line, short, without the secrets that it may repeat."""
    for secret in sorted((secret for secret in secrets if secret), key=len, reverse=True):
        text = text.replace(secret, "<secret>")
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
