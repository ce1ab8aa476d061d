"""Ids for events that came without one."""

import hashlib
from dataclasses import replace

import orjson

from driftband.model.audit import AuditEvent

LONGEST_ID = 200
"""Bytes."""


def with_id(event: AuditEvent) -> AuditEvent:
    """Return the event with an id: its own (a digest of one that no index takes), else a digest of what it says, so that the same event twice is one.

    What was left out of the event is not in the digest: a digest of a secret tells whoever guesses it.
    """
    if 0 < len(event.id.encode()) <= LONGEST_ID:
        return event
    said = event.id.encode() or orjson.dumps(event.json(), option=orjson.OPT_SORT_KEYS)
    return replace(event, id=hashlib.sha256(said).hexdigest()[:32])
