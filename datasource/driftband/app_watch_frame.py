"""What is watched without a band: intents against the inventory, and the service graph."""

from collections.abc import Mapping, Sequence

import numpy as np

from driftband.app_watch_one import Judged, OneWatch, Surroundings, last_there
from driftband.detect.detector import States
from driftband.detect.gone_dependency import GoneDependency
from driftband.detect.intent_violated import IntentViolated
from driftband.detect.joining import kind_of, subject_in
from driftband.detect.new_dependency import NewDependency, labels_of
from driftband.model.dependency import Dependencies
from driftband.model.intent import Declared, Intent
from driftband.model.moment import from_ms, to_ms
from driftband.model.series import Frame, Instants, Labels
from driftband.query.service_graph import edges_in
from driftband.query.watching import bounded
from driftband.store import inventory
from driftband.store.watching import Progress

LEARN_STEP = 5 * 60_000
"""Between the instants at which a service graph is looked at that was there before the watching began (ms), at least."""


class _FrameWatch(OneWatch[Frame]):
    """Sees the series of a query, NaN where one has no finite sample."""

    def _see(self, instants: Instants) -> Frame:
        return self._look(int(instants[0]), int(instants[-1]), self._around.interval)

    def _look(self, start: int, end: int, step: int) -> Frame:
        frame = bounded(self._around.fetch.range(self.rule.expr, start, end, step).frame)
        present = frame.present & np.isfinite(frame.values)
        return Frame(frame.times, frame.labels, np.where(present, frame.values, np.nan), present)

    def _first(self, seen: Frame, count: int) -> Frame:
        return _between(seen, 0, count)


class IntentWatch(_FrameWatch):
    """Holds what is observed against the inventory as it was at each instant."""

    def __init__(self, intent: Intent, progress: Progress, around: Surroundings) -> None:
        super().__init__(intent, progress, around)
        self._intent, self._detector = intent, IntentViolated()

    def _step(self, states: Mapping[str, States], seen: Frame) -> Judged:
        known, events = states.get(self._detector.kind, {}), []
        for piece, declared in self._in_force(seen):
            known, told = self._detector.step(self._intent, known, declared, piece, self._around.interval)
            events += told
        return {self._detector.kind: known}, events

    def _in_force(self, seen: Frame) -> list[tuple[Frame, list[Declared]]]:
        """Return what was seen in pieces in which the inventory stands still, each with the inventory."""
        first, last = (from_ms(int(seen.times[place])) for place in (0, -1))
        with self._around.database.read() as connection:
            kept = inventory.in_force(connection, kind_of(self._intent.resource_type), first, last)
        kept.sort(key=lambda one: (one[0].workspace, one[0].resource.address, one[1]))
        moved = {to_ms(at) for _, *ends in kept for at in ends if at is not None and first < at <= last}
        cuts = sorted({0, *np.searchsorted(seen.times, sorted(moved)).tolist()})
        pieces = []
        for begin, end in zip(cuts, [*cuts[1:], len(seen.times)], strict=True):
            at = from_ms(int(seen.times[begin]))
            there = [declared for declared, since, until in kept if since <= at and (until is None or at < until)]
            pieces.append((_between(seen, begin, end), there))
        return pieces

    def _last_seen(self, seen: Frame, subjects: Sequence[tuple[str, Labels]]) -> dict[tuple[str, Labels], int]:
        found = dict.fromkeys((one for one in subjects if one[0] != self._detector.kind), int(seen.times[-1]))
        for row, labels in enumerate(seen.labels):
            subject = (self._detector.kind, subject_in(self._intent, labels))
            at = last_there(seen.times, seen.present[row]) if subject in subjects else None
            if at is not None:
                found[subject] = max(found.get(subject, at), at)
        return found


class GraphWatch(_FrameWatch):
    """Looks for edges of a service graph that are new, and for such as have gone.

    What was there before the watching began is learned first: nobody has to wait for a day.
    """

    def __init__(self, rule: Dependencies, progress: Progress, around: Surroundings) -> None:
        super().__init__(rule, progress, around)
        self._graph, self._detectors = rule, (NewDependency(), GoneDependency())
        self._learned = False

    def _step(self, states: Mapping[str, States], seen: Frame) -> Judged:
        known, interval = dict(states), self._around.interval
        if not self._learned and not any(known.values()):
            step = -(-LEARN_STEP // interval) * interval
            first = int(seen.times[0])
            known, _ = self._judged(known, self._look(first - self._graph.learn_ms, first - 1, step), step)
        self._learned = True
        return self._judged(known, seen, interval)

    def _judged(self, states: Mapping[str, States], seen: Frame, interval: int) -> Judged:
        edges = edges_in(seen)
        judged = {
            detector.kind: detector.step(self._graph, states.get(detector.kind, {}), edges, interval)
            for detector in self._detectors
        }
        return {kind: after for kind, (after, _) in judged.items()}, [e for _, told in judged.values() for e in told]

    def _last_seen(self, seen: Frame, subjects: Sequence[tuple[str, Labels]]) -> dict[tuple[str, Labels], int]:
        edges = edges_in(seen)
        there = {labels_of(edge): last_there(seen.times, edges.seen[row]) for row, edge in enumerate(edges.edges)}
        gone = {subject: int(seen.times[-1]) for subject in subjects if subject[0] == GoneDependency.kind}
        new = {subject: at for subject in subjects if subject not in gone and (at := there.get(subject[1])) is not None}
        return {**gone, **new}


def _between(seen: Frame, begin: int, end: int) -> Frame:
    places = slice(begin, end)
    return Frame(seen.times[places], seen.labels, seen.values[:, places], seen.present[:, places])
