"""From an operand's history to its band at the instants of a query."""

from dataclasses import dataclass, fields

import numpy as np

from driftband.forecast import engine
from driftband.forecast.engine import Track
from driftband.model.band import Band, BandSettings
from driftband.model.series import Bools, Floats, History, Instants, Labels
from driftband.query.errors import TooManySeriesError, cannot
from driftband.query.fetch import Fetch
from driftband.query.fitting import SLOW_MODELS, Fitter
from driftband.query.native import matches
from driftband.query.nodes import Matcher
from driftband.query.values import show, without

MOST_FITS = 20_000
"""Fits of one series that one query may need: some ten seconds."""
SLOW_SERIES = 20
"""Series that a slow model takes at once."""
NAMED = 3
"""Series that a warning names before it only counts."""


@dataclass(frozen=True, eq=False)
class Bands:
    """The bands of the series ``labels`` (with ``__name__``), and what must be said of them."""

    labels: tuple[Labels, ...]
    band: Band
    warnings: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Breaches:
    """Seconds to the limit for the series ``labels``, shape (n, T)."""

    labels: tuple[Labels, ...]
    seconds: Floats
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class BandMaker:
    """Makes bands for one query. now: epoch ms; nothing at or after it is looked at. max_series: most that get a band.

    narrowing: bands are made only of series whose labels satisfy these matchers.
    """

    settings: BandSettings
    fitter: Fitter
    fetch: Fetch
    now: int
    max_series: int
    narrowing: tuple[Matcher, ...] = ()

    def bands(self, operand: str, instants: Instants, level: float, model: str) -> Bands:
        """Return the band of each series of ``operand`` at ``instants`` (ascending and evenly spaced, epoch ms).

        Sides of a band, its score and the same in the next panel are read off one that is made once.
        """
        if model in SLOW_MODELS:
            return self._made(operand, instants, level, model)  # may say that a refresh shows more
        key = ("bands", operand, self.narrowing, int(instants[0]), int(instants[-1]), len(instants), level, model)
        return self.fetch.shared(key, lambda: self._made(operand, instants, level, model), _weight)

    def _made(self, operand: str, instants: Instants, level: float, model: str) -> Bands:
        labels, tracks, warnings = self._tracks(operand, instants, level, model)
        if not labels:
            return Bands((), _empty(0, len(instants)), warnings)
        parts = [
            engine.bands(track, instants[mine], self.now) if track is not None else _empty(len(labels), int(mine.sum()))
            for mine, track in tracks
        ]
        joined = Band(
            **{f.name: np.concatenate([getattr(part, f.name) for part in parts], axis=1) for f in fields(Band)}
        )
        return Bands(labels, joined, warnings)

    def breaches(self, operand: str, instants: Instants, limit: Floats, level: float | None) -> Breaches:
        """Return the seconds until the forecast, or with a level its band, crosses ``limit`` (shape (T,))."""
        labels, tracks, warnings = self._tracks(operand, instants, level or self.settings.level, self.settings.model)
        parts = [
            engine.time_to_breach(track, instants[mine], self.now, limit[mine], against_band=level is not None)
            if track is not None
            else np.full((len(labels), int(mine.sum())), np.nan)
            for mine, track in tracks
        ]
        return Breaches(labels, np.concatenate(parts, axis=1) if parts else np.empty((0, len(instants))), warnings)

    def _tracks(
        self, operand: str, instants: Instants, level: float, model: str
    ) -> tuple[tuple[Labels, ...], list[tuple[Bools, Track | None]], tuple[str, ...]]:
        held = np.minimum(instants, self.now)
        refits = held - held % self.settings.refit
        history = self._history(operand, int(refits[0]), int(held[-1]))
        count = len(history.labels)
        if len(np.unique(refits)) * count > MOST_FITS:
            raise cannot(
                f"this range needs {len(np.unique(refits)) * count} fits, more than {MOST_FITS}",
                "ask for a shorter range, or aggregate to fewer series",
            )
        if model in SLOW_MODELS and count > SLOW_SERIES:
            raise cannot(
                f'the model "{model}" takes at most {SLOW_SERIES} series, got {count}', 'use "seasonal", or aggregate'
            )
        # Fits are of all series, so that they serve whatever one is asked for.
        rows = [row for row, known in enumerate(history.labels) if matches(self.narrowing, known)]
        mine = history.only(rows) if len(rows) < count else history
        tracks: list[tuple[Bools, Track | None]] = []
        notes: tuple[str | None, ...] = (None,) * len(rows)
        waiting = 0
        due = [int(at) for at in np.unique(refits)] if rows else []
        for at, whole in zip(due, self.fitter.fits(history, due, model), strict=True):
            self.fetch.check_time()
            waiting += whole is None
            track = None
            if whole is not None:
                fit = whole.only(rows) if len(rows) < count else whole
                track = self.fitter.follow(fit, mine, min(self.now, at + self.settings.refit), level, model)
                notes = fit.notes
            tracks.append((refits == at, track))
        warnings = _notes(mine.labels, notes)
        if waiting:
            warnings.append(
                f'"{model}" is still being fitted for {waiting} of {len(tracks)} refits; refresh to see its band'
            )
        return mine.labels, tracks, tuple(warnings)

    def _history(self, operand: str, first_refit: int, last: int) -> History:
        start = first_refit - self.settings.history
        if self.fetch.is_cold(operand, start):
            self._check_count(operand, last)
        history = self.fetch.history(operand, start, last + 1)
        # What has been gone since before the range gets no band there; it must not count, nor cost a fit.
        alive = ~np.all(np.isnan(history.between(first_refit - self.settings.min_history, last + 1).values), axis=1)
        if alive.sum() > self.max_series:
            raise too_many(int(alive.sum()), self.max_series)
        return history if alive.all() else history.only(np.flatnonzero(alive))

    def _check_count(self, operand: str, last: int) -> None:
        count = self.fetch.instant(f"count({operand}\n)", last).frame.values
        if count.size and count[0, 0] > self.max_series:
            raise too_many(int(count[0, 0]), self.max_series)


def too_many(count: int, most: int) -> TooManySeriesError:
    """Make the error of an operand with too many series."""
    return TooManySeriesError(f"the operand has {count} series, and bands are made for at most {most} at once")


def _weight(made: Bands) -> int:
    return sum(getattr(made.band, f.name).nbytes for f in fields(Band)) + 500 * len(made.labels) + 1000


def _notes(labels: tuple[Labels, ...], notes: tuple[str | None, ...]) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for known, note in zip(labels, notes, strict=True):
        if note is not None:
            reasons.setdefault(note, []).append(show(without(known, ["__name__"])))
    return [
        f"no band for {', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}: {note}"
        for note, names in reasons.items()
    ]


def _empty(count: int, instants: int) -> Band:
    nothing = np.full((count, instants), np.nan)
    nowhere = np.zeros((count, instants), dtype=np.int64)
    return Band(nothing, nothing, nothing, nothing, nothing, nothing, nowhere - 1, nowhere)
