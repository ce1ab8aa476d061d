"""What PagerDuty is told of an incident (Events API v2) and of a change (Change Events): pure functions.

Source: PagerDuty's developer documentation, "Events API v2 Overview" (512 KB), "Send an Alert Event" (summary 1,024
characters, dedup_key 255, images by HTTPS), "Send a Change Event".
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from driftband.model.change import Change
from driftband.model.incident import Deed
from driftband.model.notification import Notification
from driftband.respond.sender import incident_page, one_line, suspects_of, told_of_suspect, web_link

LARGEST = 512 * 1024
"""Bytes of one event."""
SUMMARY = 1024
KEY = 255
_LINKS = 20
_TOLD = 5
_ENTRIES = 20
_SEVERITIES = frozenset({"info", "warning", "error", "critical"})
_ACTIONS: Mapping[Deed, str] = {
    "opened": "trigger",
    "updated": "trigger",
    "acknowledged": "acknowledge",
    "resolved": "resolve",
}


def dedup_key(incident_id: str) -> str:
    """Return the key that makes all events of an incident speak of one alert."""
    return incident_id if len(incident_id) <= KEY else hashlib.sha256(incident_id.encode()).hexdigest()


def incident_event(notification: Notification, routing_key: str, external_url: str) -> bytes:
    """Return the body for ``/v2/enqueue``; what is too large for it is left out, the page has it."""
    action = _ACTIONS[notification.deed]
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(notification.incident_id),
    }
    if action != "trigger":
        return orjson.dumps(event)
    incident = notification.incident
    event |= {
        "client": "driftband",
        "client_url": incident_page(external_url, incident),
        "payload": _payload(incident),
        "links": _links(incident, external_url),
    }
    if images := _images(incident):
        event["images"] = images
    return _fitting(event)


def change_event(change: Mapping[str, Any], routing_key: str) -> bytes:
    """Return the body for ``/v2/change/enqueue``. change: the form of SHAPES.md; values of attributes are not told."""
    place = one_line(change.get("workspace"), 200)
    resources = [one for one in change.get("resources") or () if isinstance(one, Mapping)]
    details = {
        "change": one_line(change.get("id"), 200),
        "actor": one_line(change.get("actor"), 200),
        "commit": one_line(change.get("commit"), 200),
        "resources": [one_line(one.get("address"), 300) for one in resources[:50]],
        **{str(name): one_line(value, 200) for name, value in (change.get("identity") or {}).items()},
    }
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "payload": {
            "summary": _summary_of(change),
            "timestamp": change.get("ended_at") or change.get("started_at"),
            "source": place or "driftband",
            "custom_details": {name: value for name, value in details.items() if value},
        },
    }
    if link := web_link(change.get("url")):
        event["links"] = [{"href": link, "text": "the run that did it"}]
    return _fitting(event)


def owed_change(destination: str, change: Change, now: datetime) -> Notification:
    """Return the notification that tells a destination of a change; it is owed as one of an incident is.

    The same change, however it has been told since, is the same notification: PagerDuty knows no key of a change, and
    would list it again.
    """
    return Notification(
        id=f"change/{change.id}:1:{destination}",
        destination=destination,
        incident_id=f"change/{hashlib.sha256(change.id.encode()).hexdigest()[:40]}",
        sequence=1,
        deed="opened",
        incident={"title": _summary_of(change.json()), "change": change.json()},
        made_at=now,
        next_at=now,
    )


def _summary_of(change: Mapping[str, Any]) -> str:
    kind = {"terraform_apply": "Terraform apply", "deploy": "deployment"}.get(str(change.get("kind")), "change")
    about = one_line(change.get("summary"), 800) or one_line(change.get("id"), 200)
    place = one_line(change.get("workspace"), 200)
    return one_line(f"{kind}{f' of {place}' if place else ''} {one_line(change.get('status'), 20)}: {about}", SUMMARY)


def _payload(incident: Mapping[str, Any]) -> dict[str, Any]:
    identity = {str(name): str(value) for name, value in (incident.get("identity") or {}).items()}
    severity = incident.get("severity")
    payload = {
        "summary": one_line(incident.get("title"), SUMMARY) or "an incident without a title",
        "source": one_line("/".join(identity.values()), 255) or "driftband",
        "severity": severity if severity in _SEVERITIES else "error",
        "timestamp": incident.get("opened_at"),
        "component": one_line(identity.get("service"), 255),
        "group": one_line(incident.get("owner"), 255),
        "class": one_line(incident.get("verdict"), 255),
        "custom_details": _details(incident, identity),
    }
    return {name: value for name, value in payload.items() if value}


def _details(incident: Mapping[str, Any], identity: Mapping[str, str]) -> dict[str, Any]:
    story = [one for one in incident.get("timeline") or () if isinstance(one, Mapping)]
    details = {
        "incident": incident.get("id"),
        "state": incident.get("state"),
        "verdict": incident.get("verdict"),
        "owner": incident.get("owner"),
        **identity,
        "findings": len(incident.get("findings") or ()),
        "suspects": [told_of_suspect(one) for one in suspects_of(incident)[:_TOLD]],
        "story": [
            f"{one_line(one.get('at'), 40)} {one_line(one.get('what'), 80)}: {one_line(one.get('reason'), 300)}"
            for one in story[-_ENTRIES:]
        ],
        "context": incident.get("context"),
    }
    return {name: value for name, value in details.items() if value}


def _links(incident: Mapping[str, Any], external_url: str) -> list[dict[str, str]]:
    page = {"href": incident_page(external_url, incident), "text": "the incident in driftband"}
    given = [one for one in (incident.get("context") or {}).get("links") or () if isinstance(one, Mapping)]
    links = ((web_link(one.get("href")), one_line(one.get("text"), 200)) for one in given)
    return [page, *({"href": href, "text": text or href[:200]} for href, text in links if href)][:_LINKS]


def _images(incident: Mapping[str, Any]) -> list[dict[str, str]]:
    images = []
    for one in (incident.get("context") or {}).get("images") or ():
        if isinstance(one, Mapping) and (src := web_link(one.get("src"))).startswith("https://"):
            image = {"src": src, "href": web_link(one.get("href")), "alt": one_line(one.get("alt"), 200)}
            images.append({name: value for name, value in image.items() if value})
    return images[:_TOLD]


def _fitting(event: dict[str, Any]) -> bytes:
    """Return the event in JSON, without the larger details where it would be refused for its size."""
    details = event["payload"].get("custom_details", {})
    body = orjson.dumps(event)
    for name in ("context", "story", "resources", "suspects"):
        if len(body) <= LARGEST:
            break
        if name in details:
            details[name] = "left out here, since it is large; the page has it"
            body = orjson.dumps(event)
    return body
