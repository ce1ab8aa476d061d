"""What a finding, a value and a time are called on a page."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from driftband.model.attribute import AttributeDiff
from driftband.model.finding import Finding

_LONGEST_VALUE, _MOST_ATTRIBUTES = 60, 3
_KINDS = {
    "attribute_changed": "changed",
    "deleted_outside": "deleted, and still declared",
    "pending_change": "not applied yet",
    "workspace_drifted": "the workspace has drifted",
}
_STEPS = ((timedelta(days=2), "d", timedelta(days=1)), (timedelta(hours=2), "h", timedelta(hours=1)))


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, such as ``3 h ago``."""
    passed = now - moment
    for least, unit, one in _STEPS:
        if passed >= least:
            return f"{passed // one} {unit} ago"
    return f"{max(passed, timedelta()) // timedelta(minutes=1)} min ago"


def at(moment: datetime, form: str = "%d %b %H:%M") -> str:
    """Return an instant in UTC, such as ``24 Nov 10:04``."""
    return moment.astimezone(UTC).strftime(form)


def what(finding: Finding) -> str:
    """Return what is different in few words."""
    told = [_told(a) for a in finding.attributes[:_MOST_ATTRIBUTES]]
    more = len(finding.attributes) - len(told)
    if more > 0:
        told.append(f"and {more} more")
    kind = _KINDS.get(finding.kind, finding.kind.replace("_", " "))
    if not told:
        return finding.reason if finding.class_ == "normalisation" else kind
    return f"{kind}: {'; '.join(told)}" if finding.kind != "attribute_changed" else "; ".join(told)


def safe_link(url: Any) -> str:
    """Return an http(s) address as it is, and nothing for what a browser might run instead of opening."""
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else ""


def workspace_path(name: str) -> str:
    """Return the address of a workspace's page. What a browser would take for steps in a path is an argument."""
    if any(part in ("", ".", "..") for part in name.split("/")):
        return f"/workspaces?workspace={quote(name, safe='')}"
    return f"/workspaces/{quote(name)}"


def shown(value: Any, longest: int = _LONGEST_VALUE) -> str:
    """Return a value as JSON, cut to a length."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= longest else f"{text[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def _told(attribute: AttributeDiff) -> str:
    if attribute.sensitive:
        return f"{attribute.path} (secret)"
    return f"{attribute.path}: {shown(attribute.before)} \N{RIGHTWARDS ARROW} {shown(attribute.after)}"
