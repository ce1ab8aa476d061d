"""A process that sends one message through apprise and ends: ``python -m driftband.respond.apprise_child``.

Read from stdin, JSON: url, title, body, type, link; picture (PNG in base64) and picture_link where there is one. Written to stdout, JSON: ok; bad (the address is none); status and
retry_after of the last answer that was no success. With the url alone nothing is sent: ok tells whether it is an address, and
services what there is where it names none. Nothing else is written anywhere: apprise's own words hold addresses.
"""

import base64
import json
import logging
import sys
from typing import Any

import apprise
import requests
from apprise.attachment.memory import AttachMemory
from apprise.common import PersistentStoreMode
from apprise.manager_plugins import NotificationManager

_MAIL = {"mailto", "mailtos"}
_PROGRAMS = {"json", "jsons", "xml", "xmls", "form", "forms"}


class _Watch:
    """Keeps requests to the address that was given, and remembers what it answered."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self._send = requests.Session.send

    def install(self) -> None:
        """Have every session of this process go no other way."""
        watch, send, begin = self, self._send, requests.Session.__init__

        def init(session: requests.Session) -> None:
            begin(session)
            session.trust_env = False  # no proxy, no netrc

        def sending(session: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            response = send(session, request, **{**kwargs, "allow_redirects": False})
            if not response.ok or response.is_redirect:
                watch.status, watch.retry_after = response.status_code, response.headers.get("Retry-After")
            return response

        requests.Session.__init__ = init  # type: ignore[method-assign,assignment]
        requests.Session.send = sending  # type: ignore[method-assign,assignment]


def main() -> None:
    """Send what stdin says."""
    asked = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    watch = _Watch()
    watch.install()
    asset = apprise.AppriseAsset(
        app_id="driftband",
        app_desc="driftband",
        app_url=asked.get("link", ""),
        async_mode=False,
        pgp_autogen=False,
        pem_autogen=False,
        storage_mode=PersistentStoreMode.MEMORY,
    )
    services = apprise.Apprise(asset=asset)
    told: dict[str, Any]
    if not services.add(asked["url"]):
        told = {"ok": False, "bad": True}
    elif "body" not in asked:
        told = {"ok": True}
    else:
        sent = _send(services, asked)
        told = {"ok": bool(sent), "status": watch.status, "retry_after": watch.retry_after}
    if "body" not in asked and not told["ok"]:
        told["services"] = sorted(NotificationManager().schemas())  # type: ignore[no-untyped-call]
    sys.stdout.write(json.dumps(told))


def _send(services: apprise.Apprise, asked: dict[str, Any]) -> bool:
    """Send the text, and the picture as the address can take it: in the message, after it, or as a link."""
    body, attach = asked["body"], None
    kind = {"title": asked["title"], "notify_type": asked["type"], "body_format": apprise.NotifyFormat.TEXT}
    if "picture" in asked:
        content = base64.b64decode(asked["picture"])
        attach = AttachMemory(content=content, name="incident.png", mimetype="image/png")  # type: ignore[no-untyped-call]
        if not all(map(_takes_pictures, services)):
            body, attach = f"{body}\n{asked['picture_link']}", None
    if attach is None or all(one.schema in _MAIL for one in services):
        return bool(services.notify(body=body, attach=attach, **kind))
    # Chats take a picture by a request of its own. Where that fails the text has arrived, and is not sent again.
    sent = bool(services.notify(body=body, **kind))
    if sent:
        services.notify(body="", attach=attach, **kind)
    return sent


def _takes_pictures(service: Any) -> bool:
    """Whether people see what is attached: not by Slack's incoming webhooks, nor where a program reads the message."""
    program = service.schema in _PROGRAMS or getattr(service, "mode", None) == "hook"
    return bool(service.attachment_support) and not program


if __name__ == "__main__":
    main()
