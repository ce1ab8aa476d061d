"""What an episode keeps to be looked at: how it began, how it went on, how it ended."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from driftband.detect.episode import BETWEEN, KEPT, Episode, Patience, Sight

MINUTE = 60_000
PATIENCE = Patience(open_after=1, close_after=1, reopen_within=MINUTE, give_up=MINUTE)


@given(st.integers(1, 3000), st.integers(0, 3000))
def test_the_points_reach_from_end_to_end_and_are_few(length: int, restarted: int) -> None:
    episode = Episode()
    for at in range(length):
        if at == restarted:  # from the state as it is stored
            episode = Episode.of(json.loads(json.dumps(episode.json())))
        sight = Sight(at=at * MINUTE, known=True, bad=True, calm=False, score=2.0, shown=(float(at),))
        episode.advance(sight, PATIENCE, MINUTE, lambda *_: "warning")
    points = episode.points(("values",))
    times = [int(at or 0) // MINUTE for at in points["times"]]
    assert points["values"] == times
    assert len(times) == len(set(times)) <= 2 * KEPT + BETWEEN
    assert times == sorted(times)
    assert times[:KEPT] == list(range(min(length, KEPT)))
    assert times[-min(length, KEPT) :] == list(range(max(0, length - KEPT), length))
    assert max((late - early for early, late in pairwise(times)), default=0) <= 2 * max(1, length // BETWEEN)
