"""An incident's story in time: what became of it, and among it what its suspects did."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from driftband.model.change import Change
from driftband.model.incident import Incident


@dataclass(frozen=True)
class Line:
    """One line of a story."""

    at: datetime
    what: str
    text: str


def story(incident: Incident, changes: Iterable[Change], most: int) -> list[Line]:
    """Return the story, the oldest line first; of more than ``most`` lines the first and the last ones."""
    lines = [Line(entry.at, entry.what, entry.reason) for entry in incident.timeline]
    for change in changes:
        what = change.kind.replace("_", " ")
        told = f"{change.summary or change.id}{f', by {change.actor}' if change.actor else ''}"
        lines.append(Line(change.started_at, f"{what} began", told))
        if change.ended_at is not None:
            lines.append(Line(change.ended_at, f"{what} {'failed' if change.status == 'failed' else 'ended'}", told))
    lines.sort(key=lambda line: line.at)
    if len(lines) <= most:
        return lines
    left_out = Line(lines[most // 2].at, "and then", f"{len(lines) - most} lines are left out here")
    return [*lines[: most // 2], left_out, *lines[len(lines) - most // 2 :]]
