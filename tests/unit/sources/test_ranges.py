import math
import time
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.series import Frame
from driftband.query.fetch import Answer
from driftband.query.values import rows
from driftband.sources.asking import Ask
from driftband.sources.history import LIFETIME, SETTLE
from driftband.sources.ranges import RangeCache, weight

MINUTE = 60_000
NOW = 1_700_000_000_000 // MINUTE * MINUTE
HOUR = 60 * MINUTE
MIB = 2**20


def ask(who: str = "") -> Ask:
    return Ask(time.monotonic() + 30, (("X-Scope-OrgID", who),) if who else ())


@dataclass
class Source:
    """One series is always there, one is NaN now and then, and one comes and goes."""

    until: int = NOW + 10 * HOUR
    warnings: tuple[str, ...] = ()
    add: float = 0.0
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def __call__(self, ask: Ask, text: str, start: int, end: int, step: int) -> Answer:
        self.asked.append((text, start, end))
        times = np.arange(start, end + 1, step, dtype=np.int64)
        minutes = times // MINUTE
        values = np.array([minutes * 1.0 + self.add, np.where(minutes % 7, 1.0, np.nan), minutes * 2.0])
        present = np.array([times <= self.until, minutes % 3 > 0, minutes // 90 % 2 > 0])
        there = present.any(axis=1)
        labels = [(("who", name), ("ask", str(ask.headers))) for name in "abc"]
        kept = tuple(one for one, seen in zip(labels, there, strict=True) if seen)
        return Answer(Frame(times, kept, values[there], present[there]), warnings=self.warnings)


def told(answer: Answer) -> dict[object, list[tuple[int, float]]]:
    """Return the samples of each series; repr tells NaN from NaN."""
    times = answer.frame.times
    return {
        labels: [(int(t), repr(float(v))) for t, v, p in zip(times, values, present, strict=True) if p]  # type: ignore[misc]
        for labels, values, present in rows(answer.frame)
    }


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 300), st.integers(-20, 300), st.sampled_from([1, 5, 7])),
        max_size=12,
    )
)
def test_it_answers_as_the_source_does_whatever_was_asked_before(asks: list[tuple[int, int, int, int]]) -> None:
    source, now = Source(), NOW
    cache = RangeCache(source, MIB)
    for later, back, length, minutes in asks:
        now += later * MINUTE
        start = now - back * MINUTE
        end, step = start + max(length, 0) * MINUTE, minutes * MINUTE
        answer = cache.read(ask(), "up", start, end, step, now)
        plain = source(ask(), "up", start, end, step)
        assert answer.frame.times.tolist() == plain.frame.times.tolist()
        assert told(answer) == told(plain)


def test_only_what_can_still_change_is_asked_again() -> None:
    source = Source()
    cache = RangeCache(source, MIB)
    cache.read(ask(), "up", NOW - HOUR, NOW, MINUTE, NOW)
    cache.read(ask(), "up", NOW - HOUR + MINUTE, NOW + MINUTE, MINUTE, NOW + MINUTE)
    assert source.asked[1:] == [("up", NOW - SETTLE + MINUTE, NOW + MINUTE)]


def test_what_came_late_is_seen_within_the_last_minutes_at_once_and_before_them_in_time() -> None:
    source = Source(until=NOW - 5 * MINUTE)
    cache = RangeCache(source, MIB)
    cache.read(ask(), "up", NOW - HOUR, NOW, MINUTE, NOW)
    source.until, source.add = NOW, 0.5

    def values(now: int) -> list[float]:
        frame = cache.read(ask(), "up", NOW - HOUR, NOW, MINUTE, now).frame
        return [float(value) % 1 for value, there in zip(frame.values[0], frame.present[0], strict=True) if there]

    assert values(NOW) == [0.0] * 51 + [0.5] * 10
    assert values(NOW + LIFETIME + 1) == [0.5] * 61


@pytest.mark.parametrize("text", ["m @ end()", "m @ start ( )", "rate(m[range()])"])
def test_what_depends_on_its_range_is_asked_whole(text: str) -> None:
    source = Source()
    cache = RangeCache(source, MIB)
    for _ in range(2):
        cache.read(ask(), text, NOW - HOUR, NOW, MINUTE, NOW)
    assert source.asked == [(text, NOW - HOUR, NOW)] * 2
    assert cache.size == 0


def test_an_answer_with_a_warning_may_be_half_of_one_and_is_not_kept() -> None:
    source = Source(warnings=("a store did not answer",))
    cache = RangeCache(source, MIB)
    assert cache.read(ask(), "up", NOW - HOUR, NOW, MINUTE, NOW).warnings == source.warnings
    source.warnings = ()
    assert cache.read(ask(), "up", NOW - HOUR, NOW, MINUTE, NOW).warnings == ()
    assert source.asked == [("up", NOW - HOUR, NOW)] * 2


def test_nothing_is_shared_between_credentials_and_no_more_kept_than_there_is_room_for() -> None:
    source = Source()
    one = weight(source(ask(), "up", NOW - HOUR, NOW - SETTLE, MINUTE))
    cache = RangeCache(source, 2 * one)
    for who in ("ann", "bob", "eve", "eve", "bob", "ann"):
        found = cache.read(ask(who), "up", NOW - HOUR, NOW, MINUTE, NOW)
        assert all(who in dict(labels)["ask"] for labels in found.frame.labels)
    assert cache.size <= 2 * one + 1000
    whole = [start for _, start, _ in source.asked[1:] if start == NOW - HOUR]
    assert len(whole) == 4  # ann's had gone
    assert math.isclose(cache.size, 2 * one, rel_tol=0.1)
