"""Dependencies: which service calls which, as a service graph's metrics tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from driftband.model.finding import Layer
from driftband.model.series import Bools, Frame, Instants

DAY = 86_400_000

Edge = tuple[str, str]
"""Client and server."""

PAIRS: tuple[tuple[str, str], ...] = (
    ("client", "server"),
    ("source_canonical_service", "destination_canonical_service"),
    ("source_workload", "destination_workload"),
    ("source_service", "destination_service_name"),
    ("source", "destination"),
)
"""Labels that name client and server: Tempo's and OpenTelemetry's, Istio's, and what people write themselves."""


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """expr: PromQL, one series an edge. for_ms: how long an edge must be seen to be new. learn_ms: of the beginning, in
    which every edge is taken for known.
    """

    expr: str
    for_ms: int = 900_000
    learn_ms: int = DAY
    name: str = "dependencies"
    unit: str = ""

    @property
    def layer(self) -> Layer:
        """Of its findings: how services behave."""
        return "behavioral"


@dataclass(frozen=True, eq=False)
class Edges:
    """Which of ``n`` edges are seen at ``T`` consecutive instants of the watcher.

    times: (T,) epoch ms, ascending, one interval apart. seen: (n, T). alive: nodes known to live from elsewhere than the
    graph, each (T,): without that, a node that only one edge leads to cannot be told from one that is down.
    """

    times: Instants
    edges: tuple[Edge, ...]
    seen: Bools
    alive: Mapping[str, Bools] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together."""
        if self.seen.shape != (len(self.edges), len(self.times)):
            raise ValueError(f"{len(self.edges)} edges at {len(self.times)} instants got {self.seen.shape}")


def edges_of(frame: Frame, alive: Mapping[str, Bools] | None = None) -> Edges:
    """Return the edges of a frame: a series above 0 whose labels name client and server; others are left out."""
    shown = frame.present & (frame.values > 0)
    rows: dict[Edge, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        named = dict(labels)
        edge = next(((named[a], named[b]) for a, b in PAIRS if a in named and b in named), None)
        if edge is not None:
            rows.setdefault(edge, []).append(row)
    seen = [shown[places].any(axis=0) for places in rows.values()]
    stacked = np.stack(seen) if seen else np.zeros((0, len(frame.times)), dtype=np.bool_)
    return Edges(frame.times, tuple(rows), stacked, alive or {})
