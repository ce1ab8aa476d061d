"""``level_shift``: a lasting departure from what was normal before anything that has not been accepted yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, Point, instants
from driftband.detect.event import Event, What
from driftband.detect.sides import hurting, side_of
from driftband.detect.walking import Looked, looked_at, walk
from driftband.detect.words import DAY, HOUR, instant, number, span
from driftband.model.finding import Severity
from driftband.model.series import Floats, Labels
from driftband.model.signal import Watched, WatchedSignal

RETURNED = 0.8
"""Scores of the reference up to here count towards closing."""
LEAST_FOR = HOUR
"""``for``, at least: after the hour of the grid that decides that it is a departure. Some last an hour on ordinary evenings."""
WEAK, WEAK_FOR = 2.0, 12 * HOUR
"""Scores below this are weak evidence, and must last so long: what comes and goes with the day is no other level."""
LASTING = 1
"""Which of the spans of ``Watched.strays`` counts: the longer one."""
CALM = HOUR
REOPEN_WITHIN = 6 * HOUR
GIVE_UP = DAY
BAD = 3.0
CLEAR, LONG = 1.5, DAY


@dataclass(frozen=True)
class LevelShift:
    """Opens when a series has departed from its reference band, and is outside of it, for ``for``."""

    kind: str = "level_shift"

    def step(
        self, rule: WatchedSignal, states: States, seen: Watched, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Step as ``Detector`` says."""
        patience = Patience(
            open_after=instants(max(rule.for_ms, LEAST_FOR), interval),
            close_after=instants(max(rule.for_ms, CALM), interval),
            reopen_within=max(REOPEN_WITHIN, 3 * rule.for_ms),
            give_up=GIVE_UP,
            weak_after=instants(max(rule.for_ms, WEAK_FOR), interval),
        )
        teller = _Telling(rule)
        return walk(lambda _: teller, look(rule, seen), states, patience, interval)


def look(rule: WatchedSignal, seen: Watched) -> Looked:
    """Find where a departure counts and goes on, and where it is over."""
    band = seen.band
    score = band.reference_score(seen.values)
    size = hurting(score, rule.direction)
    departed = (band.departed_side != 0) & (np.sign(score) == band.departed_side)
    deviation = np.abs(seen.values - band.reference_expected)
    return looked_at(
        seen.times,
        seen.labels,
        known=~np.isnan(score),
        bad=departed & (size >= 1) & (deviation >= rule.min_deviation) & ~(deviation < _usual(seen)),
        calm=(size <= RETURNED) | (deviation < RETURNED * rule.min_deviation),
        score=np.nan_to_num(size),
        side=np.sign(score),
        weak=WEAK,
        shown={
            "values": seen.values,
            "expected": band.reference_expected,
            "lower": band.reference_lower,
            "upper": band.reference_upper,
        },
    )


def _usual(seen: Watched) -> Floats:
    """Return how far each value lies from its forecast for a while in calm, on its side of the reference; NaN where unknown."""
    if seen.strays is None:
        return np.full(seen.values.shape, np.nan)
    band = seen.band
    below, above = np.moveaxis(seen.strays[..., LASTING, None], 1, 0)
    higher = seen.values > band.reference_expected
    with np.errstate(invalid="ignore"):  # a band of no width that nothing has ever left
        return np.where(higher, above * (band.upper - band.expected), below * (band.expected - band.lower))


@dataclass(frozen=True)
class _Telling:
    """The words of a shift."""

    rule: WatchedSignal
    kind: str = "level_shift"

    def severity(self, score: float, lasted: int) -> Severity:
        return "error" if score >= BAD or (score >= CLEAR and lasted >= LONG) else "warning"

    def numbers(self, episode: Episode) -> Mapping[str, Any]:
        rule = self.rule
        by = _departure(episode.latest)
        return {
            "unit": rule.unit, "side": side_of(episode), "departure": by, "band": "reference",
            "min_deviation": rule.min_deviation, "for_ms": rule.for_ms,
        }  # fmt: skip

    def reason(self, what: What, episode: Episode, at: int) -> str:
        since = episode.since if episode.since is not None else at
        side = side_of(episode)
        if what == "closed":
            return self._closed(episode, at, since)
        told = f"{self._told(episode)}; score {episode.score:.3g} against the reference, 1 being its edge"
        if what == "opened":
            return f"its level has departed and stayed {side} the reference, seen since {instant(since)}: {told}"
        more = "further" if what == "worsened" else "less far"
        return f"{more} {side} the reference, for {span(at - since)} now: {told}"

    def _closed(self, episode: Episode, at: int, since: int) -> str:
        if episode.blind_since is not None:
            return f"there has been no value or no reference for {span(at - episode.blind_since)}; it was not seen to come back"
        told, lasted = self._told(episode), span(episode.turned_at - since)
        if accepted(episode.turn):
            return f"the reference has taken the new level over, {lasted} after it was seen to depart: {told}"
        return f"back within the reference for {span(at - episode.turned_at)}: {told}; it had departed for {lasted}"

    def _told(self, episode: Episode) -> str:
        _, value, expected, lower, upper, _ = episode.latest
        unit = self.rule.unit
        return (
            f"{number(value, unit)}, where {number(expected, unit)} was normal before "
            f"({number(lower, unit)} to {number(upper, unit)})"
        )


def accepted(turn: list[Point]) -> bool:
    """Whether it was the reference that came to the value: what had been outside before lies inside it now."""
    if len(turn) < 2:  # noqa: PLR2004 - before and after
        return False
    (_, value, _, lower, upper, _), (_, _, _, new_lower, new_upper, _) = turn
    if value is None or lower is None or upper is None or new_lower is None or new_upper is None:
        return False
    return not lower <= value <= upper and new_lower <= value <= new_upper


def _departure(point: Point) -> float | None:
    value, expected = point[1], point[2]
    return None if value is None or expected is None else float(f"{value - expected:.9g}")
