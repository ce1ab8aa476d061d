"""CloudTrail's records, bare or as EventBridge delivers them.

Source of the form: AWS CloudTrail User Guide, "CloudTrail record contents" and "userIdentity element"; Amazon
EventBridge User Guide, "AWS service events delivered via AWS CloudTrail".
"""

import re

from driftband.model.audit import AuditEvent
from driftband.sources.audit.digest import with_id
from driftband.sources.audit.mentions import mentions
from driftband.sources.fields import Fields

_READING = re.compile(r"(?:Get|List|Describe|Head|BatchGet|Lookup|Search)(?:[A-Z]|$)")


def read_delivered(fields: Fields) -> AuditEvent:
    """Read an event of EventBridge, whose ``detail`` is the record.

    Raises:
        AuditError: where it is none of CloudTrail's, or a field is not as expected.
    """
    if not fields.text("detail-type").endswith("via CloudTrail"):
        raise fields.refuse("detail-type", "'AWS API Call via CloudTrail'")
    if not fields.raw.get("detail"):
        raise fields.refuse("detail", "CloudTrail's record")
    return read_record(fields.inner("detail"))


def read_record(fields: Fields) -> AuditEvent:
    """Read a record. One that failed is read-only: it changed nothing.

    Raises:
        AuditError: where a field is not as expected.
    """
    name = fields.text("eventName")
    service = fields.text("eventSource").removesuffix(".amazonaws.com")
    return with_id(
        AuditEvent(
            id=fields.optional("eventID"),
            at=fields.moment("eventTime"),
            actor=_actor(fields),
            action=f"{service}:{name}",
            resources=mentions(
                *(fields.raw.get(part) for part in ("resources", "requestParameters", "responseElements"))
            ),
            source="cloudtrail",
            read_only=_reads(fields, name) or bool(fields.raw.get("errorCode")),
        )
    )


def _reads(fields: Fields, name: str) -> bool:
    match fields.raw.get("readOnly"):
        case bool(says):
            return says
        case "true" | "false" as says:
            return bool(says == "true")
        case _:
            return _READING.match(name) is not None


def _actor(fields: Fields) -> str:
    identity = fields.inner("userIdentity")
    who = _who(identity)
    through = identity.optional("invokedBy")
    if not who:
        # A service's own event may have no identity; then only where it came from tells.
        origin = fields.optional("sourceIPAddress")
        return through or (origin if origin.endswith(".amazonaws.com") else "unknown")
    return f"{who} through {through}" if through and through != who else who


def _who(identity: Fields) -> str:
    match identity.optional("type"):
        case "Root":
            return f"root of {identity.optional('accountId') or 'the account'}"
        case "AssumedRole":
            return _assumed(identity)
        case "AWSService":
            return identity.optional("invokedBy")
        case "AWSAccount":
            principal = identity.optional("principalId")
            return f"account {identity.optional('accountId')}" + (f" ({principal})" if principal else "")
        case "IdentityCenterUser":
            user = identity.inner("onBehalfOf").optional("userId")
            return f"Identity Center user {user}" if user else identity.optional("principalId")
        case _:
            names = (identity.optional(name) for name in ("arn", "userName", "principalId", "accountId"))
            return next(filter(None, names), "")


def _assumed(identity: Fields) -> str:
    """Name the role and who has taken it on: a role alone is shared by many people."""
    arn = identity.optional("arn")
    context = identity.inner("sessionContext")
    issuer = context.inner("sessionIssuer")
    role = issuer.optional("arn") or issuer.optional("userName") or arn.rpartition("/")[0]
    session = arn.rpartition("/")[2] or identity.optional("principalId").rpartition(":")[2]
    source = context.optional("sourceIdentity")
    details = [f"session {session}" if session else "", f"source identity {source}" if source else ""]
    said = ", ".join(filter(None, details))
    return f"{role} ({said})" if role and said else role or session
