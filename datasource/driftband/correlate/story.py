"""What an incident says of itself: title, severity, owner, identity and context."""

from collections.abc import Mapping, Sequence
from typing import Any

from driftband.correlate.context import Context
from driftband.correlate.scene import Scene
from driftband.correlate.strand import Strand
from driftband.model.change import Change
from driftband.model.finding import Finding, Severity
from driftband.model.incident import Incident, Suspect
from driftband.model.moment import show_moment

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")
_SHOWN_RESOURCES = 20
_SHOWN_ATTRIBUTES = 20
_SHOWN_NAMES = 50
_SHOWN_RUNS = 3
_SHOWN_IMAGES = 3
_OF_THE_ROOT = ("kind", "layer", "signal", "workspace", "resource_type")
_SIMILAR = 3
_LONGEST_TITLE = 160
_KINDS = {
    "band_breach": "{signal} is outside its band",
    "level_shift": "the level of {signal} has moved",
    "stuck_value": "{signal} is stuck",
    "silence": "{signal} has gone silent",
    "saturation": "{signal} is running into its limit",
    "intent_violated": "what runs is not what was declared",
    "new_dependency": "a new dependency has appeared",
    "gone_dependency": "a dependency has gone",
    "attribute_changed": "{address} was changed outside Terraform",
    "deleted_outside": "{address} was deleted outside Terraform",
    "workspace_drifted": "the workspace {workspace} has drifted",
}


def title(root: Strand) -> str:
    """Return the incident's title: where it began, and what was seen first."""
    finding = root.findings[0]
    told = _KINDS.get(finding.kind, finding.kind.replace("_", " "))
    signal = finding.signal or "a signal"
    said = told.format(signal=signal, address=finding.address or "a resource", workspace=finding.workspace)
    where = root.subject.component
    text = f"{where}: {said}" if where else said
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 3] + "..."


def worst(findings: Sequence[Finding], otherwise: Severity) -> Severity:
    """Return the worst severity of the findings that alarm, ``otherwise`` where none does."""
    found = [one.severity for one in findings if one.alarming]
    return max(found, key=SEVERITIES.index, default=otherwise)


def identity(group: Sequence[Strand], root: Strand, context: Context) -> dict[str, str]:
    """Return the identity labels of where it began; what these do not tell, where all others agree."""
    told: dict[str, str] = {}
    for name in context.identity:
        own = next((one.identity[name] for one in root.findings if one.identity.get(name)), None)
        if own is not None:
            told[name] = own
        elif name != context.component:
            others = (one.identity.get(name) for strand in group for one in strand.findings)
            values = {value for value in others if value}
            if len(values) == 1:
                told[name] = values.pop()
    if root.subject.component:
        told[context.component] = root.subject.component
    return told


def owner(root: Strand, labels: Mapping[str, str], context: Context) -> str | None:
    """Return the team: as the labels say, else as the configuration says of the component."""
    return labels.get(context.team) or context.owners.get(root.subject.component)


def traits(group: Sequence[Strand]) -> list[str]:
    """Return what another incident is compared by: what moved where."""
    found = {
        f"{strand.subject.component} {finding.signal or finding.address} {finding.kind}".strip()
        for strand in group
        for finding in strand.findings
    }
    return sorted(found)[:_SHOWN_NAMES]


def describe(
    group: Sequence[Strand],
    root: Strand,
    suspects: Sequence[Suspect],
    changes: Mapping[str, Change],
    scene: Scene,
) -> dict[str, Any]:
    """Return the context: of the finding that began it what routing goes by, and where to look; the first suspect's diff
    (redacted as it came in), symptoms, and who depends on the root.
    """
    component = root.subject.component
    first = changes.get(suspects[0].change) if suspects else None
    graph = scene.graph
    symptoms = [finding.id for strand in group if strand is not root for finding in strand.findings]
    began = root.findings[0]
    return {
        **{name: getattr(began, name) or None for name in _OF_THE_ROOT},
        "links": _links(began, suspects, changes, scene.context),
        "images": _images(root.findings),
        "suspect": told_of(first) if first else None,
        "component": component or None,
        "services": sorted({one.subject.component for one in group if one.subject.component})[:_SHOWN_NAMES],
        "dependents": sorted(graph.dependents(component))[:_SHOWN_NAMES] if component else [],
        "dependencies": sorted(graph.dependencies(component))[:_SHOWN_NAMES] if component else [],
        "symptoms": symptoms[:_SHOWN_NAMES],
        "symptoms_count": len(symptoms),
        "traits": traits(group),
    }


def _links(
    began: Finding, suspects: Sequence[Suspect], changes: Mapping[str, Change], context: Context
) -> list[dict[str, str]]:
    given = began.evidence.get("link")
    where = "the alert" if began.kind == "alert_firing" else "the signal in Explore"
    own = [(where, given)] if isinstance(given, str) else []
    runs = [(f"suspected: {one.id}", one.url) for one in map(changes.get, _names(suspects)) if one and one.url]
    return [{"href": href, "text": text} for text, href in (*own, *context.links(began), *runs)]


def _names(suspects: Sequence[Suspect]) -> list[str]:
    return [one.change for one in suspects[:_SHOWN_RUNS]]


def _images(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return the pictures that came with alerts."""
    pictured = [one for one in findings if isinstance(one.evidence.get("image"), str)]
    return [
        {
            "src": one.evidence["image"],
            "alt": one.reason,
            **({"href": link} if (link := one.evidence.get("link")) else {}),
        }
        for one in pictured[:_SHOWN_IMAGES]
    ]


def told_of(change: Change) -> dict[str, Any]:
    """Return what a person wants to know of a suspect, bounded."""
    told = change.json()
    resources = told.pop("resources")
    shown = [{**one, "attributes": one["attributes"][:_SHOWN_ATTRIBUTES]} for one in resources[:_SHOWN_RESOURCES]]
    modules = {(one.module, one.module_version) for one in change.resources if one.module}
    return {
        **told,
        "modules": [{"module": name, "version": version or None} for name, version in sorted(modules)],
        "resources": shown,
        "resources_count": len(resources),
    }


def similar(incident: Incident, past: Sequence[Incident]) -> list[dict[str, Any]]:
    """Return earlier incidents that have most of what moved in common, the most alike first."""
    mine = set(incident.context.get("traits", ()))
    found = []
    for other in past:
        theirs = set(other.context.get("traits", ()))
        shared = len(mine & theirs)
        if other.id == incident.id or not shared or other.opened_at >= incident.opened_at:
            continue
        found.append((-shared / len(mine | theirs), -other.opened_at.timestamp(), other.id, other))
    return [
        {
            "incident": one.id,
            "title": one.title,
            "opened_at": show_moment(one.opened_at),
            "verdict": one.verdict,
            "suspect": one.suspects[0].change if one.suspects and one.verdict == "explained" else None,
        }
        for _, _, _, one in sorted(found)[:_SIMILAR]
    ]
