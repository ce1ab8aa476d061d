"""Reading one CSV or Parquet file of samples, in the forms that ``replay`` describes; pandas does the work."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import promql_parser

from driftband.model.samples import Samples
from driftband.model.series import Bools, Floats, Instants, Labels, make_labels

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_DATE = r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?"
_MILLISECONDS_FROM = 1e11
_END_OF_TIME = 253_402_300_800_000
"""The year 10000: what comes after it is a mistake."""


class ReplayError(ValueError):
    """Something that cannot be replayed; names the file, the row or the column, and what was expected."""


def read_file(path: Path) -> Iterator[Samples]:
    """Read the series of one file; times may repeat and stand in any order.

    Raises:
        ReplayError: the file cannot be read, or does not have one of the two forms.

    """
    frame = _frame(path)
    columns = [str(column) for column in frame.columns]
    if "time" not in columns:
        raise ReplayError(f"{path}: expected a column time, found {', '.join(columns) or 'none'}")
    if frame.empty:
        raise ReplayError(f"{path}: expected rows, found a header alone")
    times = _times(frame["time"], path)
    if "metric" in columns and "value" in columns:
        return _long(frame, times, path)
    if "metric" in columns or "value" in columns:
        raise ReplayError(f"{path}: expected both columns metric and value (long form), or neither (wide form)")
    return _wide(frame, times, path)


def _frame(path: Path) -> pd.DataFrame:
    text = path.suffix.lower() == ".csv"
    try:
        frame = _csv(path) if text else pd.read_parquet(path, dtype_backend="numpy_nullable")
    except (OSError, ValueError, NotImplementedError) as error:
        raise ReplayError(f"{path}: expected {'CSV in UTF-8' if text else 'Parquet'}: {str(error).strip()}") from error
    if isinstance(frame.index, pd.RangeIndex):
        return frame
    if text:
        raise ReplayError(f"{path}: expected as many cells in each row as in the header, found more")
    return frame.reset_index()


def _csv(path: Path) -> pd.DataFrame:
    """Read every cell as text: what it says decides, and errors can quote it."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, encoding="utf-8-sig").fillna("")


def _long(frame: pd.DataFrame, times: Instants, path: Path) -> Iterator[Samples]:
    values = _values(frame["value"], path)
    names = [str(column) for column in frame.columns if column not in {"time", "value", "metric"}]
    for name in names:
        if not _LABEL.fullmatch(name) or name == "__name__":
            raise ReplayError(f"{path}, column {name}: expected the name of a label")
    keys = pd.DataFrame({name: _text(frame[name]) for name in ["metric", *names]})
    wrong = ~keys["metric"].str.fullmatch(_METRIC.pattern).to_numpy(dtype=bool)
    _refuse(wrong, keys["metric"], path, "the name of a metric")
    present = ~np.isnan(values)
    group = keys.groupby(list(keys.columns), sort=False).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        first = keys.iloc[int(rows[0])]
        labels = make_labels({"__name__": str(first["metric"]), **{name: str(first[name]) for name in names}})
        held = rows[present[rows]]
        if held.size:
            yield Samples(labels, times[held], values[held])


def _wide(frame: pd.DataFrame, times: Instants, path: Path) -> Iterator[Samples]:
    names = [str(column) for column in frame.columns if column != "time"]
    if not names:
        raise ReplayError(f"{path}: expected a column for each series beside time, found none")
    for name in names:
        labels = _labels(name, path)
        values = _values(frame[name], path)
        held = ~np.isnan(values)
        if held.any():
            yield Samples(labels, times[held], values[held])


def _labels(name: str, path: Path) -> Labels:
    """Read the name of a wide column."""
    refusal = f'{path}, column {name}: expected a metric, or a selector such as up{{job="cart"}} with = alone'
    if _METRIC.fullmatch(name):
        return make_labels({"__name__": name})
    try:
        selector = promql_parser.parse(name)
    except ValueError as error:
        raise ReplayError(f"{refusal}: {error}") from error
    if not isinstance(selector, promql_parser.VectorSelector) or selector.offset or selector.at:
        raise ReplayError(refusal)
    if selector.matchers.or_matchers:
        raise ReplayError(refusal)
    pairs = {"__name__": selector.name or ""}
    for matcher in selector.matchers.matchers:
        if matcher.op != promql_parser.MatchOp.Equal:
            raise ReplayError(refusal)
        pairs[matcher.name] = matcher.value
    if not _METRIC.fullmatch(pairs["__name__"]):
        raise ReplayError(refusal)
    return make_labels(pairs)


def _times(column: "pd.Series[str]", path: Path) -> Instants:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        stamps, numbers = pd.to_datetime(column, utc=True), np.full(len(column), np.nan)
        text = column.astype(str)
    else:
        text = _text(column)
        numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        # Left to itself, pandas takes words such as "now" for times.
        stamps = pd.to_datetime(
            text.where(text.str.fullmatch(_DATE), "").str.upper(), format="ISO8601", utc=True, errors="coerce"
        )
    spelled = stamps.notna().to_numpy()
    seconds = np.abs(numbers) < _MILLISECONDS_FROM
    counted = np.where(seconds, numbers * 1000, numbers)
    counted[spelled] = 0.0
    _refuse(~(np.abs(counted) < _END_OF_TIME), text, path, "RFC 3339, epoch seconds or epoch milliseconds")
    written = stamps.dt.as_unit("ms").to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return np.where(spelled, written, np.rint(counted).astype(np.int64))


def _values(column: "pd.Series[str]", path: Path) -> Floats:
    """Return the values of a column; NaN where there is none."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    text = _text(column)
    values = np.asarray(pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
    missing = text.str.lower().isin(["", "nan", "+nan", "-nan"]).to_numpy(dtype=bool)
    _refuse(np.isnan(values) & ~missing, text, path, "a number, +Inf, -Inf or nothing")
    return values


def _text(column: "pd.Series[str]") -> "pd.Series[str]":
    return column.astype("string").fillna("").str.strip()


def _refuse(wrong: Bools, cells: "pd.Series[str]", path: Path, expected: str) -> None:
    """Refuse a column for its first wrong cell; row 1 is the first below the header."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ReplayError(f"{path}, row {row + 1}, column {cells.name}: expected {expected}, got {cells.iloc[row]!r}")
