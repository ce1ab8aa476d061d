"""What a run of Terraform or OpenTofu says, read and redacted: the value between the readers and the detectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from driftband.model.attribute import AttributeDiff
from driftband.model.change import ChangeStatus, Touched

Tool = Literal["terraform", "opentofu"]


@dataclass(frozen=True, kw_only=True)
class Drifted:
    """A resource whose state and reality differ.

    action: ``update`` or ``delete``, as Terraform names it. attributes: what differs, without what only normalisation
    moved; empty where the report names none (a stream). normalised: paths that differ only in how nothing is written
    (null, "", [], {}) or in an equal JSON text. known_values: False where the report carries no values (a stream).
    """

    address: str
    resource_type: str
    module: str
    action: Literal["update", "delete"]
    attributes: tuple[AttributeDiff, ...] = ()
    normalised: tuple[str, ...] = ()
    known_values: bool = True
    previous_address: str | None = None

    @property
    def only_normalised(self) -> bool:
        """Whether nothing but the writing of nothing has moved."""
        return self.action == "update" and self.known_values and not self.attributes


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a normal plan would do to a resource. actions: as Terraform lists them, never ``no-op`` or ``read`` alone."""

    address: str
    resource_type: str
    module: str
    actions: tuple[str, ...]
    attributes: tuple[AttributeDiff, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Renamed:
    """A resource that has moved to another address."""

    source: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A managed resource as the state has it, with what was declared.

    module: the path of module calls without instance keys, such as ``network.subnet``; empty for the root module.
    module_version: exact where known, else the version constraint, else empty. attributes: leaf values by path,
    sensitive ones left out. sensitive: the paths of those. tags: as the provider keeps them (tags, labels, metadata).
    """

    address: str
    resource_type: str
    module: str
    module_version: str = ""
    provider: str = ""
    attributes: Mapping[str, Any]
    sensitive: tuple[str, ...] = ()
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Report:
    """One body: a plan's JSON, or the stream of ``plan -json``.

    timestamp: the plan's own. errored, locked: as it says of itself. complete: False where something was not read.
    planned: None for a refresh-only plan and for a stream. resources: None where the report has no state (a stream).
    read: how many managed resources were read. unread: addresses that the report says could not be read.
    errors: summaries of diagnostics, redacted.
    """

    source: Literal["plan", "stream"]
    tool: Tool
    tool_version: str = ""
    timestamp: datetime | None = None
    errored: bool = False
    complete: bool = True
    locked: bool = False
    drift: tuple[Drifted, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    planned: tuple[Planned, ...] | None = None
    resources: tuple[Resource, ...] | None = None
    read: int = 0
    unread: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """A state's JSON, read and redacted. lineage and serial: of ``state pull``; ``show -json`` has neither."""

    tool: Tool
    resources: tuple[Resource, ...]
    lineage: str = ""
    serial: int | None = None


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What an apply did, read and redacted.

    started_at, ended_at: None where the log or the plan does not say. summary: counts in words. errors: as in a report.
    """

    tool: Tool
    started_at: datetime | None
    ended_at: datetime | None
    status: ChangeStatus
    summary: str
    resources: tuple[Touched, ...] = ()
    errors: tuple[str, ...] = ()
