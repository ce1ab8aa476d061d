"""What PagerDuty tells us: its webhooks of version 3, verified and read. Pure functions of what was received.

Source: PagerDuty's developer documentation, "Webhooks Overview" and "Verifying Signatures": the header
``X-PagerDuty-Signature`` holds one or more ``v1=<hex HMAC-SHA256 of the body>``, separated by commas.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from driftband.model.moment import parse_moment
from driftband.respond.sender import one_line

SIGNATURE = "X-PagerDuty-Signature"

Act = Literal["acknowledge", "unacknowledge", "resolve", "reopen"]
_ACTS: dict[str, Act] = {
    "incident.acknowledged": "acknowledge",
    "incident.unacknowledged": "unacknowledge",
    "incident.resolved": "resolve",
    "incident.reopened": "reopen",
}
NOBODY = "PagerDuty"
"""Who does what no person has done, such as that an acknowledgement ran out."""
_MOST_SIGNATURES = 20


class PagerDutyHookError(ValueError):
    """It is no webhook of PagerDuty's. The text is for a person, and repeats no value of it."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What somebody did in PagerDuty. key: the incident's, as it was sent (``pagerduty_event.dedup_key`` of its id).

    event_id: the same again is the same event. at: when it happened.
    """

    key: str
    act: Act
    by: str
    at: datetime
    event_id: str


def verify(body: bytes, header: str | None, secrets: Iterable[str]) -> bool:
    """Whether the body, as it came, is signed by one of the secrets. Without a secret nothing is."""
    given = [part.strip() for part in (header or "").split(",")[:_MOST_SIGNATURES]]
    signatures = [part.removeprefix("v1=").lower().encode() for part in given if part.startswith("v1=")]
    good = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        for signature in signatures:
            good |= bool(secret) and hmac.compare_digest(expected, signature)
    return good


def read(body: bytes) -> Told | None:
    """Read an event; None for one that tells of nothing that is done here.

    That is every other kind of event, an incident without a key, and what an integration did: that is our own message coming
    back, and it may come after the incident has been opened again.

    Raises:
        PagerDutyHookError: where it is not what PagerDuty sends.
    """
    event = _object(_json(body), "event")
    kind = event.get("event_type")
    if not isinstance(kind, str):
        raise PagerDutyHookError("event.event_type: expected text, such as incident.acknowledged")
    if kind not in _ACTS:
        return None
    data = _object(event, "data", "event.")
    agent = event.get("agent")
    who = agent if isinstance(agent, dict) else {}
    key = data.get("incident_key")
    if not isinstance(key, str) or not key or "integration" in str(who.get("type")):
        return None
    try:
        at = parse_moment(event.get("occurred_at"))
    except ValueError as error:
        raise PagerDutyHookError(f"event.occurred_at: {error}") from None
    event_id = event.get("id")
    if not isinstance(event_id, str) or not event_id:
        raise PagerDutyHookError("event.id: expected text")
    by = one_line(who.get("summary"), 200) or NOBODY
    return Told(key=key, act=_ACTS[kind], by=by, at=at, event_id=event_id)


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except ValueError:
        raise PagerDutyHookError("expected JSON") from None
    if not isinstance(told, dict):
        raise PagerDutyHookError("expected an object with the key event")
    return told


def _object(within: dict[str, Any], name: str, place: str = "") -> dict[str, Any]:
    found = within.get(name)
    if not isinstance(found, dict):
        raise PagerDutyHookError(f"{place}{name}: expected an object")
    return found
