"""Ignore rules: drift that a person has decided to live with, for a reason and for a time."""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from driftband.model.moment import show_moment


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """A rule. workspace, address, resource_type, attribute: shell patterns in which ``*`` is anything; empty is any.

    ``[`` stands for itself: addresses are full of it. expires_at: None for never.
    """

    id: str
    workspace: str = ""
    address: str = ""
    resource_type: str = ""
    attribute: str = ""
    reason: str
    owner: str
    created_at: datetime
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that would ignore everything, or that nobody answers for."""
        if not (self.address or self.resource_type or self.attribute):
            raise ValueError(
                "a rule needs an address, a resource_type or an attribute; else it would ignore everything"
            )
        if not self.reason.strip() or not self.owner.strip():
            raise ValueError("a rule needs a reason and an owner")

    def holds_at(self, moment: datetime) -> bool:
        """Whether the rule is in force at an instant."""
        return self.expires_at is None or moment < self.expires_at

    def speaks_of(self, workspace: str) -> bool:
        """Whether the rule may ignore something in this workspace."""
        return _fits(self.workspace, workspace)

    def covers(self, workspace: str, address: str, resource_type: str) -> bool:
        """Whether the rule speaks of this resource."""
        return self.speaks_of(workspace) and _fits(self.address, address) and _fits(self.resource_type, resource_type)

    def covers_attribute(self, path: str) -> bool:
        """Whether the rule speaks of this attribute of a resource that it covers."""
        return _fits(self.attribute, path)

    def json(self) -> dict[str, Any]:
        """Return the form of the API."""
        return {
            "id": self.id,
            "workspace": self.workspace or None,
            "address": self.address or None,
            "resource_type": self.resource_type or None,
            "attribute": self.attribute or None,
            "reason": self.reason,
            "owner": self.owner,
            "created_at": show_moment(self.created_at),
            "expires_at": show_moment(self.expires_at) if self.expires_at else None,
        }


def _fits(pattern: str, text: str) -> bool:
    return not pattern or fnmatchcase(text, pattern.replace("[", "[[]"))
