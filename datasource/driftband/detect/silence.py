"""``silence``: a series that was there has no sample for longer than its usual gaps.

Series that differ in nothing but the name of a pod are one subject, which is there while any of them is. The silence of
a whole signal is one event, and says nothing about its series.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience
from driftband.detect.event import Event, What, in_order
from driftband.detect.silence_line import FORGET_AFTER, Habit, Line, is_gone, severity
from driftband.detect.subjects import subject_of
from driftband.detect.walking import tell
from driftband.detect.words import HOUR, instant, span
from driftband.model.finding import Severity
from driftband.model.series import Bools, Labels
from driftband.model.signal import Watched, WatchedSignal

WHOLE: Labels = (("__subject__", "signal"),)
"""The state's key of the signal as a whole; no label set of a source has it."""
LEARN = HOUR
"""How long a subject must have been there before its absence means something."""
CLOSE_AFTER = 3
REOPEN_WITHIN = HOUR


@dataclass(frozen=True)
class Silence:
    """Opens when a subject is late, worsens when it is gone, closes when it is back or has been forgotten."""

    kind: str = "silence"

    def step(
        self, rule: WatchedSignal, states: States, seen: Watched, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Step as ``Detector`` says; the states are those of subjects, and of the whole."""
        subjects, present = _presence(seen)
        desk = _Desk(_habit(rule, interval), dict(states))
        for first, last, anything in _stretches(present):
            times = seen.times[first:last].tolist()
            if anything:
                desk.go_on(times, subjects, present[:, first:last])
            else:
                desk.fall_silent(times)
        return desk.states, in_order(desk.events)


def _habit(rule: WatchedSignal, interval: int) -> Habit:
    patience = Patience(
        open_after=1, close_after=CLOSE_AFTER, reopen_within=max(REOPEN_WITHIN, 3 * rule.for_ms), give_up=FORGET_AFTER
    )
    return Habit(for_ms=rule.for_ms, interval=interval, learn=LEARN, patience=patience, judge=severity)


def _presence(seen: Watched) -> tuple[list[Labels], Bools]:
    """Return the subjects, and at which instants each has a sample: (m, T)."""
    places: dict[Labels, int] = {}
    rows = [places.setdefault(subject_of(labels), len(places)) for labels in seen.labels]
    there = ~np.isnan(seen.values)
    if len(places) == len(rows):
        return list(places), there
    present = np.zeros((len(places), len(seen.times)), dtype=np.bool_)
    np.logical_or.at(present, np.array(rows, dtype=np.int64), there)
    return list(places), present


def _stretches(present: Bools) -> list[tuple[int, int, bool]]:
    """Cut the instants where the signal falls silent as a whole and where it comes back."""
    anything: Bools = np.asarray(present.any(axis=0))
    cuts = [0, *(np.flatnonzero(np.diff(anything)) + 1).tolist(), len(anything)]
    return [(a, b, bool(anything[a])) for a, b in pairwise(cuts) if a < b]


class _Desk:
    """Carries the states of a signal's subjects through stretches of instants."""

    def __init__(self, habit: Habit, states: dict[Labels, State]) -> None:
        self.states = states
        self.events: list[Event] = []
        self._habit = habit

    def go_on(self, times: list[int], subjects: list[Labels], present: Bools) -> None:
        """Go through instants at each of which some subject is there."""
        whole = self.states.get(WHOLE)
        if whole is not None and "missing" in whole:
            self._come_back(times[0])
        if whole is None:
            self.states[WHOLE] = Line(first=times[0]).json()
        elif not _is_calm(whole):
            self._carry(WHOLE, times, [True] * len(times))
        steady = np.asarray(present.all(axis=1)).tolist()
        for place, subject in enumerate(subjects):
            state = self.states.get(subject)
            if state is None:
                here = np.flatnonzero(present[place]).tolist()
                if here:
                    self.states[subject] = Line(first=times[here[0]]).json()
                    self._carry(subject, times[here[0] :], present[place, here[0] :].tolist())
            elif not (steady[place] and _is_calm(state)):
                self._carry(subject, times, present[place].tolist())
        here_too = set(subjects)
        for subject in [one for one in self.states if one not in here_too and one != WHOLE]:
            self._carry(subject, times, [False] * len(times))

    def fall_silent(self, times: list[int]) -> None:
        """Go through instants at which nothing of the signal is there; what is missing is not counted one by one."""
        whole = self.states.get(WHOLE)
        if whole is None:
            return
        here = [subject for subject, state in self.states.items() if "missing" not in state and subject != WHOLE]
        for subject in here:
            self.states[subject] = {**self.states[subject], "missing": times[0]}
        if here and Line.of(whole).episode.idle:
            self.states[WHOLE] = {**whole, "labels": [list(pair) for pair in _common(here)]}
        self._carry(WHOLE, times, [False] * len(times))

    def _come_back(self, at: int) -> None:
        """Start the clocks of what is still missing anew: how long the whole was silent says nothing of its parts."""
        for subject, state in self.states.items():
            if subject != WHOLE and "missing" in state:
                line = Line.of(state)
                line.missing = at if line.episode.opened is None else line.missing
                self.states[subject] = line.json()

    def _carry(self, subject: Labels, times: list[int], present: list[bool]) -> None:
        line = Line.of(self.states[subject])
        for at, here in zip(times, present, strict=True):
            what = line.advance(at, self._habit, present=here)
            forgotten = not here and subject != WHOLE and line.forgotten(at, self._habit)
            what = "closed" if forgotten and line.episode.opened is not None else what
            if what is not None:
                whole = subject == WHOLE
                labels = tuple((key, value) for key, value in line.labels) if whole else subject
                teller = _Telling(line, self._habit, "the signal" if whole else "the series")
                self.events.append(tell(teller, line.episode, labels, what, at, ("seconds_without",)))
                if what == "closed":
                    line.episode.close(at)
            if forgotten:
                del self.states[subject]
                return
        self.states[subject] = line.json()


def _is_calm(state: State) -> bool:
    return "missing" not in state and "episode" not in state


def _common(subjects: list[Labels]) -> Labels:
    """Return the labels that all subjects share."""
    return tuple(sorted(set(subjects[0]).intersection(*subjects[1:])))


@dataclass(frozen=True)
class _Telling:
    """The words of an absence. subject: what is absent."""

    line: Line
    habit: Habit
    subject: str
    kind: str = "silence"

    def severity(self, score: float, lasted: int) -> Severity:
        return severity(score, lasted)

    def numbers(self, episode: Episode) -> Mapping[str, Any]:
        line = self.line
        return {
            "whole_signal": self.subject == "the signal",
            "gone": episode.severity == "error",
            "usual_gap_ms": line.usual,
            "late_after_ms": line.late_after(self.habit),
            "first_seen": line.first,
        }

    def reason(self, what: What, episode: Episode, at: int) -> str:
        line = self.line
        if what == "closed" and line.missing is None:
            return f"{self.subject} has samples again since {instant(episode.turned_at)}, after {span(line.gaps[-1])} without"
        last = (line.missing or at) - self.habit.interval
        without = f"no sample for {span(at - last)}, the last one at {instant(last)}"
        if what == "closed":
            return f"{without}: {self.subject} is taken for removed, and not for healthy"
        since = episode.since if episode.since is not None else at
        state = "gone" if is_gone(episode.score, at - since) else "late"
        usual = f"its usual gaps last {span(line.usual)} at most" if line.usual else "it usually has no gaps"
        allowed = span(line.late_after(self.habit))
        others = "none of its series has any" if self.subject == "the signal" else "other series of the signal go on"
        return f"{self.subject} is {state}: {without}; {usual}, and more than {allowed} is late; {others}"
