"""Attributes of resources and how they differ. What is here has been redacted already."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

REDACTED = "<redacted>"
"""What stands in place of a secret inside a larger value."""


@dataclass(frozen=True, kw_only=True)
class AttributeDiff:
    """One attribute that differs.

    path: as HCL would write it, such as ``ingress[0].cidr_blocks`` or ``tags["cost.center"]``. before: as declared (the
    state), after: as found; None where there is none. A sensitive one says only that it changed.
    """

    path: str
    before: Any = None
    after: Any = None
    sensitive: bool = False

    def __post_init__(self) -> None:
        """Refuse a sensitive attribute with a value."""
        if self.sensitive and (self.before is not None or self.after is not None):
            raise ValueError(f"the sensitive attribute {self.path} must not carry values")

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md: a sensitive one has neither before nor after."""
        if self.sensitive:
            return {"path": self.path, "sensitive": True}
        return {"path": self.path, "before": self.before, "after": self.after, "sensitive": False}


_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def below(path: str, key: str | int) -> str:
    """Return the path of a key or an index below ``path``, as HCL writes it."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.fullmatch(key):
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{key}" if path else key


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the scalars within a JSON value with their paths; null, and empty lists and maps, are nothing."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, below(path, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from leaves(inner, below(path, index))
    elif value is not None:
        yield path, value
