"""Runs: what a drift report was, and what it did to the ledger."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from driftband.model.finding import Finding
from driftband.model.moment import show_moment
from driftband.model.report import Renamed

RunStatus = Literal["clean", "drifted", "partial", "failed", "locked", "suspect"]
KEYS_END = "\n"
"""What stands behind a run's key where its workspace follows: none of the two may hold it."""
COMPLETE: frozenset[RunStatus] = frozenset({"clean", "drifted"})


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a workspace. id: the sender's key. at: what runs are ordered by. reason: why this status, in words.

    superseded: it is older than the last complete one, so it neither opened nor closed anything. accepted: how many findings
    of the workspace people have accepted.
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
    accepted: int = 0
    renamed: tuple[Renamed, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """What tells it from all others."""
        return f"{self.id}{KEYS_END}{self.workspace}"

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


@dataclass(frozen=True, kw_only=True)
class About:
    """What the sender says of a run beside its body. run: the sender's key, empty for a digest of the content."""

    workspace: str
    run: str = ""
    lineage: str = ""
    serial: int | None = None
    commit: str = ""
    started_at: datetime | None = None
    adopt: bool = False


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of a report. known: the same body had been reported under the same key before."""

    run: Run
    findings: tuple[Finding, ...]
    known: bool = False

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {
            "run": self.run.json(),
            "opened": self.run.opened,
            "still_open": self.run.still_open,
            "closed": self.run.closed,
            "accepted": self.run.accepted,
            "findings": [finding.json() for finding in self.findings],
        }
