"""A run as the findings of its workspace see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from driftband.detect.configuration import Observed, shorten
from driftband.model.report import Renamed, Report


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A run as the findings see it. closes: whether it is complete, so that what it does not show is over.

    planned: addresses with the paths that the run's own normal plan would change, None where it made none.
    current: declared attributes by address, after refreshing, None where the report has no state (a stream).
    applied: addresses that applies touched since the last run, with the change's id. window_from: the last instant at
    which a run saw the workspace whole. previous: the id of the last closed finding by (address, kind).
    """

    run: str
    workspace: str
    at: datetime
    closes: bool
    observed: Sequence[Observed]
    renamed: Sequence[Renamed] = ()
    planned: Mapping[str, frozenset[str]] | None = None
    current: Mapping[str, Mapping[str, Any]] | None = None
    applied: Mapping[str, str] = field(default_factory=dict)
    identities: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    window_from: datetime | None = None
    previous: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def is_coarse(self) -> bool:
        """Whether it says that the workspace has drifted, and of no resource which: nothing is over by that."""
        return any(not o.address for o in self.observed)


def current_of(report: Report) -> dict[str, Mapping[str, Any]] | None:
    """Return the attributes of the resources that a report has read, by address; None for a stream."""
    return None if report.resources is None else {shorten(r.address): r.attributes for r in report.resources}
