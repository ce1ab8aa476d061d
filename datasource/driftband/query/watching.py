"""The bands of one signal as the watcher follows them: what a panel would draw, instant after instant, for many series.

The band at an instant depends on that instant alone, to the last bit, not on how many are looked at together: which
series are fitted together is settled by the refit, and live states are made from windows that begin at fixed grid points.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Protocol

import numpy as np

from driftband.forecast import engine
from driftband.forecast.engine import Fit, Track
from driftband.forecast.excursions import SPANS, rarest
from driftband.model.band import Band, BandSettings
from driftband.model.series import Bools, Floats, Frame, History, Instants, Labels
from driftband.model.signal import Watched, WatchedSignal
from driftband.query.bands import SLOW_SERIES
from driftband.query.errors import cannot
from driftband.query.fetch import Answer
from driftband.query.fitting import SLOW_MODELS
from driftband.query.values import nameless, without

PART = 128
"""Series that are fitted and followed together: their arrays stay in the processor's cache."""
STRIDE = 12
"""Grid points between two states from which a live state may be made."""
BEFORE = 12
"""Grid points before a refit that are kept, in which a departure may have begun."""
MOST_SERIES = 20_000
"""Series that one signal may have."""
ALL_KEPT = 2_000
"""Series of two weeks that are all fitted; of more, only those that were there shortly before the refit."""

Timed = Callable[[str, Callable[[], Fit]], Fit]
"""Makes the fit that it is given, of the model that it is told."""


class WatchFetch(Protocol):
    """A source as the watcher sees it; times in epoch ms. Both may raise ``QueryError``."""

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query at ``start``, ``start + step``, ... up to ``end``."""

    def history(self, text: str, start: int, end: int) -> History:
        """Answer on the bands' grid ``[start, end)``."""


class Seen(Protocol):
    """What is seen at consecutive instants: times (T,), epoch ms; values (n, T), NaN where there is no sample."""

    @property
    def times(self) -> Instants: ...  # noqa: D102 - as above

    @property
    def values(self) -> Floats: ...  # noqa: D102


@dataclass
class _Part:
    """Some series of a day: rows of the day's grid, their fit, and the last track made of it."""

    rows: slice
    fit: Fit
    track: Track | None = None


@dataclass
class _Day:
    """What is known between a refit and the next. grid: (n, K), the first ``BEFORE`` columns before ``at``.

    until: the grid is filled before this instant (epoch ms). strays: (n, 2, S), as of ``Watched``.
    """

    at: int
    step: int
    labels: tuple[Labels, ...]
    parts: list[_Part]
    grid: Floats
    until: int
    strays: Floats
    index: dict[Labels, int] = field(init=False)

    def __post_init__(self) -> None:
        self.index = {known: row for row, known in enumerate(self.labels)}

    def fill(self, labels: tuple[Labels, ...], times: Instants, values: Floats) -> None:
        """Note what is known at grid instants; series without a fit are passed over."""
        columns = (times - self.at) // self.step + BEFORE
        if len(times) and times[0] < self.until:  # what has come late: tracks that did not know it are of no use
            for part in self.parts:
                part.track = None
        found = [(self.index[known], row) for row, known in enumerate(labels) if known in self.index]
        if found and len(columns):
            rows, chosen = (np.array(side) for side in zip(*found, strict=True))
            self.grid[rows[:, None], columns[None, :]] = values[chosen]

    def history(self, part: _Part) -> History:
        """Return what is known of a part's series."""
        start = self.at - BEFORE * self.step
        return History(start, self.step, part.fit.labels, self.grid[part.rows])


class SignalBands:
    """Makes what detectors look at. interval: of the watcher (ms), which divides ``settings.step`` or is a multiple of it."""

    def __init__(self, rule: WatchedSignal, settings: BandSettings, interval: int, timed: Timed) -> None:
        self._rule, self._settings, self._interval, self._timed = rule, settings, interval, timed
        self._model = rule.model or settings.model
        self._level = rule.level or settings.level
        self._day: _Day | None = None

    def see(self, fetch: WatchFetch, instants: Instants) -> Watched:
        """Return all series at ``instants`` (epoch ms, one interval apart), which lie between a refit and the next.

        It asks for a history once a refit and where instants were left out, and else only for the instants themselves.

        Raises:
            QueryError: of the source; or where there are more series than can be watched.
        """
        first, last = int(instants[0]), int(instants[-1])
        day = self._day_of(fetch, first)
        step = min(self._interval, day.step)
        start = first if self._interval <= day.step else min(day.until, first)
        frame = nameless(bounded(fetch.range(self._rule.expr, start, last, step).frame))
        values = np.where(frame.present & np.isfinite(frame.values), frame.values, np.nan)
        on_grid = frame.times % day.step == 0
        day.fill(frame.labels, frame.times[on_grid], values[:, on_grid])
        day.until = last - last % day.step + day.step
        return self._watched(day, instants, frame, values[:, np.isin(frame.times, instants)])

    def _day_of(self, fetch: WatchFetch, first: int) -> _Day:
        at = self._settings.refit_before(first)
        if self._day is None or self._day.at != at:
            self._day = None  # two of them need not be in memory at once
            self._day = self._begin(fetch, at)
        day = self._day
        if self._interval <= day.step and day.until < first:
            missed = _nameless(fetch.history(self._rule.expr, day.until, -(-first // day.step) * day.step))
            day.fill(missed.labels, missed.times, missed.values)
            day.until = missed.end
        return day

    def _begin(self, fetch: WatchFetch, at: int) -> _Day:
        settings = self._settings
        history = self._worth_a_fit(_nameless(fetch.history(self._rule.expr, at - settings.history, at)), at)
        count = len(history.labels)
        if self._model in SLOW_MODELS and count > SLOW_SERIES:
            message = f'the model "{self._model}" takes at most {SLOW_SERIES} series, got {count}'
            raise cannot(message, 'use "seasonal", or aggregate')
        parts = []
        for start in range(0, count, PART):
            rows = slice(start, min(start + PART, count))
            window = History(history.start, history.step, history.labels[rows], history.values[rows])
            parts.append(_Part(rows, self._fit(window, at)))
        before = history.between(at - BEFORE * settings.step, at + settings.refit)
        return _Day(at, settings.step, history.labels, parts, before.values, at, _strays(parts, self._level))

    def _fit(self, window: History, at: int) -> Fit:
        return self._timed(self._model, lambda: engine.fit(window, at, self._settings, self._model))

    def _worth_a_fit(self, history: History, at: int) -> History:
        """Return the series that a fit is made of, in order; the choice looks at nothing from the refit on."""
        known = ~np.isnan(history.values)
        kept = known.any(axis=1)
        if kept.sum() > ALL_KEPT:
            # What has been gone for so long seldom comes back, and a fit of it costs as much as one of the living.
            recent = (at - self._settings.min_history - history.start) // history.step
            kept = known[:, max(recent, 0) :].any(axis=1)
        if kept.sum() > MOST_SERIES:
            raise _too_many(int(kept.sum()))
        order = sorted(np.flatnonzero(kept), key=lambda row: history.labels[row])
        return History(history.start, history.step, tuple(history.labels[row] for row in order), history.values[order])

    def _watched(self, day: _Day, instants: Instants, frame: Frame, seen: Floats) -> Watched:
        young = [row for row, known in enumerate(frame.labels) if known not in day.index]
        labels = (*day.labels, *(frame.labels[row] for row in young))
        values = np.full((len(labels), len(instants)), np.nan)
        places = {known: row for row, known in enumerate(frame.labels)}
        for row, known in enumerate(day.labels):
            if known in places:
                values[row] = seen[places[known]]
        values[len(day.labels) :] = seen[young]
        band, left = self._band(day, instants, len(labels))
        score = band.score(values)
        strays = np.full((len(labels), *day.strays.shape[1:]), np.nan)
        strays[: len(day.labels)] = day.strays
        return Watched(
            times=instants, labels=labels, values=values, band=band, score=score, to_breach=left, strays=strays
        )

    def _band(self, day: _Day, instants: Instants, count: int) -> tuple[Band, Floats | None]:
        """Return the band, and the seconds until the forecast crosses the limit, where there is one."""
        made, now = _nothing(count, len(instants)), int(instants[-1])
        limit = self._rule.limit
        left = None if limit is None else np.full((count, len(instants)), np.nan)
        for part in day.parts:
            for mine, track in self._tracks(day, part, instants):
                there = engine.bands(track, instants[mine], now)
                for one in fields(Band):
                    getattr(made, one.name)[part.rows, mine] = getattr(there, one.name)
                if left is not None:
                    limits = np.full(int(mine.sum()), limit)
                    left[part.rows, mine] = engine.time_to_breach(
                        track, instants[mine], now, limits, against_band=False
                    )
        return made, left

    def _tracks(self, day: _Day, part: _Part, instants: Instants) -> Iterator[tuple[Bools, Track]]:
        """Yield which instants a track is for, and the track."""
        passed = -(-(instants - day.at) // day.step)
        for first in np.unique(passed // STRIDE * STRIDE):
            mine = (passed >= first) & (passed < first + STRIDE)
            most = int(passed[mine].max())
            track = part.track
            if track is None or (track.first, track.first + track.states - 1) != (int(first), most):
                until = day.at + most * day.step
                track = engine.follow(part.fit, day.history(part), until, self._level, int(first))
                part.track = track
            yield mine, track


def bounded(frame: Frame) -> Frame:
    """Return a frame that can be watched. Raises QueryError where it has too many series."""
    if len(frame.labels) > MOST_SERIES:
        raise _too_many(len(frame.labels))
    return frame


def first_of(seen: Watched, count: int) -> Watched:
    """Return the first ``count`` instants of what was seen."""
    band = Band(**{one.name: getattr(seen.band, one.name)[:, :count] for one in fields(Band)})
    left = None if seen.to_breach is None else seen.to_breach[:, :count]
    values, score = seen.values[:, :count], seen.score[:, :count]
    return replace(seen, times=seen.times[:count], values=values, band=band, score=score, to_breach=left)


def settled(seen: Seen, had_series: bool, now: int, patience: int) -> int:
    """Return of how many of the first instants it is known what they hold.

    Where all series of a signal end together shortly before ``now`` (epoch ms), they may be late rather than gone; after
    ``patience`` (ms) they are gone. had_series: whether there were any at the instant before.
    """
    there = np.flatnonzero((~np.isnan(seen.values)).any(axis=0))
    if not len(there) and not had_series:
        return len(seen.times)
    until = int(there[-1]) + 1 if len(there) else 0
    return max(until, int((seen.times <= now - patience).sum()))


def _strays(parts: list[_Part], level: float) -> Floats:
    """Return the scores, in a band of ``level``, that calm alone does not reach: of the series of a signal together."""
    if not parts:
        return np.empty((0, 2, len(SPANS)))
    learnt = [part.fit.calibration for part in parts]
    width = np.concatenate([one.widths(level)[:, 0] for one in learnt])
    rare = rarest(np.concatenate([one.strayed for one in learnt]))
    with np.errstate(divide="ignore", invalid="ignore"):
        strays: Floats = rare / width[..., None]
    return strays


def _nameless(history: History) -> History:
    """Drop the metric names, as every function does; series that take turns become one."""
    labels = [without(known, ["__name__"]) for known in history.labels]
    if len(set(labels)) == len(labels):
        return History(history.start, history.step, tuple(labels), history.values)
    present = ~np.isnan(history.values)
    frame = nameless(Frame(history.times, history.labels, history.values, present))
    return History(history.start, history.step, frame.labels, frame.values)


def _nothing(count: int, instants: int) -> Band:
    sides = {one.name: np.full((count, instants), np.nan) for one in fields(Band)}
    places = np.full((count, instants), -1, dtype=np.int64)
    return replace(Band(**sides), fitted_until=places, departed_side=np.zeros_like(places))


def _too_many(count: int) -> Exception:
    return cannot(
        f"the query has {count} series, and at most {MOST_SERIES} are watched",
        "aggregate it, as in sum by (service) (...), or filter it",
    )
