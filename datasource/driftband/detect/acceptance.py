"""What a person has accepted for a time, and how far that goes.

A yes with a reason is of what was seen: where more of the resource drifts, or worse, it has to be asked for again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from driftband.detect.configuration import Observed
from driftband.detect.severity import severity_of
from driftband.model.finding import Finding, Transition, step
from driftband.model.moment import show_moment
from driftband.model.standing import SEVERITIES

ACCEPTED = "accepted"
"""The evidence of an accepted finding: who said so and why, until when, and of what."""


def accept(finding: Finding, at: datetime, by: str, reason: str, until: datetime | None) -> tuple[Finding, Transition]:
    """Return an open or accepted finding as accepted by a person, and its step. until: None for as long as it is there."""
    severity, _ = severity_of(finding.kind, finding.resource_type, finding.attributes)
    end = show_moment(until) if until else None
    paths = sorted(attribute.path for attribute in finding.attributes)
    evidence = {"by": by, "reason": reason, "until": end, "paths": paths, "severity": severity}
    words = f"accepted by {by}{f' until {end}' if end else ''}: {reason}"
    return step(finding, at, words, state="accepted", evidence={**finding.evidence, ACCEPTED: evidence})


def reopened(finding: Finding) -> Finding:
    """Return an accepted finding as one that is open again."""
    evidence = {name: value for name, value in finding.evidence.items() if name != ACCEPTED}
    return replace(finding, state="open", evidence=evidence)


def beyond(finding: Finding, observed: Observed) -> str:
    """Say how what is seen now goes beyond what was accepted; empty where it does not."""
    accepted: Mapping[str, Any] = finding.evidence.get(ACCEPTED, {})
    paths = accepted.get("paths")
    new = [a.path for a in observed.attributes if a.path not in paths] if paths else []
    if new:
        return f"more has drifted than {accepted['by']} accepted: {new[0]}"
    severity, why = severity_of(observed.kind, observed.resource_type, observed.attributes)
    if accepted and SEVERITIES.index(severity) < SEVERITIES.index(accepted["severity"]):
        return f"it is worse than what {accepted['by']} accepted: {why or severity}"
    return ""


def within(observed: Iterable[Observed], known: Iterable[Finding], followed: Mapping[str, str]) -> Sequence[Observed]:
    """Return what is seen of drift that people have accepted. followed: new addresses of renamed resources by their old ones."""
    accepted = {(followed.get(f.address, f.address), f.kind): f for f in known if f.state == "accepted"}
    seen = ((o, accepted.get((o.address, o.kind))) for o in observed if o.alarming)
    return [o for o, finding in seen if finding is not None and not beyond(finding, o)]
