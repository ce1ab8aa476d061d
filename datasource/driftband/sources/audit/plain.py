"""The plain form, for everything that is neither CloudTrail nor Kubernetes."""

from driftband.model.audit import AuditEvent
from driftband.sources.audit.digest import with_id
from driftband.sources.audit.mentions import MOST_MENTIONS
from driftband.sources.fields import LONGEST, Fields, tidy


def read_event(fields: Fields) -> AuditEvent:
    """Read ``{"id"?, "at", "actor", "action", "resources" or "resource", "source"?, "read_only"?}``.

    Raises:
        AuditError: where one of them is missing or not as expected.
    """
    read_only = fields.raw.get("read_only")
    if not isinstance(read_only, bool | None):
        raise fields.refuse("read_only", "true or false")
    return with_id(
        AuditEvent(
            id=_id(fields),
            at=fields.moment("at"),
            actor=fields.text("actor"),
            action=fields.text("action"),
            resources=_resources(fields),
            source=fields.optional("source"),
            read_only=bool(read_only),
        )
    )


def _id(fields: Fields) -> str:
    value = fields.raw.get("id")
    return str(value) if type(value) is int else fields.optional("id")


def _resources(fields: Fields) -> tuple[str, ...]:
    if "resource" in fields.raw and "resources" not in fields.raw:
        return (_name(fields, "resource", fields.raw["resource"]),)
    values = fields.values("resources")
    if not values:
        raise fields.refuse("resources", "a list of names, or one under resource")
    if len(values) > MOST_MENTIONS:
        raise fields.refuse("resources", f"at most {MOST_MENTIONS} names")
    names = (_name(fields, f"resources[{index}]", value) for index, value in enumerate(values))
    return tuple(dict.fromkeys(names))


def _name(fields: Fields, field: str, value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or tidy(value) != value:
        raise fields.error(f"{fields.at(field)}: expected a name of 1 to {LONGEST} characters on one line")
    return value
