"""Audit events of a Kubernetes API server.

Source of the form: Kubernetes' reference of audit.k8s.io/v1. Of what was sent and answered only the object's name is read:
it may be a Secret.
"""

import re

from driftband.model.audit import AuditEvent
from driftband.sources.audit.digest import with_id
from driftband.sources.fields import Fields

_READING = frozenset({"get", "list", "watch"})
_FAILED = 400
_DRY_RUN = re.compile(r"[?&]dryRun=")


def read_event(fields: Fields) -> AuditEvent | None:
    """Read an event; None for another stage than ``ResponseComplete``.

    One that was refused, failed, or was a dry run is read-only: it changed nothing.

    Raises:
        AuditError: where a field is not as expected.
    """
    if fields.text("stage") != "ResponseComplete":
        return None
    verb = fields.text("verb")
    failed = fields.inner("responseStatus").number("code") >= _FAILED
    dry = _DRY_RUN.search(fields.optional("requestURI")) is not None
    times = ("stageTimestamp", "requestReceivedTimestamp")
    return with_id(
        AuditEvent(
            id=fields.optional("auditID"),
            at=fields.moment(next(filter(fields.raw.get, times), times[0])),
            actor=_actor(fields),
            action=f"{verb} {_kind(fields.inner('objectRef')) or 'no object'}",
            resources=_resources(fields),
            source="kubernetes",
            read_only=verb in _READING or failed or dry,
        )
    )


def _actor(fields: Fields) -> str:
    user = fields.inner("user").text("username")
    taken_on = fields.inner("impersonatedUser").optional("username")
    return f"{user} (as {taken_on})" if taken_on else user


def _kind(reference: Fields) -> str:
    parts = (reference.optional("resource"), reference.optional("subresource"))
    return "/".join(filter(None, parts))


def _resources(fields: Fields) -> tuple[str, ...]:
    """Return ``namespace/name``, ``name`` and ``kind/namespace/name``; the kind as in the address, such as deployments."""
    reference = fields.inner("objectRef")
    # The name of an object made by generateName is known from the answer alone.
    name = reference.optional("name") or _answered_name(fields)
    if not name:
        return ()
    namespace, kind = reference.optional("namespace"), reference.optional("resource")
    if kind == "namespaces":
        # A namespace is said to lie in itself.
        namespace = ""
    full = f"{namespace}/{name}" if namespace else name
    return tuple(dict.fromkeys((full, name, f"{kind}/{full}" if kind else full)))


def _answered_name(fields: Fields) -> str:
    match fields.raw.get("responseObject"):
        case {"metadata": {"name": str(name)}}:
            return name
        case _:
            return ""
