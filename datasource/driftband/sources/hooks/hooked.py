"""What a webhook tells."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from driftband.model.change import Change
from driftband.model.report import Drifted, Report


class HookError(ValueError):
    """A refused webhook. Its text names the field, is for a person, and repeats no value of the body."""


@dataclass(frozen=True, kw_only=True)
class Hooked:
    """One thing told of a workspace: a change, or a run's report. run: the sender's key. url: where to read more."""

    workspace: str
    run: str
    url: str = ""
    change: Change | None = None
    report: Report | None = None

    def __post_init__(self) -> None:
        """Refuse what tells nothing, or two things."""
        if (self.change is None) == (self.report is None):
            raise ValueError("a webhook tells either of a change or of a report")


def told(
    state: Literal["clean", "drifted", "failed"], at: datetime, *, read: int = 1, errors: tuple[str, ...] = ()
) -> Report:
    """Return a report on a workspace as a whole: these webhooks do not say which resources have drifted.

    The drift stands at the address "", without values. read: resources that were looked at; at least 1, which is the
    workspace itself, unless it failed.
    """
    failed = state == "failed"
    drifted = Drifted(address="", resource_type="", module="", action="update", known_values=False)
    return Report(
        source="stream",
        tool="terraform",
        timestamp=at,
        errored=failed,
        complete=not failed,
        drift=(drifted,) if state == "drifted" else (),
        read=0 if failed else max(read, 1),
        errors=errors,
    )
