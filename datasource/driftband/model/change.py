"""Changes: something somebody did, with an interval."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from driftband.model.attribute import AttributeDiff
from driftband.model.moment import show_moment

ChangeKind = Literal["terraform_apply", "deploy", "manual", "other"]
ChangeStatus = Literal["running", "succeeded", "failed"]


@dataclass(frozen=True, kw_only=True)
class Touched:
    """A resource that a change touched. actions: ``create``, ``update``, ``delete``, ``read``, as Terraform lists them."""

    address: str
    type: str = ""
    module: str = ""
    module_version: str = ""
    actions: tuple[str, ...] = ()
    attributes: tuple[AttributeDiff, ...] = ()

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {
            "address": self.address,
            "type": self.type,
            "module": self.module,
            "module_version": self.module_version,
            "actions": list(self.actions),
            "attributes": [attribute.json() for attribute in self.attributes],
        }


@dataclass(frozen=True, kw_only=True)
class Change:
    """What somebody did, from ``started_at`` to ``ended_at`` (None while it runs). id: the sender's key."""

    id: str
    kind: ChangeKind
    status: ChangeStatus = "succeeded"
    started_at: datetime
    ended_at: datetime | None = None
    workspace: str = ""
    commit: str = ""
    actor: str = ""
    url: str = ""
    summary: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)
    resources: tuple[Touched, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a change without an id, or one that ends before it starts."""
        if not self.id:
            raise ValueError("a change needs an id")
        if self.ended_at is not None and self.ended_at < self.started_at:
            raise ValueError("ended_at must not be before started_at")

    def json(self) -> dict[str, Any]:
        """Return the form of SHAPES.md."""
        return {
            "id": self.id,
            "kind": self.kind,
            "status": self.status,
            "started_at": show_moment(self.started_at),
            "ended_at": show_moment(self.ended_at) if self.ended_at else None,
            "workspace": self.workspace or None,
            "commit": self.commit or None,
            "actor": self.actor or None,
            "url": self.url or None,
            "summary": self.summary or None,
            "identity": dict(self.identity),
            "resources": [touched.json() for touched in self.resources],
        }
