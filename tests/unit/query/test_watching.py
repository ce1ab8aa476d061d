"""The bands of the watcher: the same as panels draw, whatever the instants are cut into."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.forecast.engine import Fit
from driftband.model.band import DAY, Band, BandSettings
from driftband.model.series import Floats, Frame, History, Instants, Labels, make_labels
from driftband.model.signal import Watched, WatchedSignal
from driftband.query import watching
from driftband.query.bands import BandMaker
from driftband.query.errors import QueryError
from driftband.query.fetch import Answer
from driftband.query.fitting import Fitter
from driftband.query.watching import SignalBands, first_of, settled

T = TypeVar("T")

AT = 20_000 * DAY
MINUTE = 60_000
SETTINGS = BandSettings(min_history=DAY)
RULE = WatchedSignal(name="load", expr="load", limit=160.0)
LABELS = tuple(make_labels({"__name__": "load", "service": name}) for name in ("cart", "old", "search", "shop"))


def load(times: Instants) -> Floats:
    """Four services: seasons of their own, a step, one that ended long ago, one that begins after the refit."""
    day = times / DAY
    noise = np.sin(times / 7.3e5) + np.sin(times / 2.9e5)
    cart = 100 + 40 * np.sin(2 * np.pi * day) + noise
    old = np.where(times < AT - 3 * DAY, 50 + noise, np.nan)
    search = np.where(times > AT + DAY // 4, 90, 60) + 20 * np.cos(2 * np.pi * day) + 2 * noise
    shop = np.where(times > AT + DAY // 3, 10 + noise, np.nan)
    return np.stack([cart, old, search, shop])


class Source:
    """Answers with ``values`` of the instants; ``asked`` counts."""

    def __init__(self, values: Callable[[Instants], Floats] = load, labels: Sequence[Labels] = LABELS) -> None:
        self.values, self.labels = values, tuple(labels)
        self.asked: list[str] = []

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        assert text == RULE.expr
        self.asked.append("range")
        times = np.arange(start, end + 1, step, dtype=np.int64)
        values = self.values(times)
        return Answer(Frame(times, self.labels, values, ~np.isnan(values)))

    def history(self, text: str, start: int, end: int) -> History:
        assert text == RULE.expr
        self.asked.append("history")
        step = SETTINGS.step
        times = np.arange(-(-start // step) * step, end, step, dtype=np.int64)
        return History(int(times[0]), step, self.labels, self.values(times))

    def instant(self, _text: str, time: int) -> Answer:
        count = np.array([[4.0]])
        return Answer(Frame(np.array([time]), ((),), count, count > 0))

    def is_cold(self, _text: str, _start: int) -> bool:
        return False

    def shared(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        del key, size
        return make()

    def check_time(self) -> None:
        pass


def timed(_model: str, make: Callable[[], Fit]) -> Fit:
    return make()


def bands(interval: int = MINUTE) -> SignalBands:
    return SignalBands(RULE, SETTINGS, interval, timed)


def instants(first: int, count: int, interval: int = MINUTE) -> Instants:
    return AT + first + interval * np.arange(count, dtype=np.int64)


def rows(seen: Watched) -> dict[str, dict[str, Floats]]:
    """Return every array by series, as nothing may depend on the order of rows."""
    found = {}
    for row, labels in enumerate(seen.labels):
        arrays = {one.name: getattr(seen.band, one.name)[row] for one in fields(Band)}
        assert seen.to_breach is not None
        found[dict(labels)["service"]] = {
            **arrays,
            "values": seen.values[row],
            "score": seen.score[row],
            "left": seen.to_breach[row],
        }
    return found


def test_the_watcher_sees_what_a_panel_draws() -> None:
    source, times = Source(), instants(DAY // 4 + MINUTE, 400)
    seen = rows(bands().see(source, times))
    maker = BandMaker(SETTINGS, Fitter(SETTINGS, 10**8, timed), source, int(times[-1]), 200)
    drawn = maker.bands(RULE.expr, times, SETTINGS.level, SETTINGS.model)
    left = maker.breaches(RULE.expr, times, np.full(len(times), RULE.limit or 0.0), None)
    names = [dict(labels)["service"] for labels in drawn.labels]
    assert {"cart", "search"} <= set(names) <= seen.keys()
    for row, name in enumerate(names):
        for one in fields(Band):
            there = getattr(drawn.band, one.name)[row]
            np.testing.assert_allclose(seen[name][one.name], there, rtol=1e-9, err_msg=one.name)
    for row, labels in enumerate(left.labels):
        np.testing.assert_array_equal(seen[dict(labels)["service"]]["left"], left.seconds[row])
    assert np.isnan(seen["shop"]["expected"]).all()
    assert np.isfinite(seen["shop"]["values"][-1])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    first=st.integers(0, 1200),
    cuts=st.lists(st.integers(1, 239), max_size=5, unique=True),
    forget=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_cutting_time_or_starting_anew_changes_nothing(first: int, cuts: list[int], forget: list[bool]) -> None:
    times = instants(first * MINUTE, min(240, 1440 - first))
    whole = rows(bands().see(Source(), times))
    mine, source, place = bands(), Source(), 0
    for part, fresh in zip(np.split(times, sorted(cut for cut in cuts if cut < len(times))), forget, strict=False):
        mine = bands() if fresh else mine
        for name, arrays in rows(mine.see(source, part)).items():
            for what, there in arrays.items():
                # Not only nearly: a restart must not be able to change anything.
                expected = whole[name][what][place : place + len(part)]
                np.testing.assert_array_equal(there, expected, err_msg=f"{name} {what}")
        place += len(part)


def test_one_question_an_evaluation() -> None:
    source, mine = Source(), bands()
    mine.see(source, instants(6 * MINUTE, 1))
    assert source.asked == ["history", "history", "range"]
    source.asked.clear()
    for minute in range(7, 40):
        mine.see(source, instants(minute * MINUTE, 1))
    assert source.asked == ["range"] * 33
    source.asked.clear()
    mine.see(source, instants(DAY, 1))
    assert source.asked == ["history", "range"]


@pytest.mark.parametrize("interval", [MINUTE, 5 * MINUTE, 15 * MINUTE])
def test_the_interval_does_not_change_the_band(interval: int) -> None:
    whole = rows(bands().see(Source(), instants(0, 1440)))["cart"]["upper"]
    mine, source = bands(interval), Source()
    for place in range(0, 1440 * MINUTE, 8 * interval):
        count = min(8, (1440 * MINUTE - place) // interval)
        seen = mine.see(source, instants(place, count, interval))
        step = interval // MINUTE
        expected = whole[place // MINUTE : place // MINUTE + 8 * step : step]
        np.testing.assert_array_equal(rows(seen)["cart"]["upper"], expected)


def test_a_grid_point_that_comes_late_counts_from_then_on() -> None:
    late = Source(lambda times: np.where(times == AT + 10 * MINUTE, np.nan, load(times)))
    mine = bands()
    mine.see(late, instants(0, 13))
    mine.see(Source(), instants(10 * MINUTE, 3))
    after = instants(13 * MINUTE, 5)
    known = rows(bands().see(Source(), after))["cart"]["expected"]
    np.testing.assert_array_equal(rows(mine.see(Source(), after))["cart"]["expected"], known)


def test_series_that_take_turns_are_one_and_those_at_once_are_refused() -> None:
    labels = [make_labels({"__name__": name, "service": "cart"}) for name in ("a", "b")]

    def turns(times: Instants) -> Floats:
        values = load(times)[0]
        return np.stack([np.where(times < AT, values, np.nan), np.where(times >= AT, values, np.nan)])

    seen = bands().see(Source(turns, labels), instants(0, 3))
    assert len(seen.labels) == 1
    assert np.isfinite(seen.score).all()
    with pytest.raises(QueryError, match="same labelset"):
        bands().see(Source(lambda times: np.stack([load(times)[0]] * 2), labels), instants(0, 3))


def test_more_series_than_can_be_watched_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_SERIES", 2)
    with pytest.raises(QueryError, match="at most 2 are watched"):
        bands().see(Source(), instants(0, 1))


def test_of_many_series_those_long_gone_are_not_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "ALL_KEPT", 2)
    seen = bands().see(Source(), instants(DAY // 2, 1))
    assert [dict(labels)["service"] for labels in seen.labels] == ["cart", "search", "shop"]


def test_all_series_together_may_be_late_and_after_a_while_are_gone() -> None:
    times, patience = instants(0, 10), 5 * MINUTE
    ends = Source(lambda times: np.where(times > AT + 3 * MINUTE, np.nan, load(times)))
    seen = bands().see(ends, times)
    assert settled(seen, True, int(times[-1]), patience) == 5
    assert settled(seen, True, int(times[-1]) + DAY, patience) == 10
    assert settled(seen, True, int(times[3]), patience) == 4
    nothing = bands().see(Source(lambda times: load(times) * np.nan), times)
    assert settled(nothing, True, int(times[0]), patience) == 0
    assert settled(nothing, False, int(times[0]), patience) == 10
    cut = first_of(seen, 4)
    assert (len(cut.times), cut.values.shape, cut.band.upper.shape) == (4, (len(seen.labels), 4), (len(seen.labels), 4))
