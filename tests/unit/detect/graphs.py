"""Service graphs for tests."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from driftband.detect.detector import State
from driftband.detect.event import Event
from driftband.model.dependency import Dependencies, Edge, Edges
from driftband.model.series import Bools, Labels

from .watching import MINUTE, START, as_json, from_json

DAY = 1440
RULE = Dependencies(expr="x", for_ms=15 * MINUTE)


class Stepped(Protocol):
    def step(
        self, rule: Dependencies, states: Mapping[Labels, State], edges: Edges, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]: ...


def graph(length: int, alive: Mapping[str, Bools] | None = None, **spans: Any) -> Edges:
    """Edges ``client__server`` seen in spans of minutes."""
    seen = np.zeros((len(spans), length), dtype=np.bool_)
    for row, parts in enumerate(spans.values()):
        for first, last in parts:
            seen[row, first:last] = True
    edges: tuple[Edge, ...] = tuple((name.split("__")[0], name.split("__")[1]) for name in spans)
    return Edges(START + MINUTE * np.arange(length, dtype=np.int64), edges, seen, alive or {})


def run(detector: Stepped, edges: Edges, cuts: Sequence[int] = (), order: Sequence[int] | None = None) -> list[Event]:
    rows = list(range(len(edges.edges)) if order is None else order)
    states: dict[Labels, State] = {}
    events: list[Event] = []
    for first, last in pairwise([0, *sorted(cuts), len(edges.times)]):
        alive = {node: shown[first:last] for node, shown in edges.alive.items()}
        names = tuple(edges.edges[row] for row in rows)
        piece = Edges(edges.times[first:last], names, edges.seen[rows][:, first:last], alive)
        after, found = detector.step(RULE, states, piece, MINUTE)
        states = from_json(as_json(after))
        events += found
    return events
