"""The service graph as Grafana's node graph wants it: what the source shows, and what findings say of its edges.

An edge that a finding tells of is there whether calls are seen at that instant or not, and every edge has both of its
nodes: an edge that names an absent node is an error to Grafana.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from driftband.model.dependency import Edge, Edges, edges_of
from driftband.model.interval import Interval, Intervals
from driftband.model.series import Bools, Frame, Instants, Labels, make_labels
from driftband.query.errors import cannot
from driftband.query.native import matches
from driftband.query.nodes import Selector
from driftband.query.states import MOST_INTERVALS
from driftband.query.values import frame_of

NODE, EDGE = "driftband_service_node", "driftband_service_edge"
_IDENTITY, _SERVICE, _TEAM = "driftband_identity_info", "service", "team"


def select_graph(find: Intervals, selector: Selector, seen: Frame) -> Frame:
    """Answer a selector of nodes or edges at the instants of ``seen``, the answer to the graph's own query.

    find: also gives the edges that findings tell of, labelled ``source``, ``target`` and ``state``.
    """
    if not len(seen.times):
        return frame_of(seen.times, ())
    times = seen.times
    edges = edges_in(seen)
    known = dict(zip(edges.edges, edges.seen, strict=True))
    told = find(EDGE, int(times[0]), int(times[-1]), {}, MOST_INTERVALS)
    found = _edges(known, told, times)
    if selector.metric == NODE:
        teams = find(_IDENTITY, int(times[0]), int(times[-1]), {}, MOST_INTERVALS)
        found = _nodes(found, teams, times)
    ones = np.ones(len(times))
    chosen = ((labels, ones, there) for labels, there in found if there.any() and matches(selector.matchers, labels))
    return frame_of(times, chosen)


def edges_in(seen: Frame) -> Edges:
    """Return the edges of an answer.

    Raises:
        QueryError: where it has series, and none of them names client and server.
    """
    edges = edges_of(seen)
    if len(seen.labels) and not edges.edges:
        names = ", ".join(name for name, _ in seen.labels[0] if name != "__name__") or "no labels"
        raise cannot(
            f"no series of the service graph names client and server; they have {names}",
            "use sum by (client, server) (...), with label_replace where the labels have other names",
        )
    return edges


def _edges(known: dict[Edge, Bools], told: Iterable[Interval], times: Instants) -> list[tuple[Labels, Bools]]:
    """Return the edges with their states; gone goes before new, and both before known."""
    nowhere = np.zeros(len(times), dtype=np.bool_)
    spoken: dict[str, dict[Edge, Bools]] = {"gone": {}, "new": {}}
    for one in told:
        of_state, edge = spoken[one.labels["state"]], (one.labels["source"], one.labels["target"])
        of_state[edge] = of_state.get(edge, nowhere) | _during(one, times)
    found = []
    for edge in sorted({*known, *spoken["gone"], *spoken["new"]}):
        gone = spoken["gone"].get(edge, nowhere)
        new = spoken["new"].get(edge, nowhere) & ~gone
        for state, there in (("known", known.get(edge, nowhere) & ~gone & ~new), ("new", new), ("gone", gone)):
            found.append((_edge(edge, state), there))
    return found


def _edge(edge: Edge, state: str) -> Labels:
    client, server = edge
    return make_labels(
        {"__name__": EDGE, "id": f"{client} -> {server}", "source": client, "target": server, "state": state}
    )


def _nodes(
    edges: Sequence[tuple[Labels, Bools]], identities: Iterable[Interval], times: Instants
) -> list[tuple[Labels, Bools]]:
    """Return both ends of all edges; the team of each that one is known of."""
    there: dict[str, Bools] = {}
    for labels, present in edges:
        named = dict(labels)
        for node in (named["source"], named["target"]):
            there[node] = there.get(node, np.zeros(len(times), dtype=np.bool_)) | present
    teams: dict[str, str] = {}
    for one in sorted(identities, key=lambda one: one.start):
        if _TEAM in one.labels and _SERVICE in one.labels:
            teams[one.labels[_SERVICE]] = one.labels[_TEAM]
    return [(_node(node, teams.get(node, "")), present) for node, present in sorted(there.items())]


def _node(node: str, team: str) -> Labels:
    return make_labels({"__name__": NODE, "id": node, "title": node, "subTitle": team})


def _during(one: Interval, times: Instants) -> Bools:
    ended = times < one.end if one.end is not None else np.ones(len(times), dtype=np.bool_)
    during: Bools = (times >= one.start) & ended
    return during
