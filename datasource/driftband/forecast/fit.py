"""Fitting: from the window before a refit to all that is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from driftband.forecast import live
from driftband.forecast.calibration import Calibration, calibrate, hours_of
from driftband.forecast.models import FORECASTERS
from driftband.forecast.outlook import Days
from driftband.forecast.reference import Reference, make_reference
from driftband.forecast.robust import in_a_row
from driftband.forecast.wallclock import by_day, local_offsets, local_slots, slots_per_day
from driftband.model.band import DAY, BandSettings
from driftband.model.series import Bools, Floats, History, Instants, Labels

R = TypeVar("R", Calibration, Reference)

LEAST_SHARE = 0.5
"""Share of ``min_history`` in grid points that must be known."""
LEAST_WIDTH = 1e-6
"""The least half-width over the largest value of the window: a constant has a band too."""
SMALLEST_WIDTH = 1e-12
STEADY_SHARE = 0.5
"""A series with more zeros than this is intermittent: its bursts are its tails, nothing is shrunk."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A model of ``n`` series fitted on the grid points before ``at`` (epoch ms), good for ``refit`` ms.

    The grid of the model has its first point ``live.RECENT`` steps before ``at`` and reaches to ``at + refit +
    horizon``. expected: (n, G) there, the forecast; NaN before ``at``. recent: (n, RECENT), its errors before ``at``.
    hours: (G,), the hour of the wall-clock day of the refit. reference: by wall-clock slot, at ``places`` (G,).
    nonnegative: (n,). notes: for each series why it has no band, or None.
    """

    at: int
    step: int
    refit: int
    horizon: int
    labels: tuple[Labels, ...]
    notes: tuple[str | None, ...]
    expected: Floats
    recent: Floats
    hours: Instants
    calibration: Calibration
    reference: Reference
    places: Instants
    nonnegative: Bools
    last_known: Instants
    """(n,), grid steps from ``at`` to the last sample before it (negative); below -RECENT where there is none that
    near."""

    def only(self, rows: Sequence[int]) -> "Fit":
        """Return the fit of some of the series; each is fitted by itself."""
        kept = np.array(rows, dtype=np.int64)
        return replace(
            self,
            labels=tuple(self.labels[row] for row in rows),
            notes=tuple(self.notes[row] for row in rows),
            expected=self.expected[kept],
            recent=self.recent[kept],
            calibration=_only(self.calibration, kept, ("weights", "scales", "quantiles", "reach", "floor", "strayed")),
            reference=_only(self.reference, kept, ("low", "high", "below", "above", "floor")),
            nonnegative=self.nonnegative[kept],
            last_known=self.last_known[kept],
        )


def _only(whole: R, rows: Instants, names: Sequence[str]) -> R:
    return replace(whole, **{name: getattr(whole, name)[rows] for name in names})


def fit(history: History, at: int, settings: BandSettings, model: str) -> Fit:
    """Fit ``model`` (a name of ``FORECASTERS``) on the grid points g with at - settings.history <= g < at.

    A series whose samples span less than ``settings.min_history``, or fill less than half of that, gets a note and no
    band. Raises ValueError for an unknown model, or a history or refit off the grid of ``settings.step``.
    """
    if model not in FORECASTERS:
        raise ValueError(f'there is no model "{model}"; there are {", ".join(FORECASTERS)}')
    step = history.step
    if at % step or settings.refit % step:
        raise ValueError(f"the refit at {at}, every {settings.refit} ms, is off the grid of {step} ms")
    window = history.between(at - settings.history, at)
    per_day = slots_per_day(step)
    grid = at + step * np.arange(-live.RECENT, (settings.refit + settings.horizon) // step + 2)
    slots = local_slots(grid, at, step, settings.timezone)
    ahead = int(slots[-1]) // per_day + 1
    window_slots = local_slots(window.times, at, step, settings.timezone)
    size = max(-(-settings.history // DAY), 1)
    laid = by_day(window.values, window_slots, size, per_day)
    start = at + int(local_offsets(np.array([at]), settings.timezone)[0])

    known = ~np.isnan(window.values)
    notes = _notes(known, step, settings)
    usable = np.array([note is None for note in notes], dtype=np.bool_)
    laid = np.where(usable[:, None, None], laid, 0.0)
    outlook = FORECASTERS[model](Days(laid, start, ahead))
    largest = np.max(np.abs(np.where(known, window.values, 0.0)), axis=1, initial=0.0)
    floor = np.maximum(LEAST_WIDTH * largest, SMALLEST_WIDTH)
    zeros = (window.values == 0).sum(axis=1) > STEADY_SHARE * np.maximum(known.sum(axis=1), 1)
    path = np.concatenate([np.full((len(laid), 1), np.nan), in_a_row(outlook.ahead)], axis=1)
    expected = np.where(usable[:, None], path[:, np.where(slots < 0, 0, slots + 1)], np.nan)
    # Slots of the last day, wrapped where the grid of a coarse step reaches further back than a day.
    near = slots[: live.RECENT]
    recent = np.where(near >= -per_day, outlook.recent[:, near % per_day], np.nan)
    return Fit(
        at=at,
        step=step,
        refit=settings.refit,
        horizon=settings.horizon,
        labels=history.labels,
        notes=notes,
        expected=expected,
        recent=np.where(usable[:, None], recent, np.nan),
        hours=hours_of(slots, per_day),
        calibration=calibrate(outlook.errors, step, floor, zeros),
        reference=make_reference(laid, ahead, settings.accept_after, floor),
        places=np.maximum(slots + per_day, 0),
        nonnegative=np.asarray(~np.any(window.values < 0, axis=1)),
        last_known=live.last_places(known)[:, -1] - known.shape[1],
    )


def _notes(known: Bools, step: int, settings: BandSettings) -> tuple[str | None, ...]:
    length = known.shape[1]
    first = np.where(known.any(axis=1), known.argmax(axis=1), length)
    needed = LEAST_SHARE * settings.min_history / step
    notes: list[str | None] = []
    for begin, count in zip(first, known.sum(axis=1), strict=True):
        span = (length - int(begin)) * step
        if span < settings.min_history:
            notes.append(f"{_duration(span)} of history, {_duration(settings.min_history)} needed")
        elif count < needed:
            notes.append(f"{int(count)} samples in {_duration(span)}, {int(np.ceil(needed))} needed")
        else:
            notes.append(None)
    return tuple(notes)


def _duration(span: int) -> str:
    for unit, size in (("d", DAY), ("h", DAY // 24), ("m", DAY // 1440)):
        if span >= size and (span % size == 0 or span >= 2 * size):
            return f"{span // size}{unit}"
    return f"{span // 1000}s"
