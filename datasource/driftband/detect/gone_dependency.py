"""``gone_dependency``: a service no longer calls another one, although both are alive."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, instants
from driftband.detect.event import Event, What, in_order
from driftband.detect.new_dependency import identity_of_edge, labels_of
from driftband.detect.silence_line import FORGET_AFTER, Habit, Line
from driftband.detect.walking import tell
from driftband.detect.words import DAY, HOUR, instant, span
from driftband.model.dependency import Dependencies, Edges
from driftband.model.finding import Severity
from driftband.model.series import Bools, Labels

LEARN = DAY
TIMES_FOR = 2
"""An edge must be absent for twice ``for``, at least."""
REOPEN_WITHIN = 6 * HOUR


@dataclass(frozen=True)
class GoneDependency:
    """Opens when a steady edge is absent for longer than usual while both nodes live; closes when it is back."""

    kind: str = "gone_dependency"

    def step(
        self, rule: Dependencies, states: States, edges: Edges, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Return the states after ``edges`` and what happened, as ``Detector`` does; labels are client and server."""
        after = dict(states)
        events: list[Event] = []
        times = edges.times.tolist()
        rows = {labels_of(edge): row for row, edge in enumerate(edges.edges)}
        steady = np.asarray(edges.seen.all(axis=1)).tolist()
        lively = _Alive(edges)
        nothing = np.zeros(len(times), dtype=np.bool_)
        for labels in (*rows, *(one for one in states if one not in rows)):
            state = states.get(labels)
            row = rows.get(labels)
            if state is not None and row is not None and steady[row] and state.keys() <= {"first", "gaps", "missed"}:
                continue
            present = nothing if row is None else edges.seen[row]
            carried = _carry(_habit(rule, interval), labels, state, (times, present.tolist(), lively), events)
            if carried is None:
                after.pop(labels, None)
            else:
                after[labels] = carried
        return after, in_order(events)


class _Alive:
    """At which instants a node takes part in any edge, or is known to live from elsewhere."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._rows: dict[str, list[int]] = {}
        for row, edge in enumerate(edges.edges):
            for node in edge:
                self._rows.setdefault(node, []).append(row)
        self._nothing = np.zeros(len(edges.times), dtype=np.bool_)

    def both(self, labels: Labels) -> list[bool]:
        (_, client), (_, server) = labels
        found: list[bool] = (self._node(client) & self._node(server)).tolist()
        return found

    def _node(self, node: str) -> Bools:
        elsewhere = self._edges.alive.get(node, self._nothing)
        rows = self._rows.get(node)
        return elsewhere if rows is None else elsewhere | self._edges.seen[rows].any(axis=0)


def _habit(rule: Dependencies, interval: int) -> Habit:
    patience = Patience(
        open_after=1, close_after=instants(rule.for_ms, interval), reopen_within=REOPEN_WITHIN, give_up=FORGET_AFTER
    )
    return Habit(for_ms=TIMES_FOR * rule.for_ms, interval=interval, learn=LEARN, patience=patience, judge=_severity)


def _severity(score: float, lasted: int) -> Severity:  # noqa: ARG001 - a ``Judge``
    return "warning"


def _carry(
    habit: Habit, labels: Labels, state: State | None, seen: tuple[list[int], list[bool], _Alive], events: list[Event]
) -> State | None:
    times, present, lively = seen
    line = Line.of(state) if state is not None else None
    alive: list[bool] | None = None
    for place, (at, here) in enumerate(zip(times, present, strict=True)):
        if line is None:
            line = Line(first=at) if here else None
            continue
        alive = lively.both(labels) if alive is None and not here else alive
        awake = here or alive is None or alive[place]
        last = _last(line, at, habit)
        what = line.advance(at, habit, present=here) if awake else line.sleep(at, habit)
        forgotten = _forgotten(line, at, habit)
        what = "closed" if forgotten and line.episode.opened is not None else what
        if what is not None:
            teller = _Telling(line, habit, labels, last)
            event = tell(teller, line.episode, labels, what, at, ("seconds_without",))
            events.append(replace(event, identity=identity_of_edge(labels)))
            if what == "closed":
                line.episode.close(at)
        if forgotten:
            line = None
    return line.json() if line is not None else None


def _forgotten(line: Line, at: int, habit: Habit) -> bool:
    asleep = line.asleep is not None and line.episode.opened is None and at - line.asleep >= FORGET_AFTER
    return asleep or line.forgotten(at, habit)


def _last(line: Line, at: int, habit: Habit) -> int:
    return (at if line.missing is None else line.missing) - habit.interval


@dataclass(frozen=True)
class _Telling:
    """The words of a lost edge. last: the last instant before its absence began to count (epoch ms)."""

    line: Line
    habit: Habit
    labels: Labels
    last: int
    kind: str = "gone_dependency"

    def severity(self, score: float, lasted: int) -> Severity:
        return _severity(score, lasted)

    def numbers(self, episode: Episode) -> Mapping[str, Any]:  # noqa: ARG002 - of a ``Teller``
        line = self.line
        return {
            "client": self.labels[0][1],
            "server": self.labels[1][1],
            "usual_gap_ms": line.usual,
            "gone_after_ms": line.late_after(self.habit),
            "first_seen": line.first,
        }

    def reason(self, what: What, episode: Episode, at: int) -> str:
        (_, client), (_, server) = self.labels
        line = self.line
        if what == "closed" and episode.blind_since is not None:
            return f"{client} or {server} has not been alive for {span(at - episode.blind_since)}: that there are no calls says nothing"
        if what == "closed" and line.missing is not None:
            return f"{client} has not called {server} for {span(at - self.last)}: the dependency is taken for removed"
        if what == "closed":
            gap = f", after {span(line.gaps[-1])} without" if line.gaps else ""
            return f"{client} calls {server} again since {instant(episode.turned_at)}{gap}"
        usual = f"its usual gaps last {span(line.usual)} at most" if line.usual else "it usually has no gaps"
        known = span(self.last - line.first)
        return (
            f"{client} has not called {server} for {span(at - self.last)}, the last time at {instant(self.last)}, and both are alive; "
            f"it had for {known} before, {usual}, and more than {span(line.late_after(self.habit))} counts"
        )
