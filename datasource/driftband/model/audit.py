"""Audit events: who did what to which resource, as a cloud or a cluster recorded it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftband.model.moment import show_moment


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One event. resources: the names, ids and ARNs that it speaks of. read_only: it changed nothing."""

    id: str
    at: datetime
    actor: str
    action: str
    resources: tuple[str, ...]
    source: str = ""
    read_only: bool = False

    def json(self) -> dict[str, Any]:
        """Return the form of the API."""
        return {
            "id": self.id,
            "at": show_moment(self.at),
            "actor": self.actor,
            "action": self.action,
            "resources": list(self.resources),
            "source": self.source or None,
        }
