"""From bands to frames of series, as our functions answer them."""

from collections.abc import Iterator

import numpy as np
import promql_parser as promql

from driftband.model.series import Floats, Frame, Instants, Labels
from driftband.query.bands import Bands
from driftband.query.values import Row, frame_of, nameless, rows, without

_RAW_SUFFIXES = ("_total", "_count", "_sum", "_bucket")


def framed(instants: Instants, labels: tuple[Labels, ...], values: Floats, band: str | None = None) -> Frame:
    """Return values as series without a name; band: what their label ``band`` says."""
    named = (without(known, ["__name__"]) for known in labels)
    marked = (known if band is None else _with_band(known, band) for known in named)
    return frame_of(instants, zip(marked, values, ~np.isnan(values), strict=True))


def band_frame(instants: Instants, made: Bands, actual: Frame) -> Frame:
    """Return what was observed and the sides of its band, told apart by the label ``band``."""
    observed = nameless(actual)
    labels = tuple(_with_band(known, "actual") for known in observed.labels)

    def each() -> Iterator[Row]:
        yield from rows(Frame(instants, labels, observed.values, observed.present))
        for side in ("lower", "expected", "upper"):
            yield from rows(framed(instants, made.labels, getattr(made.band, side), side))

    return frame_of(instants, each())


def aligned(frame: Frame, labels: tuple[Labels, ...]) -> Floats:
    """Return the values of a frame as rows for ``labels``, NaN where it has none."""
    index = {known: i for i, known in enumerate(frame.labels)}
    result = np.full((len(labels), len(frame.times)), np.nan)
    for i, known in enumerate(labels):
        if known in index:
            result[i] = np.where(frame.present[index[known]], frame.values[index[known]], np.nan)
    return result


def counter_warning(operand: str) -> str | None:
    """Return what to say of an operand that is a bare counter."""
    try:
        tree = promql.parse(operand)
    except ValueError:
        return None
    while isinstance(tree, promql.ParenExpr | promql.AggregateExpr):
        tree = tree.expr
    name = tree.name if isinstance(tree, promql.VectorSelector) else None
    if name and name.endswith(_RAW_SUFFIXES):
        return f"{name} looks like a counter, whose band says little; use rate({name}[5m])"
    return None


def _with_band(labels: Labels, band: str) -> Labels:
    return tuple(sorted((*without(labels, ["band"]), ("band", band))))
