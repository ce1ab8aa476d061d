"""``stuck_value``: a series that used to vary repeats one value far longer than it ever did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, Sight
from driftband.detect.event import Event, What, in_order
from driftband.detect.stuck_run import Run
from driftband.detect.walking import tell
from driftband.detect.words import DAY, HOUR, count, instant, number, span
from driftband.model.finding import Severity
from driftband.model.series import Labels
from driftband.model.signal import Watched, WatchedSignal

REOPEN_WITHIN = HOUR
GIVE_UP = DAY
FORGET_AFTER = 7 * DAY
LONG_STUCK = 6 * HOUR
CLOSE_AFTER = 3
"""Instants of another value, that may be stuck again."""


@dataclass(frozen=True)
class StuckValue:
    """Opens when a run of equal samples is six times as long as the usual longest; closes when the value moves."""

    kind: str = "stuck_value"

    def step(
        self, rule: WatchedSignal, states: States, seen: Watched, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Step as ``Detector`` says; every series has a state, with the run that it is in."""
        patience = Patience(
            open_after=1,
            close_after=CLOSE_AFTER,
            reopen_within=max(REOPEN_WITHIN, 3 * rule.for_ms),
            give_up=GIVE_UP,
        )
        after: dict[Labels, State] = {}
        events: list[Event] = []
        times = seen.times.tolist()
        nothing = [np.nan] * len(times)
        rows = dict(zip(seen.labels, seen.values.tolist(), strict=True))
        for labels in (*rows, *(gone for gone in states if gone not in rows)):
            state = _carry(
                _Series(rule, labels, patience, interval), states.get(labels), times, rows.get(labels, nothing), events
            )
            if state is not None:
                after[labels] = state
        return after, in_order(events)


@dataclass(frozen=True)
class _Series:
    rule: WatchedSignal
    labels: Labels
    patience: Patience
    interval: int


def _carry(
    series: _Series, state: State | None, times: list[int], values: list[float], events: list[Event]
) -> State | None:
    run = None if state is None else Run.of(state)
    for at, value in zip(times, values, strict=True):
        known = value - value == 0.0  # finite; asked millions of times
        if run is None:
            run = Run(first=at, value=value, since=at, seen=at) if known else None
            continue
        if known:
            run.take(at, value)
        elif at - run.seen >= FORGET_AFTER:
            run = None
            continue
        episode = run.episode
        score = run.score(at, series.rule.for_ms) if known else 0.0
        if not score and episode.idle:
            continue
        # While it is open, what follows a stuck run is calm until it is stuck itself.
        sight = Sight(at, known, score > 0, known and score == 0, score, (value, float(run.count)))
        what = episode.advance(sight, series.patience, series.interval, _severity)
        if what is not None:
            events.append(tell(_Telling(series, run), episode, series.labels, what, at, ("values", "equal_samples")))
            if what == "closed":
                episode.close(at)
    return run.json() if run is not None else None


def _severity(score: float, lasted: int) -> Severity:  # noqa: ARG001 - a ``Judge``
    return "error" if lasted >= LONG_STUCK else "warning"


@dataclass(frozen=True)
class _Telling:
    """The words of a stuck value."""

    series: _Series
    run: Run
    kind: str = "stuck_value"

    def severity(self, score: float, lasted: int) -> Severity:
        return _severity(score, lasted)

    def numbers(self, episode: Episode) -> Mapping[str, Any]:  # noqa: ARG002 - of a ``Teller``
        run = self.run
        return {
            "unit": self.series.rule.unit,
            "usual_longest_run": run.longest[1],
            "allowed_run": run.allowed,
            "ended_runs": run.runs,
            "first_seen": run.first,
        }

    def reason(self, what: What, episode: Episode, at: int) -> str:
        run, unit = self.run, self.series.rule.unit
        if what == "closed" and episode.blind_since is not None:
            return f"there has been no sample for {span(at - episode.blind_since)}; it was not seen to move"
        if what == "closed":
            stuck, moved = episode.turn
            return f"it moves again since {instant(episode.turned_at)}: {number(moved[1], unit)}, after {number(stuck[1], unit)} in {count(int(stuck[2] or 0), 'sample')}"
        return (
            f"{number(run.value, unit)} in all of {count(run.count, 'sample')} since {instant(run.since)} ({span(at - run.since)}); "
            f"before, it moved {count(run.runs, 'time')} in {span(run.since - run.first)}, and its usual longest run "
            f"was {count(max(run.longest[1], 1), 'sample')}"
        )
