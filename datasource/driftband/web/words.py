"""What a finding and a time are called on a page."""

import json
from datetime import datetime, timedelta
from typing import Any

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


def what(finding: Finding) -> str:
    """Return what is different in few words."""
    shown = [_told(a) for a in finding.attributes[:_MOST_ATTRIBUTES]]
    more = len(finding.attributes) - len(shown)
    if more > 0:
        shown.append(f"and {more} more")
    kind = _KINDS.get(finding.kind, finding.kind.replace("_", " "))
    if not shown:
        return finding.reason if finding.class_ == "normalisation" else kind
    return f"{kind}: {'; '.join(shown)}" if finding.kind != "attribute_changed" else "; ".join(shown)


def _told(attribute: AttributeDiff) -> str:
    if attribute.sensitive:
        return f"{attribute.path} (secret)"
    return f"{attribute.path}: {_value(attribute.before)} \N{RIGHTWARDS ARROW} {_value(attribute.after)}"


def _value(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}\N{HORIZONTAL ELLIPSIS}"
