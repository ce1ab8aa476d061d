"""What is decoded of a document and waits for redaction: values of a resource with their mask."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from driftband.sources.terraform import masks
from driftband.sources.terraform.documents import Output, ResourceChange
from driftband.sources.terraform.known import Known
from driftband.sources.terraform.masks import Mask

_DECODER = msgspec.json.Decoder()
_MANY_DIGITS = re.compile(rb"\d{19}")
_KEPT = range(-(2**63), 2**64)
_EMPTY = (b"", b"{}", b"false", b"null", b"[]")


def decoded(raw: msgspec.Raw) -> Any:
    """Return the value of what has been left as bytes. A whole number beyond 64 bits is text: nothing else keeps it exactly."""
    value = _DECODER.decode(raw)
    return _keepable(value) if _MANY_DIGITS.search(raw) else value


def _keepable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _keepable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_keepable(inner) for inner in value]
    return str(value) if type(value) is int and value not in _KEPT else value


def decoded_mask(raw: msgspec.Raw) -> Mask:
    """Return a mask; most are empty and need no decoding."""
    return False if bytes(raw) in _EMPTY else masks.mask(decoded(raw))


ACTIONS = ("no-op", "read", "create", "update", "delete", "forget")
"""The words of Terraform and OpenTofu; a replacement has two of them."""
UNKNOWN_ACTION = "unknown"
"""What stands for any other: a newer tool may have one, and what anybody may write into a report is not repeated."""


@dataclass(slots=True)
class SafeChange:
    """A resource's change. before, after: trees; redacted once ``hide`` has gone over them."""

    address: str
    previous: str | None
    type: str
    provider: str
    actions: tuple[str, ...]
    before: Any
    after: Any
    unknown: Any
    mask: Mask


@dataclass(slots=True)
class SafeResource:
    """A resource of a state. values: a tree; None where a change says what was declared."""

    address: str
    type: str
    module: str
    provider: str
    values: Any
    mask: Mask


def opened(item: ResourceChange, address: str, previous: str | None, known: Known) -> SafeChange:
    """Decode a change and learn its secrets."""
    change = item.change
    before, after = decoded(change.before), decoded(change.after)
    # On a delete the mask after is false, and hides nothing of what was before.
    mask = masks.union(decoded_mask(change.before_sensitive), decoded_mask(change.after_sensitive))
    if mask is not False:
        masks.collect(before, mask, known)
        masks.collect(after, mask, known)
    unknown = masks.mask(decoded(change.after_unknown))
    actions = tuple(action if action in ACTIONS else UNKNOWN_ACTION for action in change.actions)
    return SafeChange(address, previous, item.type, item.provider_name, actions, before, after, unknown, mask)


def learn_outputs(outputs: dict[str, Output] | None, also: frozenset[str], known: Known) -> None:
    """Learn the values of sensitive outputs; ``also``: those that the configuration calls so."""
    for name, output in (outputs or {}).items():
        if output.sensitive or name in also:
            known.add(decoded(output.value))
