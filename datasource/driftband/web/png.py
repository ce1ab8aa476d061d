"""Plots as PNG, for messages: dark and opaque, so that they read the same wherever they are shown, and large enough for a phone."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from driftband.model.series import Floats
from driftband.web.plot import Axes, Mark, Paper, Plot

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_FINE = 2
"""Drawn so many times larger and then made smaller, since lines are drawn without smoothing."""
PAPER = Paper(
    width=800 * _FINE, height=450 * _FINE, left=130 * _FINE, right=24 * _FINE, top=128 * _FINE, bottom=48 * _FINE
)
_GROUND, _INK, _FAINT, _LINE = "#161c23", "#eef2f6", "#a9b4c0", "#37424e"
_BAND, _BAND_EDGE, _CHANGE, _DURING, _OPENED = "#27446f", "#7db0ff", "#ff8ad8", "#4a2a44", "#ff8b9d"
_TITLE, _TEXT = 25 * _FINE, 20 * _FINE
_MARGIN, _DASH = 20 * _FINE, 8 * _FINE
_TICKS = 5


def png(plot: Plot, title: str, below: str) -> bytes:
    """Return a plot as PNG of 800 by 450 pixels. title, below: two lines above it."""
    # Here, since nothing else needs it: it takes 50 ms to import.
    from PIL import Image, ImageDraw  # noqa: PLC0415

    image = Image.new("RGB", (PAPER.width, PAPER.height), _GROUND)
    draw, axes = ImageDraw.Draw(image), Axes(plot, PAPER)
    for mark in plot.marks:
        if mark.until is not None:
            draw.rectangle(
                (
                    axes.at(mark.at),
                    PAPER.top,
                    max(axes.at(mark.until), axes.at(mark.at) + _FINE),
                    PAPER.height - PAPER.bottom,
                ),
                fill=_DURING,
            )
    _grid(draw, axes)
    _series(draw, axes, plot)
    for mark in plot.marks:
        _mark(draw, axes, mark)
    _line_of_text(draw, title, _TITLE, _INK, 14 * _FINE)
    _line_of_text(draw, below, _TEXT, _FAINT, 50 * _FINE)
    written = io.BytesIO()
    image.resize((PAPER.width // _FINE, PAPER.height // _FINE), Image.Resampling.BOX).save(written, "PNG")
    return written.getvalue()


def _grid(draw: "ImageDraw", axes: Axes) -> None:
    for y, text in axes.levels():
        draw.line((PAPER.left, y, PAPER.width - PAPER.right, y), fill=_LINE, width=_FINE)
        draw.text((PAPER.left - 10 * _FINE, y), text, fill=_FAINT, font=_font(_TEXT), anchor="rm")
    for x, text in axes.hours(_TICKS):
        draw.text((x, PAPER.height - PAPER.bottom + 10 * _FINE), text, fill=_FAINT, font=_font(_TEXT), anchor="ma")


def _series(draw: "ImageDraw", axes: Axes, plot: Plot) -> None:
    x = axes.x(plot.times.astype(np.float64))
    if plot.lower is not None and plot.upper is not None:
        lower, upper = axes.y(plot.lower), axes.y(plot.upper)
        for run in plot.runs(plot.lower, plot.upper):
            if run.stop - run.start > 1:
                draw.polygon([*_points(x[run], upper[run]), *_points(x[run], lower[run])[::-1]], fill=_BAND)
    if plot.expected is not None:
        y = axes.y(plot.expected)
        for run in plot.runs(plot.expected):
            _dashed(draw, _points(x[run], y[run]))
    y = axes.y(plot.actual)
    for run in plot.runs(plot.actual):
        points = _points(x[run], y[run])
        if len(points) > 1:
            draw.line(points, fill=_INK, width=3 * _FINE, joint="curve")
        else:
            draw.circle(points[0], 4 * _FINE, fill=_INK)


def _mark(draw: "ImageDraw", axes: Axes, mark: Mark) -> None:
    x, bottom = axes.at(mark.at), PAPER.height - PAPER.bottom
    if mark.kind == "opened":
        for y in range(PAPER.top, bottom, 2 * _DASH):
            draw.line((x, y, x, min(y + _DASH, bottom)), fill=_OPENED, width=2 * _FINE)
        return
    draw.line((x, PAPER.top - 6 * _FINE, x, bottom), fill=_CHANGE, width=3 * _FINE)
    if mark.row:
        return  # the name of the first one is what has room
    far = x > (PAPER.left + PAPER.width) / 2
    at = (x + (-8 if far else 8) * _FINE, PAPER.top - 32 * _FINE)
    draw.text(
        at,
        mark.name,
        fill=_CHANGE,
        font=_font(_TEXT),
        anchor="ra" if far else "la",
        stroke_width=2 * _FINE,
        stroke_fill=_GROUND,
    )


def _dashed(draw: "ImageDraw", points: Sequence[tuple[float, float]]) -> None:
    """Draw a dashed line: PIL knows none."""
    if len(points) < 2:  # noqa: PLR2004 - a line
        return
    way = np.asarray(points)
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
    for begin in np.arange(0.0, steps[-1], 2.0 * _DASH):
        places = np.asarray([begin, min(begin + _DASH, steps[-1])])
        xs, ys = np.interp(places, steps, way[:, 0]), np.interp(places, steps, way[:, 1])
        draw.line((xs[0], ys[0], xs[1], ys[1]), fill=_BAND_EDGE, width=2 * _FINE)


def _line_of_text(draw: "ImageDraw", text: str, size: int, colour: str, top: float) -> None:
    """Write one line, cut to the width of the paper."""
    font, room = _font(size), PAPER.width - 2 * _MARGIN
    line = "".join(sign if sign.isprintable() else " " for sign in text[:200])
    if draw.textlength(line, font=font) > room:
        while line and draw.textlength(f"{line}\N{HORIZONTAL ELLIPSIS}", font=font) > room:
            line = line[:-1]
        line = f"{line.rstrip()}\N{HORIZONTAL ELLIPSIS}"
    draw.text((_MARGIN, top), line, fill=colour, font=font)


def _font(size: int) -> Any:
    from PIL import ImageFont  # noqa: PLC0415 - see above

    if size not in _FONTS:
        _FONTS[size] = ImageFont.load_default(size)
    return _FONTS[size]


_FONTS: dict[int, Any] = {}


def _points(x: Floats, y: Floats) -> list[tuple[float, float]]:
    return list(zip(x.tolist(), y.tolist(), strict=True))
