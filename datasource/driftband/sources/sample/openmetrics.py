"""A store of samples as OpenMetrics text, for ``promtool tsdb create-blocks-from openmetrics``.

Source: the OpenMetrics 1.0 specification, https://prometheus.io/docs/specs/om/open_metrics_spec/.
promtool reads its whole input once for every two hours in it: three weeks go faster as 21 files of a day than as one.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby

import numpy as np

from driftband.model.samples import Metric, SampleStore
from driftband.model.series import Labels

_DAY = 86_400_000
_HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def exposition(store: SampleStore, start: int, end: int) -> Iterator[str]:
    """Write the samples of ``store`` with ``start <= t <= end`` (epoch ms), in pieces of whole lines.

    Families come one after the other, and ``# EOF`` at the end; within one, each metric's points are in the order of
    time, and the parts of a histogram's point stand together.

    Raises:
        ValueError: a name that OpenMetrics forbids for its type, or a histogram without common instants.

    """
    metrics = store.metrics()
    series = sorted(store.series(), key=lambda labels: _place(labels, metrics))
    for family, members in groupby(series, key=lambda labels: _family(labels, metrics)):
        yield from _header(family, metrics[family])
        for _, parts in groupby(members, key=lambda labels: _place(labels, metrics)[:2]):
            yield from _points(store, list(parts), start, end)
    yield "# EOF\n"


def _family(labels: Labels, metrics: Mapping[str, Metric]) -> str:
    name = dict(labels)["__name__"]
    if name in metrics:
        return name
    for part in _HISTOGRAM_PARTS:
        if name.endswith(part) and name.removesuffix(part) in metrics:
            return name.removesuffix(part)
    raise ValueError(f"{name} belongs to no metric family of the store")


def _place(labels: Labels, metrics: Mapping[str, Metric]) -> tuple[str, Labels, int, float]:
    """Return what to sort by: family, metric, then a histogram's buckets by bound, its count and its sum."""
    pairs = dict(labels)
    family = _family(labels, metrics)
    rest = tuple(pair for pair in labels if pair[0] not in {"__name__", "le"})
    if metrics[family].type != "histogram":
        return family, rest, 0, 0.0
    part = _HISTOGRAM_PARTS.index(pairs["__name__"].removeprefix(family))
    return family, rest, part, float(pairs.get("le", "inf"))


def _header(family: str, metric: Metric) -> Iterator[str]:
    name = family
    if metric.type == "counter":
        if not family.endswith("_total"):
            raise ValueError(f"OpenMetrics wants the counter {family} to end in _total")
        name = family.removesuffix("_total")
    yield f"# TYPE {name} {metric.type}\n"
    if metric.unit:
        if not name.endswith(f"_{metric.unit}"):
            raise ValueError(f"OpenMetrics wants {name} to end in its unit, _{metric.unit}")
        yield f"# UNIT {name} {metric.unit}\n"
    if metric.help:
        yield f"# HELP {name} {metric.help.translate(_ESCAPES)}\n"


def _points(store: SampleStore, parts: Sequence[Labels], start: int, end: int) -> Iterator[str]:
    heads = [_head(labels) for labels in parts]
    for begin in range(start, end + 1, _DAY):
        read = store.read(parts, begin, min(begin + _DAY - 1, end))
        times = read[0].times
        if any(not np.array_equal(times, samples.times) for samples in read):
            raise ValueError(f"the parts of {heads[0]} have no common instants")
        stamps = [f"{time / 1000:.3f}\n" for time in times.tolist()]
        columns = [
            [f"{head} {value!r} {stamp}" for value, stamp in zip(samples.values.tolist(), stamps, strict=True)]
            for head, samples in zip(heads, read, strict=True)
        ]
        yield "".join(chain.from_iterable(zip(*columns, strict=True)))


def _head(labels: Labels) -> str:
    pairs = dict(labels)
    name = pairs.pop("__name__")
    inside = ",".join(f'{label}="{value.translate(_ESCAPES)}"' for label, value in pairs.items())
    return f"{name}{{{inside}}}" if inside else name
