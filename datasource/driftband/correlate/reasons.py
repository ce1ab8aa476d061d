"""A suspect's evidence in words that a person can check."""

import json
import math
from typing import Any

from driftband.correlate.acts import Relation
from driftband.correlate.evidence import Evidence
from driftband.model.attribute import AttributeDiff

_LONGEST = 60
_SHOWN = 2


def reasons(evidence: Evidence, strands: int, *, weak: bool) -> tuple[str, ...]:
    """Return what speaks for and against a change. strands: how many subjects have moved."""
    said = ["weak evidence: nobody should be accused on it"] if weak else []
    said += [_timing(evidence), _relation(evidence)]
    if strands > 1:
        said.append(f"{evidence.explained} of the {strands} subjects that moved are its own or depend on them")
    said += filter(None, (_touched(evidence), _kin(evidence), _against(evidence), _chance(evidence)))
    return tuple(said)


def _timing(evidence: Evidence) -> str:
    began = f"{evidence.act.change.started_at:%H:%M:%S} UTC"
    lag = _minutes(evidence.lag)
    match evidence.timing:
        case "after":
            return f"its clock says {began}, {lag} after the first finding opened: no more than clocks may differ"
        case "running":
            return f"it began at {began} and was still running when the first finding opened, {lag} later"
        case "in its window":
            return f"it began at {began}, within the time in which the configuration was changed"
        case _:
            return f"it began at {began} and ended {lag} before the first finding opened"


def _minutes(minutes: float) -> str:
    whole = round(minutes)
    if whole < 1:
        return "less than a minute"
    return f"{whole} minute{'s' if whole > 1 else ''}" if whole < 120 else f"{whole / 60:.1f} hours"  # noqa: PLR2004


def _relation(evidence: Evidence) -> str:
    touched = ", ".join(sorted(evidence.act.components or evidence.act.named)[:3])
    unsaid = (
        f"it touched {touched}; what moved does not say what it is" if touched else "it does not say what it touched"
    )
    texts = {
        Relation.RESOURCE: "it touched the very resource of the first finding",
        Relation.SERVICE: f"it touched {touched}, where the trouble began",
        Relation.NAMED: f"it touched {touched} by its name, where the trouble began; no label says so",
        Relation.DEPENDENCY: f"it touched {touched}, which is called where the trouble began",
        Relation.FAR_DEPENDENCY: f"it touched {touched}, which is called where the trouble began, over other services",
        Relation.CALLER: f"it touched {touched}, which calls where the trouble began",
        Relation.SYMPTOM: f"it touched {touched}, which moved too, but not first",
        Relation.PLACE: f"it names no service, and touched {_places(evidence)}, where the trouble is",
        Relation.WORKSPACE: "it is of the same workspace or module",
        Relation.UNKNOWN: unsaid,
    }
    return texts[evidence.relation]


def _places(evidence: Evidence) -> str:
    return ", ".join(f"{name} {value}" for name, value in evidence.act.places)


def _touched(evidence: Evidence) -> str:
    act = evidence.act
    if act.trivial:
        return "against it: it touched nothing but tags, labels or descriptions"
    diffs = [(touched.address, diff) for touched in act.change.resources for diff in touched.attributes]
    told = [f"{_diff(diff)} of {address[:_LONGEST]}" for address, diff in diffs[:_SHOWN]]
    if told:
        more = f" and {len(diffs) - _SHOWN} more" if len(diffs) > _SHOWN else ""
        return f"it changed {', '.join(told)}{more}"
    if act.destroys:
        return "it deleted resources"
    return ""


def _diff(diff: AttributeDiff) -> str:
    if diff.sensitive:
        return f"{diff.path[:_LONGEST]} (a secret)"
    return f"{diff.path[:_LONGEST]} from {_value(diff.before)} to {_value(diff.after)}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str) if value is not None else "nothing"
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _kin(evidence: Evidence) -> str:
    if not evidence.kin:
        return ""
    return f"what it changed and what moved share the words {', '.join(sorted(evidence.kin)[:3])}"


def _against(evidence: Evidence) -> str:
    if not evidence.conflicts:
        return ""
    return f"against it: it was made elsewhere ({_places(evidence)})"


def _chance(evidence: Evidence) -> str:
    by_chance = 1 - math.exp(-evidence.per_hour * evidence.window / 60)
    often = f"{evidence.per_hour:.1f}" if evidence.per_hour >= 0.1 else "less than 0.1"  # noqa: PLR2004
    return (
        f"changes as close as this happen {often} times an hour here: in {by_chance:.0%} of such "
        f"{_minutes(evidence.window)} one is there by chance"
    )
