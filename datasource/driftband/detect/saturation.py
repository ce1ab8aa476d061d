"""``saturation``: the forecast crosses the signal's limit within the horizon.

The time to the limit is handed in (``Watched.to_breach``, made by ``forecast.engine.time_to_breach`` from the fits that
the panels draw): a forecast of the detector's own would tell another story than ``time_to_breach`` in a panel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, instants
from driftband.detect.event import Event, What
from driftband.detect.walking import Looked, looked_at, walk
from driftband.detect.words import DAY, HOUR, MINUTE, SECOND, instant, number, span
from driftband.model.finding import Severity
from driftband.model.series import Labels
from driftband.model.signal import Watched, WatchedSignal

SOONEST = 15 * MINUTE
"""The score is a day over the time that is left; less than this is not told apart."""
LEAST_FOR = 15 * MINUTE
"""``for``, at least: three new forecasts must agree, at the default step."""
CALM = 30 * MINUTE
REOPEN_WITHIN = 3 * HOUR
GIVE_UP = DAY
SOON, NOW = 4.0, 24.0
"""Scores from which it is an error (6 h are left) and critical (1 h)."""


@dataclass(frozen=True)
class Saturation:
    """Opens when forecasts have crossed the limit within the horizon for ``for``; closes when they no longer do."""

    kind: str = "saturation"

    def step(
        self, rule: WatchedSignal, states: States, seen: Watched, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Step as ``Detector`` says. Without a limit, or without the time to it, there is no evidence."""
        patience = Patience(
            open_after=instants(max(rule.for_ms, LEAST_FOR), interval),
            close_after=instants(max(rule.for_ms, CALM), interval),
            reopen_within=max(REOPEN_WITHIN, 3 * rule.for_ms),
            give_up=GIVE_UP,
        )
        teller = _Telling(rule)
        return walk(lambda _: teller, look(rule, seen), states, patience, interval)


def look(rule: WatchedSignal, seen: Watched) -> Looked:
    """Find where the limit is reached or foreseen."""
    limit = np.nan if rule.limit is None else rule.limit
    left = np.full(seen.values.shape, np.nan) if seen.to_breach is None else seen.to_breach
    expected = seen.band.expected
    beyond = (
        (expected <= limit) | (seen.values <= limit)
        if rule.direction == "down"
        else (expected >= limit) | (seen.values >= limit)
    )
    left = np.where(beyond, 0.0, left)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.clip(DAY / SECOND / left, 1.0, DAY / SOONEST)
    foreseen = np.isfinite(left)
    return looked_at(
        seen.times,
        seen.labels,
        known=~np.isnan(left) & np.isfinite(limit),
        bad=foreseen,
        calm=np.isposinf(left),
        score=np.where(foreseen, score, 0.0),
        side=np.zeros(left.shape),
        shown={
            "values": seen.values,
            "expected": expected,
            "lower": seen.band.lower,
            "upper": seen.band.upper,
            "seconds_left": left,
        },
    )


@dataclass(frozen=True)
class _Telling:
    """The words of a limit that comes near."""

    rule: WatchedSignal
    kind: str = "saturation"

    def severity(self, score: float, lasted: int) -> Severity:  # noqa: ARG002 - what counts is the time left
        return "critical" if score >= NOW else "error" if score >= SOON else "warning"

    def numbers(self, episode: Episode) -> Mapping[str, Any]:
        return {
            "unit": self.rule.unit,
            "limit": self.rule.limit,
            "seconds_left_now": episode.latest[5],
            "for_ms": self.rule.for_ms,
        }

    def reason(self, what: What, episode: Episode, at: int) -> str:
        at_point, value, _, _, _, left, _ = episode.latest
        unit = self.rule.unit
        limit = number(self.rule.limit, unit)
        since = episode.since if episode.since is not None else at
        if what == "closed" and episode.blind_since is not None:
            return f"there has been no forecast or no limit for {span(at - episode.blind_since)}; whether it comes near is unknown"
        if what == "closed":
            lasted = span(episode.turned_at - since)
            return f"no forecast of the last {span(at - episode.turned_at)} reaches {limit} within the horizon; now {number(value, unit)}; it was foreseen for {lasted}"
        if left == 0:
            return f"{limit} is reached: now {number(value, unit)}; foreseen or so since {instant(since)}"
        reach = int((at_point or at) + (left or 0.0) * SECOND)
        words = {"opened": "the forecast reaches", "worsened": "the forecast reaches sooner"}.get(
            what, "the forecast reaches later"
        )
        return f"{words} {limit} in {span(reach - at)}, at {instant(reach)}: now {number(value, unit)}; foreseen for {span(at - since)}"
