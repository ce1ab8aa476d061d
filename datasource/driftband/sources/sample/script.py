"""What happens in the sample world: releases, an incident, a new call, a memory leak.

Releases follow the calendar alone. The incident and the leak are placed by the *anchor*: the last four-hour mark
(00:00, 04:00, ... UTC) at least three hours before the instant the world is asked to be current at. So the incident
began three to seven hours ago, and worlds made within the same four hours tell the same story.

- **The incident**, 90 minutes from the anchor. An apply sets the database pool of checkout to 6 connections for each
  pod and restarts them. Requests wait for a connection: latency and 500s rise sharply and orders queue up, while
  frontend, its caller, and payment, which it calls, suffer more mildly. A second apply restores the pool.
- **The new call**, from 25 minutes after the incident on. A feature flag lets recommendation look into the cart.
- **The leak**, from five days before the anchor. A release of recommendation never gives back memory; its pods come to
  the limit 20 and 30 hours after the anchor, are killed, and begin again. No other version of it goes out any more.
"""

from dataclasses import dataclass

import numpy as np

from driftband.model.series import Bools, Floats, Instants
from driftband.sources.sample.shapes import DAY_MINUTES, MINUTE, fraction, weekday
from driftband.sources.sample.shop import BY_NAME, PODS

INCIDENT_MINUTES = 90
SMALL_POOL = 6
FLAG_AFTER = INCIDENT_MINUTES + 25
LEAK_BEFORE = 5 * DAY_MINUTES
DOWN_MINUTES = 2
"""How long a restarting pod is away: so many scrapes fail."""

_MARK = 240
_SETTLED = 180
_POD_DELAY = 5
_LEAK_LASTS = (LEAK_BEFORE + 20 * 60, LEAK_BEFORE + 30 * 60)
_RELEASE_SPREAD = 90
_ONSET, _RECOVERY = 5, 12
_BLIP = 12
_QUEUED_A_MINUTE, _DRAINED_A_MINUTE = 6.0, 14.0


@dataclass(frozen=True, eq=False)
class Effect:
    """What is different about a service, minute by minute: factors of latency, tail and load; added share of errors."""

    latency: Floats
    tail: Floats
    load: Floats
    errors: Floats


# At the height of the incident: (latency, tail, load, added share of 500s).
_SYMPTOMS = {
    "checkout": (5.5, 0.62, 1.12, 0.16),
    "payment": (1.6, 0.85, 0.80, 0.008),
    "frontend": (1.22, 0.93, 1.0, 0.014),
}


@dataclass(frozen=True)
class Script:
    """The events around one anchor (minutes since the epoch)."""

    anchor: int

    @classmethod
    def at(cls, now: int) -> "Script":
        """Return the script of a world that is current at ``now`` (epoch ms)."""
        settled = now // MINUTE - _SETTLED
        return cls(settled - settled % _MARK)

    @property
    def incident(self) -> tuple[int, int]:
        """The incident's first and last instant (epoch ms)."""
        return self.anchor * MINUTE, (self.anchor + INCIDENT_MINUTES) * MINUTE

    @property
    def leak_start(self) -> int:
        """The instant from which recommendation leaks (epoch ms)."""
        return (self.anchor - LEAK_BEFORE) * MINUTE

    def restarts(self, service: str, pod: int, day: int) -> list[int]:
        """Return the minutes on ``day`` in which a pod answers again after a restart, ascending."""
        minutes = {release + pod * _POD_DELAY for release in self.releases(service, day)}
        leaks = self.anchor - LEAK_BEFORE
        if service == "recommendation" and (day + 1) * DAY_MINUTES > leaks:
            # The killed pod comes back at once; the release that began it came to one pod after the other.
            period, first = _LEAK_LASTS[pod], leaks + pod * _POD_DELAY
            nth = max(-(-(day * DAY_MINUTES - first) // period), 0)
            minutes.add(first + nth * period)
        if service == "checkout":
            minutes |= {self.anchor + pod * 2, self.anchor + INCIDENT_MINUTES + pod * 2}
        return sorted(minute for minute in minutes if minute // DAY_MINUTES == day)

    def releases(self, service: str, day: int) -> list[int]:
        """Return the minutes on ``day`` at which a new version of ``service`` goes out: once a week, at most."""
        usual, minute = BY_NAME[service].release
        if weekday(day) != usual:
            return []
        spread = int((fraction(f"release/{service}", day) - 0.5) * 2 * _RELEASE_SPREAD)
        release = day * DAY_MINUTES + minute + spread
        frozen = service == "recommendation" and release > self.anchor - LEAK_BEFORE - _BLIP
        return [] if frozen else [release]

    def answering(self, service: str, pod: int, minutes: Instants) -> Bools:
        """Return where a pod answers, for the minutes of one day or less."""
        away = np.zeros(minutes.shape, dtype=bool)
        for day in (int(minutes[0]) // DAY_MINUTES, int(minutes[-1]) // DAY_MINUTES + 1):
            for restart in self.restarts(service, pod, day):
                away |= (minutes >= restart - DOWN_MINUTES) & (minutes < restart)
        return ~away

    def effect(self, service: str, minutes: Instants) -> Effect:
        """Return what the incident and new versions do to ``service`` in the minutes of one day."""
        latency, tail, load, errors = (np.full(minutes.shape, value) for value in (1.0, 1.0, 1.0, 0.0))
        day = int(minutes[0]) // DAY_MINUTES
        for pod in range(PODS):
            for restart in self.restarts(service, pod, day):
                # A cold pod: caches are empty and some requests were in flight.
                cold = _decay(minutes - restart, _BLIP) / PODS
                latency *= 1 + 1.1 * cold
                errors += 0.02 * cold
        if service in _SYMPTOMS:
            height = self.trouble(minutes)
            slower, flatter, busier, failing = _SYMPTOMS[service]
            latency *= 1 + (slower - 1) * height
            tail *= 1 + (flatter - 1) * height
            load *= 1 + (busier - 1) * height
            errors += failing * height
        return Effect(latency, tail, load, errors)

    def trouble(self, minutes: Instants) -> Floats:
        """Return how much of the incident is felt: 0 before and after, 1 at its height."""
        since = (minutes - self.anchor).astype(np.float64)
        onset = np.clip((since + 1) / _ONSET, 0.0, 1.0)
        return onset * np.clip(1 - (since - INCIDENT_MINUTES) / _RECOVERY, 0.0, 1.0)

    def small_pool(self, minutes: Instants) -> Bools:
        """Return where the bad configuration holds."""
        return (minutes >= self.anchor) & (minutes < self.anchor + INCIDENT_MINUTES)

    def flag_on(self, minutes: Instants) -> Bools:
        """Return where the feature flag is on that brings the new call about."""
        return minutes >= self.anchor + FLAG_AFTER

    def backlog(self, minutes: Instants) -> Floats:
        """Return how many orders wait because of the incident: they pile up, then are worked off."""
        since = (minutes - self.anchor).astype(np.float64)
        piled = _QUEUED_A_MINUTE * np.clip(since, 0.0, INCIDENT_MINUTES)
        return np.maximum(piled - _DRAINED_A_MINUTE * np.maximum(since - INCIDENT_MINUTES, 0.0), 0.0)

    def leaked(self, pod: int, minutes: Instants) -> Floats:
        """Return the share of a recommendation pod's spare memory that the leak has taken, from 0 to 1."""
        first, period = self.anchor - LEAK_BEFORE + pod * _POD_DELAY, _LEAK_LASTS[pod]
        return np.where(minutes < first, 0.0, ((minutes - first) % period) / period)

    def ages(self, service: str, pod: int, minutes: Instants) -> Instants:
        """Return for each minute of one day how many minutes ago the pod last restarted."""
        day = int(minutes[0]) // DAY_MINUTES
        restarts = self.restarts(service, pod, day)
        back = day
        while not restarts or restarts[0] > minutes[0]:
            back -= 1
            restarts = [*self.restarts(service, pod, back), *restarts]
        known = np.array(restarts, dtype=np.int64)
        return minutes - known[np.searchsorted(known, minutes, side="right") - 1]


def _decay(since: Instants, lasts: int) -> Floats:
    """From 1 at 0 down to 0 after ``lasts`` minutes; 0 before."""
    return np.where(since >= 0, np.clip(1 - since / lasts, 0.0, 1.0) ** 2, 0.0)
