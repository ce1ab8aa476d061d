"""Replay: a directory of CSV and Parquet files as a store of samples.

Every ``*.csv`` and ``*.parquet`` directly in the directory is read, in the order of their names, in one of two forms
(docs/replay.md shows both):

- *Long*: columns ``time``, ``metric`` and ``value``; every further column is a label, absent where its cell is empty.
- *Wide*: a column ``time``, and one column for each series, named by a metric (``up``) or a PromQL selector with
  equality matchers only (``http_requests_total{service="cart"}``).

``time`` is RFC 3339, or a number: epoch seconds, or epoch milliseconds from 10^11 on. A time without an offset is UTC.
A value is a number, ``+Inf`` or ``-Inf``; an empty cell and NaN are no sample. Where a series has two samples at one
instant, the last one read holds, and ``Replay.warnings`` says so.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from driftband.model.samples import Metric, Samples
from driftband.model.series import Labels
from driftband.sources.replay_files import ReplayError, read_file

__all__ = ["Replay", "ReplayError", "open_replay"]


def open_replay(directory: Path) -> "Replay":
    """Read all data files in ``directory``.

    Raises:
        ReplayError: no directory, no data files in it, or one that does not have an accepted form.

    """
    if not directory.is_dir():
        raise ReplayError(f"{directory}: expected a directory of CSV or Parquet files")
    files = sorted(path for path in directory.iterdir() if path.suffix.lower() in {".csv", ".parquet"})
    if not files:
        raise ReplayError(f"{directory}: expected at least one file *.csv or *.parquet, found none")
    pieces: dict[Labels, list[Samples]] = defaultdict(list)
    for path in files:
        for piece in read_file(path):
            pieces[piece.labels].append(piece)
    if not pieces:
        raise ReplayError(f"{directory}: expected samples, found only empty cells")
    warnings: list[str] = []
    samples = {labels: _joined(pieces[labels], warnings) for labels in sorted(pieces)}
    return Replay(MappingProxyType(samples), tuple(warnings))


@dataclass(frozen=True, eq=False)
class Replay:
    """Samples from files, held in memory. warnings: what was odd but readable, a sentence each."""

    samples: Mapping[Labels, Samples]
    warnings: tuple[str, ...] = ()

    def metrics(self) -> Mapping[str, Metric]:
        """Return the metric families; files tell no types, so they are taken from names, as OpenMetrics forms them."""
        names = {dict(labels)["__name__"] for labels in self.samples}
        bounded = {dict(labels)["__name__"] for labels in self.samples if "le" in dict(labels)}
        histograms = {name.removesuffix("_bucket") for name in bounded if name.endswith("_bucket")}
        parts = {f"{name}{part}" for name in histograms for part in ("_bucket", "_sum", "_count")}
        found = {name: Metric("counter" if name.endswith("_total") else "unknown") for name in names - parts}
        return {**found, **dict.fromkeys(histograms, Metric("histogram"))}

    def series(self) -> Sequence[Labels]:
        """Return all label sets, sorted."""
        return list(self.samples)

    def readable(self) -> tuple[int, int]:
        """Return the first and last instant there is a sample of (epoch ms)."""
        return (
            min(int(samples.times[0]) for samples in self.samples.values()),
            max(int(samples.times[-1]) for samples in self.samples.values()),
        )

    def read(self, labels: Sequence[Labels], start: int, end: int) -> Sequence[Samples]:
        """Return the samples with ``start <= t <= end`` (epoch ms) of each of ``labels``; empty for an unknown one."""
        return [self._read(one, start, end) for one in labels]

    def _read(self, labels: Labels, start: int, end: int) -> Samples:
        known = self.samples.get(labels)
        if known is None:
            return Samples(labels, np.empty(0, dtype=np.int64), np.empty(0))
        within = slice(np.searchsorted(known.times, start), np.searchsorted(known.times, end, side="right"))
        return Samples(labels, known.times[within], known.values[within])


def _joined(pieces: Sequence[Samples], warnings: list[str]) -> Samples:
    labels = pieces[0].labels
    times = np.concatenate([piece.times for piece in pieces])
    values = np.concatenate([piece.values for piece in pieces])
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)
    if repeated := int(np.sum(~last)):
        warnings.append(f"{_selector(labels)}: samples that another at the same instant replaces: {repeated}")
    return Samples(labels, times[last], values[last])


def _selector(labels: Labels) -> str:
    pairs = dict(labels)
    name = pairs.pop("__name__")
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in pairs.items()) + "}"
