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
    """A named PromQL expression that is watched; level and model default to those of ``bands``.

    min_deviation: in the unit; what deviates less does not matter. ``for``: how long it must last. limit: what must not be
    crossed, in ``direction``.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=False)

    name: SignalName
    expr: Text
    unit: str = ""
    layer: Literal["runtime", "behavioral"] = "behavioral"
    direction: Direction = "both"
    min_deviation: NotNegative = 0.0
    for_: Wait = Field(default=WatchedSignal.for_ms, alias="for")
    level: Level | None = None
    model: Model | None = None
    limit: Finite | None = None

    def watched(self) -> WatchedSignal:
        """Return the same as the value that the pure rooms work with."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "for_"}
        return WatchedSignal(**values, for_ms=self.for_)


class Watch(Section):
    """The watcher. interval: between the instants that it evaluates. start: from when on, where the store has no later one.

    delay: how long an instant waits for samples that come late.
    """

    interval: Duration = 60_000
    start: Moment | None = None
    delay: Wait = 30_000

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
