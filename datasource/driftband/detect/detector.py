"""The face that detectors of signals share."""

from collections.abc import Mapping
from typing import Any, Protocol

from driftband.detect.event import Event
from driftband.model.series import Labels
from driftband.model.signal import Watched, WatchedSignal

State = Mapping[str, Any]
"""What a detector must remember of one subject: JSON-able, small, and opaque to whoever keeps it."""
States = Mapping[Labels, State]


class Detector(Protocol):
    """Decides from the consecutive instants of one signal; pure."""

    @property
    def kind(self) -> str:
        """The kind of the findings, and the name of the docs page and of the test."""
        ...

    def step(
        self, rule: WatchedSignal, states: States, seen: Watched, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Return the states after ``seen``, which replace all of ``states``, and what happened, in order.

        states: as of the instant before ``seen``; none for what is idle. interval: of the watcher, ms. Whether instants
        come one by one or many at once makes no difference. A series that ``seen`` lacks has no evidence there.
        """
        ...
