"""A band as SVG, drawn on the server: the start page needs neither a script nor a Grafana."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import numpy as np

from driftband.model.series import Bools, Floats, Frame, Labels
from driftband.query.values import show

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 12, 28
MOST_PANELS = 6


def draw(frame: Frame, now: int) -> str:
    """Return one SVG for each series of ``anomaly_band``, or for each of a plain query; at most ``MOST_PANELS``."""
    panels: dict[Labels, dict[str, int]] = {}
    for i, labels in enumerate(frame.labels):
        rest = tuple(pair for pair in labels if pair[0] != "band")
        panels.setdefault(rest, {})[dict(labels).get("band", "actual")] = i
    shown = sorted(panels.items())[:MOST_PANELS]
    pictures = [
        f"<figure><figcaption>{escape(show(labels))}</figcaption>{_panel(frame, rows, now)}</figure>"
        for labels, rows in shown
    ]
    more = len(panels) - len(shown)
    return "".join(pictures) + (f"<p>and {more} more series</p>" if more > 0 else "")


def _panel(frame: Frame, rows: dict[str, int], now: int) -> str:
    used = list(rows.values())
    values = frame.values[used][frame.present[used] & np.isfinite(frame.values[used])]
    if not len(values):
        return "<p>no finite values in this range</p>"
    low, high = float(values.min()), float(values.max())
    low = 0.0 if 0 <= low < 0.5 * high else low
    span = (high - low) or abs(high) or 1.0
    times = frame.times.astype(np.float64)
    x = LEFT + (times - times[0]) / max(times[-1] - times[0], 1) * (WIDTH - LEFT - RIGHT)

    def y(row: Floats) -> Floats:
        return HEIGHT - BOTTOM - (row - low) / span * (HEIGHT - TOP - BOTTOM)

    parts = [_axes(low, span, times, x, now)]
    if "lower" in rows and "upper" in rows:
        upper, lower = rows["upper"], rows["lower"]
        both = frame.present[upper] & frame.present[lower]
        parts += [_area(x[run], y(frame.values[upper][run]), y(frame.values[lower][run])) for run in _runs(both)]
    for name, style in (("expected", "expected"), ("actual", "actual")):
        if name in rows:
            there = frame.present[rows[name]] & np.isfinite(frame.values[rows[name]])
            parts += [_line(x[run], y(frame.values[rows[name]][run]), style) for run in _runs(there)]
    title = "expected, lower and upper against what was observed"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{"".join(parts)}</svg>'


def _runs(there: Bools) -> Sequence[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(np.int8), [0]])))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _points(x: Floats, y: Floats) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _area(x: Floats, upper: Floats, lower: Floats) -> str:
    return f'<polygon class="band" points="{_points(x, upper)} {_points(x[::-1], lower[::-1])}"/>'


def _line(x: Floats, y: Floats, style: str) -> str:
    return f'<polyline class="{style}" points="{_points(x, y)}"/>'


def _axes(low: float, span: float, times: Floats, x: Floats, now: int) -> str:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{low + share * span:.4g}</text>')
    for place in np.linspace(0, len(times) - 1, 7).astype(int):
        moment = datetime.fromtimestamp(times[place] / 1000, UTC)
        parts.append(f'<text x="{x[place]:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{moment:%H:%M}</text>')
    if times[0] < now < times[-1]:
        at = float(np.interp(now, times, x))
        parts.append(f'<line class="now" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{at + 4:.1f}" y="{TOP + 10}">now</text>')
    return "".join(parts)
