"""``band_breach``: a value stays outside its band, on the side that hurts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, instants
from driftband.detect.event import Event, What
from driftband.detect.sides import hurting, side_of
from driftband.detect.walking import Looked, looked_at, walk
from driftband.detect.words import HOUR, MINUTE, instant, number, span
from driftband.model.finding import Severity
from driftband.model.series import Floats, Labels
from driftband.model.signal import Watched, WatchedSignal

WELL_INSIDE = 0.7
"""Scores, and shares of the least deviation, up to here count towards closing."""
LEAST_CALM = 5 * MINUTE
REOPEN_WITHIN = 30 * MINUTE
GIVE_UP = 24 * HOUR
WEAK = 1.5
"""Scores below this are weak evidence, ..."""
WEAK_TIMES = 6
"""... and must last so many times as long."""
BAD, WORSE = 3.0, 6.0
LONG, QUITE_LONG = HOUR, 15 * MINUTE


@dataclass(frozen=True)
class BandBreach:
    """Opens when |score| >= 1 on the side that hurts, and the deviation matters, for at least the signal's ``for``."""

    kind: str = "band_breach"

    def step(
        self, rule: WatchedSignal, states: States, seen: Watched, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Step as ``Detector`` says."""
        needed = instants(rule.for_ms, interval)
        patience = Patience(
            open_after=needed,
            close_after=instants(max(rule.for_ms, LEAST_CALM), interval),
            reopen_within=max(REOPEN_WITHIN, 3 * rule.for_ms),
            give_up=GIVE_UP,
            weak_after=instants(WEAK_TIMES * max(rule.for_ms, LEAST_CALM), interval),
        )
        teller = _Telling(rule)
        return walk(lambda _: teller, look(rule, seen), states, patience, interval)


def look(rule: WatchedSignal, seen: Watched) -> Looked:
    """Find where a value is outside in a way that matters, and where it is well inside."""
    band = seen.band
    size = hurting(seen.score, rule.direction)
    departed = np.where(np.sign(seen.score) == band.departed_side, np.abs(seen.values - band.reference_expected), 0.0)
    # The score may be that of the reference: the deviation from either counts.
    deviation = np.fmax(np.abs(seen.values - band.expected), departed)
    short, long = _unusual(seen)
    return looked_at(
        seen.times,
        seen.labels,
        known=~np.isnan(seen.score),
        bad=(size >= long) & (deviation >= rule.min_deviation),
        calm=(size <= WELL_INSIDE) | (deviation < WELL_INSIDE * rule.min_deviation),
        score=np.nan_to_num(size),
        side=np.sign(seen.score),
        weak=short,
        shown={"values": seen.values, "expected": band.expected, "lower": band.lower, "upper": band.upper},
    )


def _unusual(seen: Watched) -> tuple[Floats, Floats]:
    """Return the scores, on the side of each value, that calm alone does not reach for a short and for a long while."""
    if seen.strays is None:
        return np.full(seen.score.shape, WEAK), np.ones(seen.score.shape)
    below, above = np.moveaxis(seen.strays[..., None], 1, 0)
    short, long = np.moveaxis(np.where(seen.score[:, None] < 0, below, above), 1, 0)
    return np.fmax(short, WEAK), np.fmax(long, 1.0)


@dataclass(frozen=True)
class _Telling:
    """The words of a breach."""

    rule: WatchedSignal
    kind: str = "band_breach"

    def severity(self, score: float, lasted: int) -> Severity:
        if score >= WORSE and lasted >= QUITE_LONG:
            return "critical"
        if score >= BAD or (score >= WEAK and lasted >= LONG):
            return "error"
        return "warning" if score >= WEAK or (score >= 1 and lasted >= LONG) else "info"

    def numbers(self, episode: Episode) -> Mapping[str, Any]:
        rule = self.rule
        return {"unit": rule.unit, "side": side_of(episode), "min_deviation": rule.min_deviation, "for_ms": rule.for_ms}

    def reason(self, what: What, episode: Episode, at: int) -> str:
        since = episode.since if episode.since is not None else at
        side = side_of(episode)
        if what == "closed" and episode.blind_since is not None:
            return (
                f"there has been no value or no band for {span(at - episode.blind_since)}; it was not seen to come back"
            )
        if what == "closed":
            return (
                f"well inside its band again for {span(at - episode.turned_at)}: {self._told(episode)}; "
                f"it was {side} for {span(episode.turned_at - since)}, by a score of {episode.peak:.3g} at most"
            )
        told = f"{self._told(episode)}; score {episode.score:.3g}, 1 being the edge of the band"
        if what == "opened":
            return f"{side} its band for {span(at - since)}, since {instant(since)}: {told}"
        more = "further" if what == "worsened" else "less far"
        return f"{more} {side} its band, for {span(at - since)} now: {told}"

    def _told(self, episode: Episode) -> str:
        _, value, expected, lower, upper, _ = episode.latest
        above = (value or 0.0) > (expected or 0.0)
        edge, most = (upper, "at most") if above else (lower, "at least")
        unit = self.rule.unit
        return f"{number(value, unit)}, where {number(expected, unit)} was expected and {most} {number(edge, unit)}"
