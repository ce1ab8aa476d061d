"""Intents: what the infrastructure's code declares, to be held against what is observed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftband.model.finding import Layer
from driftband.model.report import Resource


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A declared attribute and the query that observes it.

    resource_type: of Terraform; its ``_v1`` is meant too. attribute: its path, indices of single blocks may be left out:
    ``spec.replicas`` for ``spec[0].replicas``. expr: PromQL for the source. match: metric label to attribute, identity:
    identity labels, what the two are joined by. tolerance: in the unit of the metric; more is a violation. for_ms: how
    long it must last. label: where the observed value is a label of an info metric, such as a version, its name; None
    where it is the sample.
    """

    name: str
    resource_type: str
    attribute: str
    expr: str
    match: Mapping[str, str] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    tolerance: float = 0.0
    for_ms: int = 600_000
    label: str | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        """Refuse an intent that joins by nothing: it would hold everything against everything."""
        if not self.match and not self.identity:
            raise ValueError(
                f"intent {self.name} needs a label to match by, as in match: {{namespace: metadata.namespace}}"
            )
        if self.tolerance < 0:
            raise ValueError(f"intent {self.name}: the tolerance must be 0 or more, got {self.tolerance}")

    @property
    def layer(self) -> Layer:
        """Of its findings: what runs."""
        return "runtime"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A resource of the inventory, the workspace that declares it, and its identity labels."""

    workspace: str
    resource: Resource
    identity: Mapping[str, str] = field(default_factory=dict)
