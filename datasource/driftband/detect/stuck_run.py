"""The run of equal values that a series is in, and how long its runs usually are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from driftband.detect.episode import Episode
from driftband.detect.words import DAY, MINUTE

LEARN = DAY
"""How long a series must have been seen before a run means something: a night is a part of what is usual."""
LEAST_RUNS = 30
LONG = 5
"""Samples beyond which a run is long; a series that has such runs at all needs ..."""
LEAST_LONG = 10
"""... so many of them before one is judged."""
TIMES_USUAL = 6
LEAST_SAMPLES = 20
LEAST_LENGTH = 30 * MINUTE


@dataclass(slots=True, kw_only=True)
class Run:
    """first, since, seen: epoch ms; of the series, of the run, and of the last sample. count: samples in the run.

    runs, long: ended runs, and long ones among them. longest: samples of the two longest ended runs, the longest first.
    """

    first: int
    value: float
    since: int
    seen: int
    count: int = 1
    runs: int = 0
    long: int = 0
    longest: list[int] = field(default_factory=lambda: [0, 0])
    episode: Episode = field(default_factory=Episode)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Run":
        """Read what ``json`` wrote."""
        found = cls(first=state["first"], value=state["value"], since=state["since"], seen=state["seen"])
        found.count = state["count"]
        found.runs, found.long, found.longest = state["runs"], state["long"], list(state["longest"])
        found.episode = Episode.of(state.get("episode"))
        return found

    def json(self) -> dict[str, Any]:
        """Return all of it."""
        state = {
            "first": self.first, "value": self.value, "since": self.since, "seen": self.seen, "count": self.count,
            "runs": self.runs, "long": self.long, "longest": self.longest,
        }  # fmt: skip
        return state if self.episode.idle else {**state, "episode": self.episode.json()}

    @property
    def allowed(self) -> int:
        """How many equal samples in a row are not yet remarkable.

        Measured by the longest but one of the ended runs: one that was itself stuck is no habit.
        """
        return max(TIMES_USUAL * self.longest[1], LEAST_SAMPLES)

    def take(self, at: int, value: float) -> None:
        """Take the next sample in."""
        self.seen = at
        if value == self.value:
            self.count += 1
            return
        self.runs += 1
        # What was told as stuck does not show how the series usually rests.
        self.long += self.count > LONG and self.episode.opened is None
        if self.count > self.longest[1]:
            self.longest = sorted((self.longest[0], self.count), reverse=True)
        self.value, self.since, self.count = value, at, 1

    def score(self, at: int, for_ms: int) -> float:
        """Return the run's length over what is allowed; 0 where it is not judged yet."""
        if self.count <= self.allowed or at - self.since < max(for_ms, LEAST_LENGTH):
            return 0.0
        known = self.runs >= LEAST_RUNS and self.since - self.first >= LEARN
        return self.count / self.allowed if known and (not self.long or self.long >= LEAST_LONG) else 0.0
