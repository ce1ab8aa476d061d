"""The bodies that our own API takes, as JSON Schema tells them; those of others are as they make them."""

from collections.abc import Mapping
from typing import Any, get_args

from driftband.model.change import ChangeKind, ChangeStatus
from driftband.model.identity import LONGEST

Json = dict[str, Any]

_WORDS: Json = {"type": ["string", "null"], "maxLength": 1000}
_SAID: Json = {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": r"\S"}
_TIME: Json = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Json = {"type": ["string", "null"], "format": "date-time"}
_LABELS: Json = {
    "type": "object",
    "propertyNames": {"pattern": "^[a-zA-Z][a-zA-Z0-9_]*$"},
    "additionalProperties": {"type": "string", "maxLength": LONGEST},
    "maxProperties": 50,
}


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


_RESOURCE = _object(
    ("address",),
    address={"type": "string", "minLength": 1, "maxLength": 2000},
    type=_WORDS,
    module=_WORDS,
    module_version=_WORDS,
    actions={
        "type": "array",
        "maxItems": 4,
        "items": {"enum": ["create", "update", "delete", "read", "no-op", "forget"]},
    },
    attributes={
        "type": "array",
        "maxItems": 500,
        "items": _object((), path=_WORDS, before={}, after={}, sensitive={"type": "boolean"}),
    },
)

BODIES: Mapping[str, Json] = {
    "report": {
        "type": "object",
        "required": ["format_version"],
        "properties": {"format_version": {"type": "string"}},
        "description": "What `terraform show -json` prints of a plan, or the lines of `terraform plan -json`; OpenTofu's too.",
    },
    "state": {
        "type": "object",
        "description": "What `terraform show -json` prints of a state, or `terraform state pull`.",
    },
    "audit_events": {
        "type": ["object", "array"],
        "description": "Of CloudTrail, of a Kubernetes API server, or in driftband's own form: docs/api.md.",
    },
    "webhook": {"type": "object", "description": "As its sender makes it."},
    "acceptance": _object(("by", "reason"), by=_SAID, reason=_SAID, until=_MAYBE_TIME),
    "change": _object(
        ("id", "kind", "started_at"),
        id={"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^\x00-\x1f\x7f]+$"},
        kind={"enum": [*get_args(ChangeKind)]},
        status={"enum": [*get_args(ChangeStatus), None]},
        started_at=_TIME,
        ended_at=_MAYBE_TIME,
        workspace={"type": ["string", "null"], "maxLength": 200},
        commit={"type": ["string", "null"], "maxLength": 200},
        actor=_WORDS,
        url={"type": ["string", "null"], "maxLength": 2000, "pattern": "^(https?://[!-~]+)?$"},
        summary={"type": ["string", "null"], "maxLength": 2000},
        identity=_LABELS,
        resources={"type": "array", "items": _RESOURCE},
    ),
    "person": _object((), by=_WORDS),
    "retry": {
        "oneOf": [
            _object(("id",), id=_SAID),
            _object(("all",), all={"const": True}),
        ]
    },
    "ignore": _object(
        ("reason", "owner"),
        workspace=_WORDS,
        address=_WORDS,
        resource_type=_WORDS,
        attribute=_WORDS,
        reason=_SAID,
        owner=_SAID,
        expires_at=_MAYBE_TIME,
    ),
}
