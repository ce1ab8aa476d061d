"""Plans that nobody would write by accident."""

import json
from typing import Any

BLOCK = "".join(chr(0x20000 + n) for n in range(2_000))
"""Printable, of four bytes each, and nothing that compresses."""


def plan(
    address: str = "a_thing.x", before: Any = 1, after: Any = 2, kind: str = "a_thing", **top: Any
) -> dict[str, Any]:
    """Return a refresh-only plan of one resource whose attribute ``v`` has moved."""
    thing = {"address": address, "mode": "managed", "type": kind, "name": "x", "provider_name": "example.test/a/a"}
    change = {"actions": ["update"], "before": {"v": before}, "after": {"v": after}}
    state = {"resources": [{**thing, "values": {"v": after, "tags": {"service": "orders"}}}]}
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "timestamp": "2026-11-24T00:17:03Z",
        "applyable": False,
        "complete": True,
        "errored": False,
        "prior_state": {"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": state}},
        "resource_drift": [{**thing, "change": change}],
        **top,
    }


def with_after(text: str) -> bytes:
    """Return the plan with something in place of the attribute's value that no JSON writer would write."""
    return json.dumps(plan(after="HERE")).replace('"HERE"', text).encode()
