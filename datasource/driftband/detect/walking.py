"""Carries the episodes of many series through instants: only those that have one, or that something happens to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, Sight
from driftband.detect.event import Event, What, in_order
from driftband.model.finding import Severity
from driftband.model.series import Bools, Floats, Instants, Labels


@dataclass(frozen=True, eq=False)
class Looked:
    """What a detector sees of ``n`` series at ``T`` instants, each array (n, T).

    known, bad, calm, score, side, weak: as of ``Sight``; bad or calm only where known. shown: by name, what a point keeps.
    """

    times: tuple[int, ...]
    labels: tuple[Labels, ...]
    known: Bools
    bad: Bools
    calm: Bools
    score: Floats
    side: Floats
    weak: Floats
    shown: Mapping[str, Floats]


class Teller(Protocol):
    """What differs from detector to detector once it is known what is bad."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - of the events

    def severity(self, score: float, lasted: int) -> Severity: ...  # noqa: D102 - a ``Judge``

    def reason(self, what: What, episode: Episode, at: int) -> str:
        """Say why, in words with numbers and units."""
        ...

    def numbers(self, episode: Episode) -> Mapping[str, Any]:
        """Return what decided, for the evidence."""
        ...


def walk(
    about: Callable[[Labels], Teller], looked: Looked, states: States, patience: Patience, interval: int
) -> tuple[dict[Labels, State], list[Event]]:
    """Return the states after ``looked`` and what happened, in order. about: who tells of a subject."""
    after: dict[Labels, State] = {}
    events: list[Event] = []
    names = tuple(looked.shown)
    for labels, state, sights in _busy(looked, states):
        episode = Episode.of(state)
        teller = about(labels)
        for sight in sights:
            if episode.idle and not sight.bad:
                continue
            what = episode.advance(sight, patience, interval, teller.severity)
            if what is not None:
                events.append(tell(teller, episode, labels, what, sight.at, names))
                if what == "closed":
                    episode.close(sight.at)
        if not episode.idle:
            after[labels] = episode.json()
    return after, in_order(events)


def tell(teller: Teller, episode: Episode, labels: Labels, what: What, at: int, names: tuple[str, ...]) -> Event:
    """Make the event of what has just happened to an episode."""
    opened = episode.opened if episode.opened is not None else at
    return Event(
        kind=teller.kind,
        labels=labels,
        at=at,
        what=what,
        score=episode.score,
        severity=episode.severity,
        reason=_again(teller.reason(what, episode, at), what, episode.reopened),
        since=episode.since if episode.since is not None else opened,
        opened=opened,
        story=episode.story if episode.story is not None else opened,
        reopens=episode.before,
        evidence={**episode.points(names), "peak_score": episode.peak, **teller.numbers(episode)},
    )


def _again(reason: str, what: What, reopened: int) -> str:
    if what != "opened" or not reopened:
        return reason
    return f"{reason}; shortly after it had closed, for the {_ordinal(reopened)} time"


def _ordinal(place: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(place % 10 if place % 100 not in (11, 12, 13) else 0, "th")
    return f"{place}{ending}"


def _busy(looked: Looked, states: States) -> Iterator[tuple[Labels, State | None, Iterator[Sight]]]:
    happens = np.flatnonzero(looked.bad.any(axis=1)).tolist()
    rows = sorted(
        {*happens, *(row for row, labels in enumerate(looked.labels) if labels in states)} if states else happens
    )
    # Flat lists: as lists of lists they are so many objects that collecting garbage costs more than all else.
    columns = [array[rows].ravel().tolist() for array in (looked.known, looked.bad, looked.calm, looked.score)]
    shown = [array[rows].ravel().tolist() for array in looked.shown.values()]
    sides = looked.side[rows].astype(np.int64).ravel().tolist()
    weak = looked.weak[rows].ravel().tolist()
    size = len(looked.times)
    for place, row in enumerate(rows):
        labels = looked.labels[row]
        own = slice(place * size, (place + 1) * size)
        points = zip(*(column[own] for column in shown), strict=True) if shown else ((),) * size
        sights = map(Sight, looked.times, *(column[own] for column in columns), points, sides[own], weak[own])
        yield labels, states.get(labels), sights
    if states:
        here = set(looked.labels)
        for labels in states:
            if labels not in here:
                yield labels, states[labels], (Sight(at, False, False, False, 0.0) for at in looked.times)


def looked_at(
    times: Instants,
    labels: tuple[Labels, ...],
    *,
    known: Bools,
    bad: Bools,
    calm: Bools,
    score: Floats,
    side: Floats,
    shown: Mapping[str, Floats],
    weak: Floats | float = 0.0,
) -> Looked:
    """Make what was looked at: nothing is bad or calm where nothing is known, and there is no side where nothing is bad."""
    bad = bad & known
    side, weak = np.where(bad, side, 0.0), np.broadcast_to(np.float64(weak), score.shape)
    return Looked(tuple(times.tolist()), labels, known, bad, calm & known, score, side, weak, shown)
