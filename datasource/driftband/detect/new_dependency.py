"""``new_dependency``: a service calls another one that it never called before."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, Sight, instants
from driftband.detect.event import Event, What, in_order
from driftband.detect.walking import tell
from driftband.detect.words import DAY, HOUR, count, instant, span
from driftband.model.dependency import Dependencies, Edge, Edges
from driftband.model.finding import Severity
from driftband.model.series import Labels

GRAPH: Labels = (("__graph__", "began"),)
"""The state's key of when the graph was first seen."""
LEAST_ABSENCE = HOUR
ACCEPT_AFTER = 7 * DAY
FORGET_DAYS = 14
MOST_OPENINGS = 3
"""An edge that has been told so often comes and goes: it is known then."""
REOPEN_WITHIN = 6 * HOUR


@dataclass(frozen=True)
class NewDependency:
    """Opens when an unknown edge has been seen for ``for``; closes when it is gone again, or has become known."""

    kind: str = "new_dependency"

    def step(
        self, rule: Dependencies, states: States, edges: Edges, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Return the states after ``edges`` and what happened, as ``Detector`` does; labels are client and server."""
        times = edges.times.tolist()
        shown = np.flatnonzero(edges.seen.any(axis=0)).tolist()
        if not times or (GRAPH not in states and not shown):
            return dict(states), []
        began = int(states[GRAPH]["at"]) if GRAPH in states else times[shown[0]]
        desk = _Desk(rule, began, {k: v for k, v in states.items() if k != GRAPH}, interval)
        for first, last in _days(times):
            desk.day(times[first:last], edges.edges, edges.seen[:, first:last])
        return {GRAPH: {"at": began}, **desk.states}, in_order(desk.events)


def labels_of(edge: Edge) -> Labels:
    """Return the labels of an edge."""
    return (("client", edge[0]), ("server", edge[1]))


def identity_of_edge(labels: Labels) -> dict[str, str]:
    """Return whose doing it is that there is a call, or that there is none: the client's."""
    return {"service": labels[0][1]}


def _days(times: list[int]) -> list[tuple[int, int]]:
    days = np.array(times) // DAY
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(times)]
    return list(pairwise(cuts))


class _Desk:
    """Carries the edges through the instants of one day after another.

    A state is ``{"seen": day}`` of a known edge, else the edge's episode, how often it was told (``told``), when it was
    last seen, and whether both of its nodes were known when it came.
    """

    def __init__(self, rule: Dependencies, began: int, states: dict[Labels, State], interval: int) -> None:
        self.states = states
        self.events: list[Event] = []
        self._rule = rule
        self._learnt = began + rule.learn_ms
        self._interval = interval
        absent = max(LEAST_ABSENCE, 4 * rule.for_ms)
        self._patience = Patience(
            open_after=instants(rule.for_ms, interval),
            close_after=instants(absent, interval),
            reopen_within=REOPEN_WITHIN,
            give_up=ACCEPT_AFTER,
        )

    def day(self, times: list[int], edges: tuple[Edge, ...], seen: Any) -> None:
        day = times[0] // DAY
        for labels in [k for k, state in self.states.items() if state.get("seen", day) < day - FORGET_DAYS]:
            del self.states[labels]
        ever = np.asarray(seen.any(axis=1)).tolist()
        busy: dict[Labels, list[bool]] = {}
        for row, edge in enumerate(edges):
            labels = labels_of(edge)
            state = self.states.get(labels)
            if state is not None and "seen" in state:
                if ever[row] and state["seen"] != day:
                    self.states[labels] = {"seen": day}
            elif state is not None or ever[row]:
                busy[labels] = seen[row].tolist()
        for labels, state in self.states.items():
            if "seen" not in state and labels not in busy:
                busy[labels] = [False] * len(times)
        if busy:
            self._unknown(times, day, busy)

    def _unknown(self, times: list[int], day: int, busy: dict[Labels, list[bool]]) -> None:
        nodes = Counter(n for labels, state in self.states.items() if "seen" in state for _, n in labels)
        for place, at in enumerate(times):
            learnt = []
            for labels, present in busy.items():
                if "seen" in self.states.get(labels, {}):
                    continue
                if present[place] and at < self._learnt:
                    learnt.append(labels)
                elif present[place] or labels in self.states:
                    learnt += [labels] if self._one(labels, at, nodes, present=present[place]) else []
            for labels in learnt:
                self.states[labels] = {"seen": day}
                nodes.update(node for _, node in labels)

    def _one(self, labels: Labels, at: int, nodes: Mapping[str, int], *, present: bool) -> bool:
        """Take an instant of an unknown edge in, and return whether it is known from now on."""
        fresh = {"nodes": [node for _, node in labels if nodes.get(node)], "last": at, "told": 0}
        state = dict(self.states.get(labels, fresh))
        episode = Episode.of(state.get("episode"))
        state["last"] = at if present else state["last"]
        # A sparse edge is not seen at each instant: a short absence says nothing.
        away = not present and at - state["last"] >= self._rule.for_ms
        sight = Sight(at, present or away, present, away, 1.0 if present else 0.0)
        what = episode.advance(sight, self._patience, self._interval, _Telling(state, labels).severity)
        accepted = what is None and episode.opened is not None and at - episode.opened >= ACCEPT_AFTER and present
        what = "closed" if accepted else what
        if what is not None:
            state["told"] += what == "opened"
            teller = _Telling(state, labels, accepted=accepted)
            event = tell(teller, episode, labels, what, at, ())
            self.events.append(replace(event, identity=identity_of_edge(labels)))
            if what == "closed":
                episode.close(at)
        if accepted or (what == "closed" and state["told"] >= MOST_OPENINGS):
            return True
        if episode.idle and (state["told"] == 0 or at - state["last"] >= FORGET_DAYS * DAY):
            self.states.pop(labels, None)
        else:
            self.states[labels] = {**state, "episode": episode.json()}
        return False


@dataclass(frozen=True)
class _Telling:
    """The words of a new edge."""

    state: State
    labels: Labels
    accepted: bool = False
    kind: str = "new_dependency"

    def severity(self, score: float, lasted: int) -> Severity:  # noqa: ARG002 - a ``Judge``
        return "warning" if len(self.state["nodes"]) == len(self.labels) else "info"

    def numbers(self, episode: Episode) -> Mapping[str, Any]:
        return {
            "client": self.labels[0][1],
            "server": self.labels[1][1],
            "known_nodes": self.state["nodes"],
            "instants_seen": episode.bad,
        }

    def reason(self, what: What, episode: Episode, at: int) -> str:
        (_, client), (_, server) = self.labels
        since = episode.since if episode.since is not None else at
        if self.accepted:
            return f"{client} has called {server} for {span(at - since)}: it is taken for known"
        if what == "closed":
            for_good = (
                "; it has come and gone so often that it is taken for known"
                if self.state["told"] >= MOST_OPENINGS
                else ""
            )
            return f"{client} has not called {server} for {span(at - self.state['last'])}, the last time at {instant(self.state['last'])}{for_good}"
        new = [name for name in (client, server) if name not in self.state["nodes"]]
        nodes = f"{' and '.join(new)} {'is' if len(new) == 1 else 'are'} new too" if new else "both were known before"
        return f"{client} calls {server}, which it was never seen to do before {instant(since)}: seen {count(episode.bad, 'time')} in {span(at - since)}; {nodes}"
