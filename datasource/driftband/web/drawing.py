"""Plots as SVG, drawn on the server: pages need no script. Colours come from the page's style, light and dark."""

from dataclasses import replace
from html import escape

import numpy as np

from driftband.model.series import Floats, Frame, Labels
from driftband.query.values import show
from driftband.web.plot import Axes, Mark, Paper, Plot, in_words

WIDE = Paper(width=960, height=320, left=64, right=48, top=36, bottom=42)
SMALL = Paper(width=640, height=260, left=64, right=36, top=30, bottom=36)
_LETTER = {WIDE: 17, SMALL: 12}
"""How wide a letter beside the axis is at most: on a phone, where the style makes letters larger."""
MOST_PANELS = 6
_TICKS, _LINE = 6, 26


def svg(plot: Plot, paper: Paper, name: str) -> str:
    """Return a plot as SVG. name: what it is of, for who does not see it."""
    axes = Axes(plot, paper)
    longest = max((len(text) for _, text in axes.levels()), default=0)
    axes = Axes(plot, replace(paper, left=max(paper.left, longest * _LETTER[paper] + 16)))
    parts = [_frame(axes), *(_during(axes, mark) for mark in plot.marks if mark.until is not None)]
    if plot.lower is not None and plot.upper is not None:
        x, lower, upper = axes.x(plot.times.astype(np.float64)), axes.y(plot.lower), axes.y(plot.upper)
        for run in plot.runs(plot.lower, plot.upper):
            area = f"{_points(x[run], upper[run])} {_points(x[run][::-1], lower[run][::-1])}"
            parts.append(f'<polygon class="band" points="{area}"/>')
    parts += [_line(axes, plot, row, style) for row, style in ((plot.expected, "expected"), (plot.actual, "actual"))]
    parts += [_mark(axes, mark) for mark in plot.marks]
    label = escape(in_words(plot, name))
    return f'<svg viewBox="0 0 {paper.width} {paper.height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def draw(frame: Frame, now: int) -> str:
    """Return one SVG for each series of ``anomaly_band``, or for each of a plain query; at most ``MOST_PANELS``."""
    panels: dict[Labels, dict[str, int]] = {}
    for i, labels in enumerate(frame.labels):
        rest = tuple(pair for pair in labels if pair[0] != "band")
        panels.setdefault(rest, {})[dict(labels).get("band", "actual")] = i
    shown = sorted(panels.items())[:MOST_PANELS]
    pictures = [
        f'<figure><figcaption class="code">{escape(show(labels))}</figcaption>{_panel(frame, rows, now, show(labels))}</figure>'
        for labels, rows in shown
    ]
    more = len(panels) - len(shown)
    return "".join(pictures) + (f"<p>and {more} more series</p>" if more > 0 else "")


def _panel(frame: Frame, rows: dict[str, int], now: int, name: str) -> str:
    def row(band: str) -> Floats | None:
        if band not in rows:
            return None
        place = rows[band]
        return np.where(frame.present[place] & np.isfinite(frame.values[place]), frame.values[place], np.nan)

    actual = row("actual")
    start, end = int(frame.times[0]), int(frame.times[-1])
    try:
        plot = Plot(
            times=frame.times,
            actual=np.full(len(frame.times), np.nan) if actual is None else actual,
            expected=row("expected"),
            lower=row("lower"),
            upper=row("upper"),
            start=start,
            end=end,
            marks=(Mark(kind="now", at=now, name="now"),) if start < now < end else (),
        )
    except ValueError:
        return "<p>no finite values in this range</p>"
    return svg(plot, WIDE, name)


def _points(x: Floats, y: Floats) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _line(axes: Axes, plot: Plot, row: Floats | None, style: str) -> str:
    if row is None:
        return ""
    x, y = axes.x(plot.times.astype(np.float64)), axes.y(row)
    return "".join(
        f'<polyline class="{style}" points="{_points(x[run], y[run])}"/>'
        if run.stop - run.start > 1
        else f'<circle class="dot" cx="{x[run][0]:.1f}" cy="{y[run][0]:.1f}" r="3"/>'
        for run in plot.runs(row)
    )


def _frame(axes: Axes) -> str:
    paper, parts = axes.paper, []
    for y, text in axes.levels():
        parts.append(
            f'<line class="grid" x1="{paper.left}" x2="{paper.width - paper.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(f'<text x="{paper.left - 8}" y="{y + 5:.1f}" text-anchor="end">{escape(text)}</text>')
    for x, text in axes.hours(_TICKS):
        parts.append(f'<text x="{x:.1f}" y="{paper.height - 8}" text-anchor="middle">{text}</text>')
    return "".join(parts)


def _during(axes: Axes, mark: Mark) -> str:
    begin, end = axes.at(mark.at), axes.at(mark.until if mark.until is not None else mark.at)
    tall = axes.paper.height - axes.paper.top - axes.paper.bottom
    return (
        f'<rect class="during" x="{begin:.1f}" y="{axes.paper.top}" width="{max(end - begin, 1):.1f}" height="{tall}"/>'
    )


def _mark(axes: Axes, mark: Mark) -> str:
    paper, x = axes.paper, axes.at(mark.at)
    line = f'<line class="{mark.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{paper.top}" y2="{paper.height - paper.bottom}"/>'
    # What stands far to the right is written to the left of its line.
    far = x > (paper.left + paper.width) / 2
    anchor, place = ("end", x - 5) if far else ("start", x + 5)
    said = f'<text class="{mark.kind}-name" x="{place:.1f}" y="{paper.top - 8 + mark.row * _LINE}" text-anchor="{anchor}">{escape(mark.name)}</text>'
    return line + (said if mark.name else "")
