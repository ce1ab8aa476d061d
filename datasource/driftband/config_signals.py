"""The sections about what is watched: signals, packs of ready ones, and the watcher itself.

Lengths of time are milliseconds.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal, Self

import yaml
from pydantic import ConfigDict, Field, model_validator

from driftband.config_sections import Model, Section
from driftband.config_values import (
    Duration,
    Finite,
    ImpossibleError,
    Level,
    Moment,
    NotNegative,
    SignalName,
    Text,
    Wait,
)
from driftband.model.signal import Direction, WatchedSignal

Pack = Literal["kubernetes", "http"]
_SHORTEST = 1_000


class Signal(Section):
    """A named PromQL expression that is watched."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=False)

    name: SignalName
    """Unique; the label `signal`."""
    expr: Text
    """PromQL, as the source answers it."""
    unit: str = ""
    """Shown with values: `s`, `bytes`, `ratio`."""
    layer: Literal["runtime", "behavioral"] = "behavioral"
    """`runtime` for what a resource is, `behavioral` for what it does."""
    direction: Direction = "both"
    """The side that hurts: `up`, `down`, `both`."""
    min_deviation: NotNegative = 0.0
    """In the unit: what deviates less does not matter."""
    for_: Wait = Field(default=WatchedSignal.for_ms, alias="for")
    """How long it must last."""
    level: Level | None = None
    """Instead of `bands.level`."""
    model: Model | None = None
    """Instead of `bands.model`."""
    limit: Finite | None = None
    """What must not be crossed, in `direction`; see [saturation](detectors/saturation.md)."""

    def watched(self) -> WatchedSignal:
        """Return the same as the value that the pure rooms work with."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "for_"}
        return WatchedSignal(**values, for_ms=self.for_)


class Watch(Section):
    """The watcher."""

    interval: Duration = 60_000
    """Between the instants that are evaluated; divides `bands.step` or is a multiple of it."""
    start: Moment | None = None
    """A new store begins here instead of now."""
    delay: Wait = 30_000
    """How long an instant waits for samples that come late."""

    @model_validator(mode="after")
    def _whole_seconds(self) -> Self:
        if self.interval % _SHORTEST:
            raise ImpossibleError((("interval",), "must be whole seconds"))
        return self

    def fits(self, step: int) -> None:
        """Raise ImpossibleError where the instants and the grid of bands have too few in common."""
        if step % self.interval and self.interval % step:
            message = "must divide bands.step, or be a multiple of it; 1m goes with the default step of 5m"
            raise ImpossibleError((("watch", "interval"), message))


@cache
def pack(name: Pack) -> tuple[Signal, ...]:
    """Return the ready signals of a pack."""
    text = (files("driftband") / "packs" / f"{name}.yaml").read_text(encoding="utf-8")
    return tuple(Signal.model_validate(one) for one in yaml.safe_load(text)["signals"])


def with_packs(own: Iterable[Signal], names: Iterable[Pack]) -> tuple[Signal, ...]:
    """Return one's own signals and those of packs; one's own replaces the pack's of the same name."""
    found = {signal.name: signal for name in names for signal in pack(name)}
    return tuple({**found, **{signal.name: signal for signal in own}}.values())
