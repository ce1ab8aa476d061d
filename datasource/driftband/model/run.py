"""Runs: what a drift report was, and what it did to the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from driftband.model.moment import show_moment
from driftband.model.report import Renamed

RunStatus = Literal["clean", "drifted", "partial", "failed", "locked", "suspect"]
COMPLETE: frozenset[RunStatus] = frozenset({"clean", "drifted"})


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a workspace. id: the sender's key. at: what runs are ordered by. reason: why this status, in words.

    superseded: it is older than the last complete one, so it neither opened nor closed anything.
    """

    id: str
    workspace: str
    status: RunStatus
    tool: str
    at: datetime
    reported_at: datetime
    reason: str = ""
    lineage: str = ""
    serial: int | None = None
    commit: str = ""
    superseded: bool = False
    read: int = 0
    opened: int = 0
    still_open: int = 0
    closed: int = 0
    renamed: tuple[Renamed, ...] = ()
    errors: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {
            "id": self.id,
            "workspace": self.workspace,
            "status": self.status,
            "tool": self.tool,
            "at": show_moment(self.at),
            "reported_at": show_moment(self.reported_at),
            "reason": self.reason,
            "lineage": self.lineage or None,
            "serial": self.serial,
            "commit": self.commit or None,
            "superseded": self.superseded,
            "read": self.read,
            "renamed": [{"from": r.source, "to": r.target} for r in self.renamed],
            "errors": list(self.errors),
        }
