"""What detectors are shown in tests, and how they are stepped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from driftband.detect.detector import Detector, State
from driftband.detect.event import Event
from driftband.model.band import Band
from driftband.model.series import Labels
from driftband.model.signal import Watched, WatchedSignal

MINUTE = 60_000
START = 20_000 * 86_400_000
RULE = WatchedSignal(name="latency", expr="up", unit="s", for_ms=5 * MINUTE)


def part(seen: Watched, first: int, last: int, order: Sequence[int] | None = None) -> Watched:
    """The instants ``first`` to ``last`` of what is seen, its series in another order."""
    rows = list(range(len(seen.labels)) if order is None else order)

    def cut(array: Any) -> Any:
        return array[rows][:, first:last]

    band = Band(**{name: cut(array) for name, array in vars(seen.band).items()})
    return Watched(
        seen.times[first:last],
        tuple(seen.labels[row] for row in rows),
        cut(seen.values),
        band,
        cut(seen.score),
        None if seen.to_breach is None else cut(seen.to_breach),
        None if seen.strays is None else seen.strays[rows],
    )


def make(
    values: Any,
    *,
    labels: Sequence[Labels] | None = None,
    reference: Any = 10.0,
    departed: Any = 0,
    to_breach: Any = None,
    has_band: Any = True,
    strays: Any = None,
) -> Watched:
    """Series (n, T) of one value a minute, in a band around 10 from 8 to 12; the reference is as wide."""
    array = np.atleast_2d(np.asarray(values, dtype=np.float64))
    names = tuple((("series", f"{row:02}"),) for row in range(len(array))) if labels is None else tuple(labels)
    middle = np.where(np.broadcast_to(has_band, array.shape), 10.0, np.nan)
    normal = np.broadcast_to(np.asarray(reference, dtype=np.float64), array.shape)
    side = np.broadcast_to(np.asarray(departed, dtype=np.int64), array.shape)
    fitted = np.zeros(array.shape, dtype=np.int64)
    band = Band(middle, middle - 2, middle + 2, normal, normal - 2, normal + 2, fitted, side)
    times = START + MINUTE * np.arange(array.shape[1], dtype=np.int64)
    breach = None if to_breach is None else np.broadcast_to(np.asarray(to_breach, dtype=np.float64), array.shape)
    habit = None if strays is None else np.broadcast_to(np.asarray(strays, dtype=np.float64), (len(array), 2, 2))
    return Watched(times, names, array, band, band.score(array), breach, habit)


def run(
    detector: Detector,
    seen: Watched,
    *,
    cuts: Sequence[int] = (),
    order: Sequence[int] | None = None,
    rule: WatchedSignal = RULE,
    **changes: Any,
) -> list[Event]:
    """Step through what is seen, cut at ``cuts``. States pass through JSON, and must be left as they were."""
    rule = replace(rule, **changes)
    states: dict[Labels, State] = {}
    events: list[Event] = []
    for first, last in pairwise([0, *sorted(cuts), len(seen.times)]):
        before = as_json(states)
        after, found = detector.step(rule, states, part(seen, first, last, order), MINUTE)
        assert as_json(states) == before
        states = from_json(as_json(after))
        events += found
    return events


def told(events: Sequence[Event]) -> list[tuple[int, str]]:
    """Say of events when, in minutes since START, and what."""
    return [((event.at - START) // MINUTE, event.what) for event in events]


def as_json(states: Mapping[Labels, State]) -> str:
    return json.dumps([[labels, dict(state)] for labels, state in states.items()], allow_nan=False)


def from_json(text: str) -> dict[Labels, State]:
    return {tuple((name, value) for name, value in labels): state for labels, state in json.loads(text)}
