"""What has become of a finding that a complete run does not show."""

from collections.abc import Mapping
from typing import Any

from driftband.detect.configuration import would_change
from driftband.detect.shown import Shown
from driftband.model.attribute import AttributeDiff, leaves
from driftband.model.finding import Finding


def fate(finding: Finding, shown: Shown) -> tuple[str, str]:
    """Return ``closed`` or ``accepted`` and why, for a finding that a complete run does not show.

    Not being shown has three meanings: reality went back; the code says so too; or the state took it over
    (``apply -refresh-only``) and nobody wrote it into the code.
    """
    address = finding.address
    if not address:
        return "closed", "the run names the resources" if shown.observed else "the workspace no longer drifts"
    if not finding.is_drift:
        return "closed", "it is no longer reported"
    if address in shown.applied:
        return "closed", f"applied by {shown.applied[address]}"
    if shown.current is None:
        if "accepted_undeclared" in (finding.class_, finding.unless_ignored):
            return "accepted", "a stream tells nothing of what the state took over"
        return "closed", "it is no longer reported"
    if finding.kind == "deleted_outside":
        return _deleted(address, shown)
    if address not in shown.current:
        if shown.planned is not None and address in shown.planned:
            return "accepted", "it has gone from the state, and the code still declares it"
        return "closed", "the resource is no longer in the state"
    return _attributes(finding, shown.current[address], shown)


def _deleted(address: str, shown: Shown) -> tuple[str, str]:
    if shown.current is not None and address in shown.current:
        return "closed", "it exists again"
    if shown.planned is None:
        return (
            "accepted",
            "the state took its deletion over; a normal plan would tell whether the code still declares it",
        )
    if address in shown.planned:
        return "accepted", "the state took its deletion over, and the code still declares it"
    return "closed", "the code no longer declares it either"


def _attributes(finding: Finding, current: Mapping[str, Any], shown: Shown) -> tuple[str, str]:
    told = [a for a in finding.attributes if not a.sensitive]
    moved = [a.path for a in told if not _is_back(a, current)]
    if told and not moved:
        return "closed", "reality is what was declared again"
    if shown.planned is not None:
        paths = frozenset(a.path for a in finding.attributes)
        if would_change(shown.planned.get(finding.address), paths):
            return "accepted", "the state took it over, and the code would still change it back"
        return "closed", "the code says so too"
    if not told:
        return "closed", "it is no longer reported; its value is secret, so that nothing more is known"
    return "accepted", (
        f"the state took {moved[0]} over, and no normal plan has shown it in the code: codify it, or revert it"
    )


def _is_back(attribute: AttributeDiff, current: Mapping[str, Any]) -> bool:
    """Whether an attribute is as declared. Of lists and sets, ``before`` and ``after`` may be what differed alone."""
    here = {path: value for path, value in current.items() if _within(path, attribute.path)}
    if isinstance(attribute.before, list) or isinstance(attribute.after, list):
        before, after = _elements(attribute.before), _elements(attribute.after)
        there = _grouped(here, attribute.path)
        return before <= there and not (after - before) & there
    return dict(leaves(attribute.before, attribute.path)) == here


def _within(path: str, outer: str) -> bool:
    return path.startswith(outer) and path[len(outer) :][:1] in ("", ".", "[")


def _elements(value: Any) -> set[frozenset[tuple[str, Any]]]:
    return {frozenset(leaves(element)) for element in value or ()}


def _grouped(here: Mapping[str, Any], path: str) -> set[frozenset[tuple[str, Any]]]:
    """Return the elements of the list at ``path`` from its leaves."""
    elements: dict[str, set[tuple[str, Any]]] = {}
    for leaf, value in here.items():
        index, _, rest = leaf[len(path) + 1 :].partition("]")
        elements.setdefault(index, set()).add((rest.removeprefix("."), value))
    return {frozenset(element) for element in elements.values()}
