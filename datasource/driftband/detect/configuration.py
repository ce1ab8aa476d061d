"""The configuration detector: what a report shows of each resource, as drift or as something that alarms nobody.

Classes are those of SHAPES.md. Each observation carries its reason in words.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from driftband.model.attribute import AttributeDiff
from driftband.model.finding import ALARMING, Class
from driftband.model.ignore import Ignore
from driftband.model.report import Drifted, Planned, Report, Resource

ADDRESS_LENGTH = 600
ADDRESS_BYTES = 1_600
"""Of an address that is kept: an index of PostgreSQL takes no more, with the name of the workspace beside it."""
WHOLE_WORKSPACE = "workspace_drifted"


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a report shows of one resource. ignored_by: an ignore rule's id, or ``plan``.

    unless_ignored: the class without the rule that ignores it, None where none does.
    """

    address: str
    resource_type: str
    module: str
    kind: str
    class_: Class
    reason: str
    attributes: tuple[AttributeDiff, ...] = ()
    ignored_by: str | None = None
    unless_ignored: Class | None = None

    @property
    def alarming(self) -> bool:
        """Whether it counts as drift."""
        return self.class_ in ALARMING


@dataclass(frozen=True, kw_only=True)
class Around:
    """What is known beside the report. at: when the run was made.

    planned: what the report's own normal plan would do, by address with the paths it would change (empty: all of it); None
    for a refresh-only one. An earlier plan knows nothing of drift that came after it. overlapping: the id of an apply that ran at the same time, or None.
    """

    workspace: str
    at: datetime
    rules: tuple[Ignore, ...] = ()
    planned: Mapping[str, frozenset[str]] | None = None
    overlapping: str | None = None
    ignored_by_plan: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Addresses whose open finding a plan had ignored, with the paths of it."""


def shorten(address: str) -> str:
    """Return an address as it is kept: control characters made visible, hostile lengths cut so that no two become one."""
    if len(address) <= ADDRESS_LENGTH and address.isascii() and address.isprintable():
        return address
    text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in address)
    if len(text) <= ADDRESS_LENGTH and len(text.encode()) <= ADDRESS_BYTES:
        return text
    end = "…" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return text[: ADDRESS_LENGTH - len(end)].encode()[: ADDRESS_BYTES - 20].decode(errors="ignore") + end


def kept(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Return resources under the names that are kept."""
    return tuple(_kept(resource) for resource in resources)


def _kept(r: Resource) -> Resource:
    address, kind, module = shorten(r.address), shorten(r.resource_type), shorten(r.module)
    if (address, kind, module) == (r.address, r.resource_type, r.module):
        return r
    return replace(r, address=address, resource_type=kind, module=module)


def planned_paths(planned: Iterable[Planned]) -> dict[str, frozenset[str]]:
    """Return what a normal plan would do by address: the paths it would change, empty where it is more than an update."""
    return {
        shorten(p.address): frozenset(a.path for a in p.attributes) if p.actions == ("update",) else frozenset()
        for p in planned
    }


def observe(report: Report, around: Around) -> tuple[Observed, ...]:
    """Return what a report shows, at most one observation an address; drift goes before what is merely planned."""
    seen = {shorten(d.address): _drift(d, around) for d in report.drift}
    for planned in report.planned or ():
        address = shorten(planned.address)
        if address not in seen or seen[address].class_ == "normalisation":
            seen[address] = _pending(planned, address)
    return tuple(seen[address] for address in sorted(seen))


def _pending(planned: Planned, address: str) -> Observed:
    return Observed(
        address=address,
        resource_type=shorten(planned.resource_type),
        module=shorten(planned.module),
        kind="pending_change",
        class_="pending",
        reason=f"the code says otherwise and is not applied yet: {' and '.join(planned.actions)}",
        attributes=planned.attributes,
    )


def _drift(drifted: Drifted, around: Around) -> Observed:
    address = shorten(drifted.address)
    rule, rest = _ruled(drifted, address, around)
    kind = "deleted_outside" if drifted.action == "delete" else "attribute_changed" if address else WHOLE_WORKSPACE
    class_, reason = _classified(drifted, address, drifted.attributes if rule else rest, around)
    ignored_by = "plan" if class_ == "ignored" else None
    unless_ignored: Class | None = None
    if rule is not None and class_ != "normalisation":
        class_, reason, ignored_by, unless_ignored = "ignored", said_of(rule), rule.id, class_
    return Observed(
        address=address,
        resource_type=shorten(drifted.resource_type),
        module=shorten(drifted.module),
        kind=kind,
        class_=class_,
        reason=reason,
        attributes=drifted.attributes if class_ == "ignored" else rest,
        ignored_by=ignored_by,
        unless_ignored=unless_ignored,
    )


def _ruled(drifted: Drifted, address: str, around: Around) -> tuple[Ignore | None, tuple[AttributeDiff, ...]]:
    """Return the rule that ignores all of it, or None with the attributes that no rule ignores."""
    rules = [
        rule
        for rule in around.rules
        if rule.holds_at(around.at) and rule.covers(around.workspace, address, drifted.resource_type)
    ]
    whole = next((rule for rule in rules if not rule.attribute), None)
    if whole is not None:
        return whole, ()
    rest = tuple(a for a in drifted.attributes if not any(rule.covers_attribute(a.path) for rule in rules))
    if drifted.attributes and not rest:
        return next(rule for rule in rules if rule.covers_attribute(drifted.attributes[0].path)), ()
    return None, rest


def said_of(rule: Ignore) -> str:
    """Say in words that a rule ignores something."""
    until = f" until {rule.expires_at:%Y-%m-%d}" if rule.expires_at else ""
    return f"ignored by {rule.owner}{until}: {rule.reason}"


def _classified(
    drifted: Drifted, address: str, attributes: tuple[AttributeDiff, ...], around: Around
) -> tuple[Class, str]:
    """Return the class of a drift and the reason, whatever the rules say."""
    if drifted.only_normalised:
        return "normalisation", f"only how nothing is written has moved: {_named(drifted.normalised)}"
    paths = frozenset(a.path for a in attributes)
    if address and around.planned is not None and not would_change(around.planned.get(address), paths):
        return "ignored", "a normal plan would not change it back"
    if around.planned is None and _still_ignored(drifted, around.ignored_by_plan.get(address), paths):
        return "ignored", "the last normal plan would not have changed it"
    if around.overlapping is not None:
        return "provisional", f"it was seen while {around.overlapping} was applying; the next run will tell"
    if not drifted.known_values and address:
        return "provisional", "the stream names no attributes; report the plan's JSON to see them"
    return "drift", _told(drifted, attributes)


def _still_ignored(drifted: Drifted, before: frozenset[str] | None, paths: frozenset[str]) -> bool:
    """Tell whether a plan has ignored this very drift: the same paths, or the deletion, which has none."""
    if before is None:
        return False
    return not before if drifted.action == "delete" else bool(paths) and paths <= before


def would_change(planned: frozenset[str] | None, paths: frozenset[str]) -> bool:
    """Tell whether a plan, as ``planned_paths`` has it for a resource, touches any of the paths. None: it leaves the resource alone; empty: it does all of it anew."""
    if planned is None:
        return False
    return not planned or not paths or any(_related(a, b) for a in planned for b in paths)


def _related(one: str, other: str) -> bool:
    """Whether one path is the other or lies within it: a set is compared whole, a plan may name one of its blocks."""
    short, long = sorted((one, other), key=len)
    return long == short or (long.startswith(short) and long[len(short)] in ".[")


def _told(drifted: Drifted, attributes: tuple[AttributeDiff, ...]) -> str:
    if drifted.action == "delete":
        quirk = "; local_file reports rewritten content as a deletion" if drifted.resource_type == "local_file" else ""
        return f"it is declared and no longer exists{quirk}"
    if not attributes:
        return "it differs from what was declared"
    return f"changed outside Terraform: {_named(tuple(a.path for a in attributes))}"


def _named(paths: tuple[str, ...]) -> str:
    shown = ", ".join(paths[:3])
    return f"{shown} and {len(paths) - 3} more" if len(paths) > 3 else shown  # noqa: PLR2004 - as many as read well
