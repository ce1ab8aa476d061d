"""Captures of real runs, and small plans made for one question."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CAPTURES = Path(__file__).parents[3] / "captures"


@pytest.fixture(scope="session")
def capture() -> Callable[[str], bytes]:
    """Return the bytes of a capture, such as ``b_attr_drift/plan.json``."""
    return lambda name: (CAPTURES / name).read_bytes()


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., bytes]:
    """Return a plan in which one resource has gone from ``before`` to ``after``; other top-level keys as they are given."""

    def make(before: Any = None, after: Any = None, *, mask: Any = False, **given: Any) -> bytes:
        change = {"actions": ["update"], "before": before, "after": after, "after_unknown": {}}
        change |= {"before_sensitive": mask, "after_sensitive": mask}
        item = {"address": "aws_thing.main", "mode": "managed", "type": "aws_thing", "name": "main"}
        item |= {"provider_name": "registry.terraform.io/hashicorp/aws", "change": change}
        drift = [] if before is None and after is None else [item]
        plan = {"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {}, "resource_drift": drift}
        return json.dumps({**plan, "applyable": True, "complete": True, "errored": False, **given}).encode()

    return make


@pytest.fixture(scope="session")
def stream_of() -> Callable[..., bytes]:
    """Return a stream of Terraform with these lines after the version."""

    def make(*lines: Any) -> bytes:
        version = {"type": "version", "@timestamp": "2026-11-24T00:16:31.488960Z", "terraform": "1.11.4"}
        texts = [line if isinstance(line, str) else json.dumps(line) for line in (version, *lines)]
        return "".join(f"{text}\n" for text in texts).encode()

    return make
