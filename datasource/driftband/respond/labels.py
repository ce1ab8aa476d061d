"""What matchers see of an incident: its labels."""

from collections.abc import Mapping
from typing import Any

_OWN = ("severity", "verdict", "state", "owner")
_OF_THE_ROOT = ("kind", "layer", "signal", "workspace", "resource_type")


def incident_labels(incident: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of an incident in the form of SHAPES.md.

    Its identity; ``incident`` (its id), ``severity``, ``verdict``, ``state``, ``owner``; and where its ``context`` tells them
    of the finding that began it, ``kind``, ``layer``, ``signal``, ``workspace`` and ``resource_type``. What is not known is
    not there, which a matcher takes for empty.
    """
    context = incident.get("context") or {}
    given = {
        **{str(name): value for name, value in (incident.get("identity") or {}).items()},
        **{name: context.get(name) for name in _OF_THE_ROOT},
        **{name: incident.get(name) for name in _OWN},
        "incident": incident.get("id"),
    }
    return {name: value for name, value in given.items() if isinstance(value, str) and value}
