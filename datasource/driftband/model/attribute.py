"""Attributes of resources and how they differ. What is here has been redacted already."""

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
