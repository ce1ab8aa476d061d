"""The sections that hold what is declared, and who calls whom, against what is observed.

Lengths of time are milliseconds.
"""

from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from driftband.config_sections import Section
from driftband.config_values import Duration, ImpossibleError, LabelName, NotNegative, ResourceType, SignalName, Text
from driftband.model import dependency, intent

GRAPH = dependency.Dependencies.name
"""What the findings of the service graph have in place of a signal's name."""


class Declared(Section):
    """Where the declared value stands: an attribute of the resources of a type."""

    resource_type: ResourceType
    """Of Terraform; its `_v1` is meant too."""
    attribute: Text
    """Its path; indices of single blocks may be left out: `spec.replicas`."""


class Intent(Section):
    """A declared attribute and the PromQL that observes it."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=False)

    name: SignalName
    """Names it in findings and series, as a signal's does."""
    declared: Declared
    """Where the declared value stands."""
    observed: Text
    """PromQL for the source; the labels that join must be left on it."""
    match: Mapping[LabelName, Text] = Field(default_factory=dict)
    """What joins the two: labels of the metric, each with the attribute that has the same value."""
    identity: tuple[LabelName, ...] = ()
    """Identity labels that join the two, besides `match` or in place of it."""
    tolerance: NotNegative = 0.0
    """More than this apart is a violation, in the unit of the metric."""
    for_: Duration = Field(default=intent.Intent.for_ms, alias="for")
    """How long it must last."""
    label: LabelName | None = None
    """Where a label of the metric is what is observed, such as a version, and not its value."""
    unit: str = ""
    """Shown beside numbers."""

    @model_validator(mode="after")
    def _joined(self) -> Self:
        if not self.match and not self.identity:
            message = (
                "says by what declared and observed are joined, and there is neither match nor identity; add for example "
                "match: {namespace: metadata.namespace, deployment: metadata.name}, or identity: [service]"
            )
            raise ImpossibleError((("match",), message))
        if self.label is not None and self.tolerance:
            raise ImpossibleError((("tolerance",), "is for numbers, and label compares text; keep one of the two"))
        return self

    def watched(self) -> intent.Intent:
        """Return the same as the value that the pure rooms work with."""
        return intent.Intent(
            name=self.name,
            resource_type=self.declared.resource_type,
            attribute=self.declared.attribute,
            expr=self.observed,
            match=self.match,
            identity=self.identity,
            tolerance=self.tolerance,
            for_ms=self.for_,
            label=self.label,
            unit=self.unit,
        )


class Dependencies(Section):
    """The service graph."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=False)

    expr: Text
    """PromQL for the source: a series above 0 for each edge, whose labels name client and server."""
    for_: Duration = Field(default=dependency.Dependencies.for_ms, alias="for")
    """How long an edge must be seen to be new; one that has gone is told of after twice as long."""

    def watched(self) -> dependency.Dependencies:
        """Return the same as the value that the pure rooms work with."""
        return dependency.Dependencies(expr=self.expr, for_ms=self.for_)


def check_intents(intents: Iterable[Intent], signals: Iterable[str], identity: Iterable[str]) -> None:
    """Raise ImpossibleError where an intent has a name that something else has, or joins by what is no identity label."""
    wrong: list[tuple[tuple[str | int, ...], str]] = []
    known, taken = tuple(identity), frozenset(signals)
    for place, one in enumerate(intents):
        if one.name in taken:
            message = "a signal, perhaps one of a pack, has this name already; names are unique among both"
            wrong.append((("intents", place, "name"), message))
        wrong += [
            (("intents", place, "identity", number), f"is no identity label; those are {', '.join(known)} (identity)")
            for number, label in enumerate(one.identity)
            if label not in known
        ]
    if wrong:
        raise ImpossibleError(*wrong)
