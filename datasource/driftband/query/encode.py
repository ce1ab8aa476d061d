"""Answers in the JSON of the Prometheus HTTP API.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats.
"""

from collections.abc import Iterable
from itertools import compress
from operator import add

import numpy as np
import orjson

from driftband.model.series import Bools, Floats, Frame, Instants
from driftband.query.errors import QueryError
from driftband.query.question import Question, Result
from driftband.query.values import Value


def encode(question: Question, result: Result) -> bytes:
    """Write the answer to a question; at most ``question.limit`` series, with a warning where that cuts."""
    value = result.value
    warnings = list(result.warnings)
    if isinstance(value, Frame) and 0 < question.limit < len(value.labels):
        value = _first(value, question.limit, in_order=question.step is None)
        warnings.append("results truncated due to limit")
    body = _vector_or_matrix(question, value, result.times)
    extra = b""
    if warnings:
        extra += b',"warnings":' + orjson.dumps(warnings)
    if result.infos:
        extra += b',"infos":' + orjson.dumps(result.infos)
    return b'{"status":"success","data":{' + body + b"}" + extra + b"}"


def failure(error: QueryError) -> bytes:
    """Write an error in Prometheus's form, without ``data``, which Grafana stumbles over."""
    return orjson.dumps({"status": "error", "errorType": error.type, "error": str(error)})


def success(data: object) -> bytes:
    """Write the answer of an endpoint that is no query."""
    return orjson.dumps({"status": "success", "data": data})


def _vector_or_matrix(question: Question, value: Value, times: Instants) -> bytes:
    if question.step is None:
        if isinstance(value, str):
            return b'"resultType":"string","result":' + orjson.dumps([times[0] / 1000, value])
        if isinstance(value, Frame):
            return b'"resultType":"vector","result":[' + b",".join(_vector(value)) + b"]"
        return b'"resultType":"scalar","result":' + _pair(times, value)
    if isinstance(value, str):
        raise QueryError("bad_data", 'invalid parameter "query": invalid expression type "string" for range query')
    if not isinstance(value, Frame):
        everywhere = np.ones((1, len(times)), dtype=np.bool_)
        value = Frame(times, ((),), np.asarray(value).reshape(1, -1), everywhere)
    return b'"resultType":"matrix","result":[' + b",".join(_matrix(value)) + b"]"


def _first(frame: Frame, count: int, *, in_order: bool) -> Frame:
    order = (
        list(range(len(frame.labels))) if in_order else sorted(range(len(frame.labels)), key=lambda i: frame.labels[i])
    )
    kept = order[:count]
    return Frame(frame.times, tuple(frame.labels[i] for i in kept), frame.values[kept], frame.present[kept])


def _vector(frame: Frame) -> Iterable[bytes]:
    for labels, values, present in zip(frame.labels, frame.values, frame.present, strict=True):
        if present[0]:
            yield b'{"metric":' + orjson.dumps(dict(labels)) + b',"value":' + _pair(frame.times, values) + b"}"


def _matrix(frame: Frame) -> Iterable[bytes]:
    stamps = _stamps(frame.times)
    for i in sorted(range(len(frame.labels)), key=lambda i: frame.labels[i]):
        present: Bools = frame.present[i]
        if present.any():
            mine = stamps if present.all() else list(compress(stamps, present.tolist()))
            metric = orjson.dumps(dict(frame.labels[i]))
            yield b'{"metric":' + metric + b',"values":[' + _joined(mine, frame.values[i][present]) + b"]}"


def _joined(stamps: list[bytes], values: Floats) -> bytes:
    """Print a row; of a state, whose values are all the same, the value once."""
    bits = values.view(np.int64)  # which tell 0 from -0, and do not tell NaN from itself
    if (bits == bits[0]).all():
        value = _number(float(values[0]))
        return (value + b'"],').join(stamps) + value + b'"]'
    # Row by row, by what is written in C: printing samples one by one is most of the cost of an answer.
    return b'"],'.join(map(add, stamps, _numbers(values))) + b'"]'


def _pair(times: Instants, values: Floats) -> bytes:
    return _stamps(times)[0] + _number(float(values[0])) + b'"]'


def _stamps(times: Instants) -> list[bytes]:
    """Print what comes before the value of a sample."""
    return [b'[%d,"' % (t // 1000) if t % 1000 == 0 else b'[%d.%03d,"' % (t // 1000, t % 1000) for t in times.tolist()]


def _numbers(values: Floats) -> list[bytes]:
    if np.isfinite(values).all():
        printed = orjson.dumps(values.tolist())[1:-1] + b","
        return printed.replace(b".0,", b",").split(b",")[:-1]
    return [_number(v) for v in values.tolist()]


def _number(value: float) -> bytes:
    if value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return b"NaN"
    if value in (np.inf, -np.inf):
        return b"+Inf" if value > 0 else b"-Inf"
    return orjson.dumps(value).removesuffix(b".0")
