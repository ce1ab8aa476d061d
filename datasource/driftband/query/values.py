"""What an expression evaluates to, and how rows become a frame again."""

from collections.abc import Iterable

import numpy as np

from driftband.model.series import Bools, Floats, Frame, Instants, Labels
from driftband.query.errors import QueryError

Value = Frame | Floats | str
"""An instant vector, a scalar at each instant (shape (T,)), or a string."""

Row = tuple[Labels, Floats, Bools]


def without(labels: Labels, names: Iterable[str]) -> Labels:
    """Return labels less the named ones."""
    dropped = set(names)
    return tuple(pair for pair in labels if pair[0] not in dropped)


def only(labels: Labels, names: Iterable[str]) -> Labels:
    """Return the named ones of the labels."""
    kept = set(names)
    return tuple(pair for pair in labels if pair[0] in kept)


def nameless(frame: Frame) -> Frame:
    """Drop the metric names, as every PromQL function does."""
    return frame_of(frame.times, ((without(labels, ["__name__"]), v, p) for labels, v, p in rows(frame)))


def rows(frame: Frame) -> Iterable[Row]:
    """Yield the series of a frame, one by one."""
    return zip(frame.labels, frame.values, frame.present, strict=True)


def frame_of(times: Instants, parts: Iterable[Row]) -> Frame:
    """Make a frame of rows; rows of equal labels become one, as series that take turns do.

    Raises:
        QueryError: if two of them have a sample at the same instant.
    """
    values: dict[Labels, Floats] = {}
    present: dict[Labels, Bools] = {}
    for labels, row, there in parts:
        if labels not in values:
            values[labels], present[labels] = row, there
            continue
        if (present[labels] & there).any():
            raise QueryError(
                "execution",
                f"vector cannot contain metrics with the same labelset: {show(labels)} comes more than once",
            )
        values[labels] = np.where(there, row, values[labels])
        present[labels] = present[labels] | there
    shape = (len(values), len(times))
    made = Frame(
        times,
        tuple(values),
        np.array(list(values.values()), dtype=np.float64).reshape(shape),
        np.array(list(present.values()), dtype=np.bool_).reshape(shape),
    )
    there = np.any(made.present, axis=1)
    if there.all():
        return made
    kept = np.flatnonzero(there)
    return Frame(times, tuple(made.labels[row] for row in kept.tolist()), made.values[kept], made.present[kept])


def show(labels: Labels) -> str:
    """Print labels as Prometheus prints them."""
    name = dict(labels).get("__name__", "")
    inner = ", ".join(f'{k}="{v}"' for k, v in labels if k != "__name__")
    return f"{name}{{{inner}}}"
