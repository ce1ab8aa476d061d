"""An incident as a person reads it in a chat: plain words, in which nothing that was sent to us can be markup.

Chats read Slack's mrkdwn, some Markdown, or HTML, and apprise converts between them; what each of them escapes differs. So the
signs that mean something in any of them are written as others that look like them, before anybody converts anything.
"""

import re
from collections.abc import Mapping
from typing import Any

from driftband.model.incident import Deed
from driftband.model.notification import Notification
from driftband.respond.sender import incident_page, one_line, suspects_of, told_of_suspect

_LOOK_ALIKES = str.maketrans(
    {"<": "\u2039", ">": "\u203a", "*": "\u2217", "`": "\u02cb", "~": "\u223c", "|": "\u00a6"}
    | {sign: chr(ord(sign) + 0xFEE0) for sign in "&[]@\\#${}"}  # their wide forms
)
_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINK = re.compile(r"(?i)([a-z][a-z0-9+.-]*):(?=//)|\b(mailto|tel|javascript|data):|\b(www)\.")
_COLON, _DOT, _LOW_LINE = "\u2236", "\u2024", "\uff3f"
_WORDS: Mapping[Deed, str] = {
    "opened": "New incident",
    "updated": "Update",
    "acknowledged": "Acknowledged",
    "resolved": "Resolved",
}


def harmless(text: str) -> str:
    """Return text that no chat takes for markup, a mention or a link: one line, with look-alikes of the signs they read."""
    line = _LINK.sub(
        lambda found: (found[1] or found[2] or found[3]) + (_DOT if found[3] else _COLON), one_line(text, 1000)
    )
    return _EDGE.sub(_LOW_LINE, line.translate(_LOOK_ALIKES))


def message(notification: Notification, external_url: str) -> tuple[str, str]:
    """Return title and body; the only link in them is the incident's page."""
    incident = notification.incident
    severity = harmless(str(incident.get("severity") or ""))
    title = f"{_WORDS[notification.deed]} ({severity}): {harmless(str(incident.get('title') or ''))[:300]}"
    lines = [*_about(notification.deed, incident), incident_page(external_url, incident)]
    return title, "\n".join(lines)


def _about(deed: Deed, incident: Mapping[str, Any]) -> list[str]:
    identity = (incident.get("identity") or {}).items()
    where = ", ".join(f"{harmless(str(name))} {harmless(str(value))}" for name, value in identity)
    lines = [where] if where else []
    if owner := incident.get("owner"):
        lines.append(f"owner: {harmless(str(owner))}")
    if deed == "acknowledged" and (who := incident.get("acknowledged_by")):
        lines.append(f"by: {harmless(str(who))}")
    suspects = suspects_of(incident)
    if deed != "resolved":
        lines += [f"suspected: {harmless(told_of_suspect(one))}" for one in suspects[:3]]
        if not suspects:
            lines.append("no change explains it so far")
    return lines
