"""What a picture of a series shows, and where on it everything stands: the same for SVG and PNG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np

from driftband.detect.words import BYTE_UNITS, number
from driftband.model.moment import from_ms
from driftband.model.series import Floats, Instants

MarkKind = Literal["change", "opened", "now"]
_LEVELS = 5
_GAP = 3.0
"""Points that are this many times their usual distance apart are not joined."""
_DAY = timedelta(days=1)
_HOUR_MS = 3_600_000
_STEPS = tuple(minutes * 60_000 for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720))


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something at an instant, or from one to another (epoch ms). row: its name stands so many lines lower."""

    kind: MarkKind
    at: int
    until: int | None = None
    name: str = ""
    row: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """A series against its band. Rows have the shape of ``times`` (epoch ms, ascending); NaN is missing.

    start, end: of the time axis (epoch ms). unit: of the values, as in the configuration. whole: they are counts.
    """

    times: Instants
    actual: Floats
    expected: Floats | None = None
    lower: Floats | None = None
    upper: Floats | None = None
    start: int
    end: int
    unit: str = ""
    whole: bool = False
    marks: tuple[Mark, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a picture of nothing."""
        if not len(self.times) or self.end <= self.start:
            raise ValueError("a plot needs a point and some time")
        if not any(np.isfinite(row).any() for row in self._rows()):
            raise ValueError("a plot needs a finite value")

    def _rows(self) -> list[Floats]:
        return [row for row in (self.actual, self.expected, self.lower, self.upper) if row is not None]

    def values(self) -> tuple[float, float]:
        """Return the lowest and the highest value of the axis; from 0 where that wastes little."""
        found = np.concatenate([row[np.isfinite(row)] for row in self._rows()])
        low, high = float(found.min()), float(found.max())
        low = 0.0 if 0 <= low < 0.5 * high else low
        if high == low:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        return low, high

    def runs(self, row: Floats, other: Floats | None = None) -> Iterator[slice]:
        """Yield the stretches of points that are there and belong together, in ``other`` too where it is given."""
        there = np.isfinite(row) if other is None else np.isfinite(row) & np.isfinite(other)
        steps = np.diff(self.times)
        far = np.concatenate([[False], steps > _GAP * np.median(steps)]) if len(steps) else np.zeros(1, np.bool_)
        # A number for each stretch: it moves on wherever a point is missing, or far from the one before.
        stretch = np.cumsum(far | ~there | np.concatenate([[False], ~there[:-1]]))
        for one in np.unique(stretch[there]):
            places = np.flatnonzero(there & (stretch == one))
            yield slice(int(places[0]), int(places[-1]) + 1)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The size of a picture and the margins of its axes (pixels)."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int


class Axes:
    """Where times and values stand on the paper, and what is written beside them."""

    def __init__(self, plot: Plot, paper: Paper) -> None:
        self.paper = paper
        self._start, self._end, self._unit, self._whole = plot.start, plot.end, plot.unit, plot.whole
        self._low, self._high = plot.values()

    def x(self, times: Floats) -> Floats:
        """Return where instants (epoch ms) stand, from the left."""
        wide = self.paper.width - self.paper.left - self.paper.right
        return self.paper.left + (times - self._start) / (self._end - self._start) * wide

    def y(self, values: Floats) -> Floats:
        """Return where values stand, from the top."""
        tall = self.paper.height - self.paper.top - self.paper.bottom
        return self.paper.height - self.paper.bottom - (values - self._low) / (self._high - self._low) * tall

    def at(self, instant: int) -> float:
        """Return where one instant stands, no farther than the edges."""
        inside = min(max(instant, self._start), self._end)
        return float(self.x(np.asarray([inside], np.float64))[0])

    def levels(self) -> list[tuple[float, str]]:
        """Return the lines of the value axis: where, and what they say."""
        rough = (self._high - self._low) / _LEVELS
        if self._unit in BYTE_UNITS:
            step = 2.0 ** np.ceil(np.log2(rough))  # round in KiB and MiB
        else:
            power = 10.0 ** np.floor(np.log10(rough))
            step = power * next(nice for nice in (1, 2, 5, 10) if rough <= nice * power)
        step = max(step, 1.0) if self._whole else step
        values = np.arange(np.ceil(self._low / step), np.floor(self._high / step) + 1) * step
        places = self.y(values).tolist()
        # The detour by text keeps rounding out of sight.
        return [(y, number(float(f"{v:.12g}"), self._unit)) for y, v in zip(places, values, strict=True)]

    def hours(self, most: int) -> list[tuple[float, str]]:
        """Return the places of the time axis and what they say, in UTC; about ``most`` of them at most."""
        length = self._end - self._start
        days = [24 * _HOUR_MS * n for n in (1, 2, 7, 14, 30, 90, 365)]
        step = next((s for s in (*_STEPS, *days) if length / s <= most), days[-1])
        first = -(-self._start // step) * step
        form = "%H:%M" if step < 24 * _HOUR_MS else "%d %b"
        return [(self.at(t), from_ms(t).strftime(form)) for t in range(first, self._end + 1, step)]


def in_words(plot: Plot, name: str) -> str:
    """Return what the picture shows, for who does not see it."""
    low, high = plot.values()
    shown = plot.actual[np.isfinite(plot.actual)]
    said = [f"{name or 'the series'} from {_time(plot.start)} to {_time(plot.end)}"]
    if len(shown):
        least, most = (number(float(f"{value:.4g}"), plot.unit) for value in (shown.min(), shown.max()))
        said.append(f"observed between {least} and {most}")
    if plot.lower is not None and plot.upper is not None and np.isfinite([*plot.lower, *plot.upper]).any():
        least, most = (
            number(float(f"{value:.4g}"), plot.unit) for value in (np.nanmin(plot.lower), np.nanmax(plot.upper))
        )
        said.append(f"the band lies between {least} and {most}")
    elif len(shown) == 0:
        said.append(f"values between {low:.4g} and {high:.4g}")
    said += [f"{mark.name} at {_time(mark.at)}" for mark in plot.marks if mark.kind == "change"]
    return "; ".join(said)


def _time(at: int) -> str:
    return from_ms(at).strftime("%Y-%m-%d %H:%M UTC")


def finite(values: Sequence[float | None]) -> Floats:
    """Return numbers as a row, NaN for what is none."""
    return np.asarray([np.nan if value is None else value for value in values], np.float64)
