"""Prometheus and what speaks like it: Mimir, Thanos, VictoriaMetrics.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import numpy as np
import requests
from prometheus_api_client import PrometheusConnect

from driftband.model.series import Floats, Frame, History, Instants, Labels, make_labels
from driftband.query.errors import QueryError, TooManySeriesError
from driftband.query.fetch import Answer
from driftband.sources.asking import Ask, Forward, Forwarded
from driftband.sources.session import Connection, Observe, SourceSession, unavailable

MAX_POINTS = 11_000
"""Points of a series in one answer; Prometheus refuses more."""

ABREAST = 2
"""Parts of a history that are asked for at once: a range query keeps one core of a Prometheus busy."""
LEAST_POINTS = 1_000
"""What is shorter is not worth a second request."""

_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
_PASSED_ON = {"accept", "accept-encoding", "content-type", "content-encoding", "user-agent"}


class PrometheusSource:
    """A server that answers the Prometheus HTTP API.

    max_series: more series than this in a history are refused. pool: connections kept, one for each thread.
    """

    def __init__(self, connection: Connection, *, max_series: int, pool: int, observe: Observe) -> None:
        self._url = connection.url.rstrip("/")
        self._max_series = max_series
        self._session = SourceSession(connection, pool, observe)
        self._client = PrometheusConnect(url=self._url, session=self._session)

    def forward(self, ask: Ask, request: Forward) -> Forwarded:
        """Pass a request on as it came; the answer streams through undecoded."""
        headers = {k: v for k, v in request.headers.items() if k.lower() in _PASSED_ON}
        query = b"?" + request.query if request.query else b""
        try:
            self._session.within(ask.deadline, dict(ask.headers))
            response = self._session.once(
                request.method,
                f"{self._url}{request.path}{query.decode('latin-1')}",
                data=request.body or None,
                headers={"Accept-Encoding": None, "User-Agent": None, "Accept": None, **headers},
                stream=True,
            )
        except requests.RequestException as error:
            raise unavailable(error) from None
        kept = tuple((k, v) for k, v in response.headers.items() if k.lower() not in _HOP_BY_HOP)
        return Forwarded(response.status_code, kept, _stream(response, ask))

    def instant(self, ask: Ask, text: str, time: int) -> Answer:
        """Answer an instant query."""
        return self._query(ask, "query", np.array([time], dtype=np.int64), {"query": text, "time": seconds(time)})

    def range(self, ask: Ask, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query."""
        times = np.arange(start, end + 1, step, dtype=np.int64)
        parameters = {"query": text, "start": seconds(start), "end": seconds(int(times[-1])), "step": seconds(step)}
        if start % step:
            # VictoriaMetrics otherwise answers at multiples of the step instead, from before the start on.
            parameters["nocache"] = "1"
        return self._query(ask, "query_range", times, parameters)

    def _query(self, ask: Ask, endpoint: str, times: Instants, parameters: dict[str, str]) -> Answer:
        parameters["timeout"] = f"{ask.left():.3f}"
        self._session.within(ask.deadline, dict(ask.headers))
        try:
            response = self._session.post(f"{self._url}/api/v1/{endpoint}", data=parameters)
        except requests.RequestException as error:
            raise unavailable(error) from None
        try:
            return _answer(times, response.json())
        except _NONSENSE:
            raise _not_a_prometheus() from None

    def history(self, ask: Ask, text: str, start: int, end: int, step: int) -> History:
        """Answer on the grid ``[start, end)`` in chunks that Prometheus accepts.

        Raises:
            QueryError: execution, if more series than ``max_series`` come.
        """
        rows: dict[Labels, Floats] = {}
        length = (end - start) // step
        size = min(MAX_POINTS, max(-(-length // ABREAST), LEAST_POINTS))

        def part(first: int) -> list[dict[str, Any]]:
            return self._grid(ask, text, start + first * step, start + (min(first + size, length) - 1) * step, step)

        for answer in _abreast(part, range(0, length, size)):
            try:
                self._place_all(answer, start, step, length, rows)
            except _NONSENSE:
                raise _not_a_prometheus() from None
        found = tuple(rows)
        return History(start, step, found, np.array([rows[k] for k in found]).reshape(len(found), length))

    def _place_all(
        self, answer: list[dict[str, Any]], start: int, step: int, length: int, rows: dict[Labels, Floats]
    ) -> None:
        for series in answer:
            labels = make_labels(series["metric"])
            if labels not in rows:
                self._check_count(len(rows) + 1)
                rows[labels] = np.full(length, np.nan)
            place(series.get("values", []), start, step, rows[labels])

    def _grid(self, ask: Ask, text: str, start: int, last: int, step: int) -> list[dict[str, Any]]:
        self._session.within(ask.deadline, dict(ask.headers))
        try:
            result: list[dict[str, Any]] = self._client.custom_query_range(
                text,
                datetime.fromtimestamp(start / 1000, UTC),
                datetime.fromtimestamp(last / 1000, UTC),
                seconds(step),
                params={"timeout": f"{ask.left():.3f}"},
            )
        except requests.RequestException as error:
            raise unavailable(error) from None
        except _NONSENSE:
            raise _not_a_prometheus() from None
        return result

    def _check_count(self, count: int) -> None:
        if count > self._max_series:
            raise TooManySeriesError(
                f"the operand has had more than {self._max_series} series in the history that its band needs"
            )


def _abreast(part: Callable[[int], list[dict[str, Any]]], firsts: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
    """Yield the parts in order. The last minutes, which are asked for again and again, are not worth a thread."""
    if len(firsts) == 1:
        yield part(firsts[0])
        return
    with ThreadPoolExecutor(ABREAST, thread_name_prefix="history") as abreast:
        yield from abreast.map(part, firsts)


Sample = tuple[float, str]
"""As JSON has it: seconds, and a number as text."""


def place(values: list[Sample], start: int, step: int, row: Floats) -> None:
    """Write samples into their places on a grid; what is not finite stays out."""
    if not values:
        return
    index, numbers = _read(values, start, step, len(row))
    good = np.isfinite(numbers)
    row[index[good]] = numbers[good]


def to_frame(times: Instants, result: list[dict[str, Any]]) -> Frame:
    """Make a frame of a decoded ``result`` (vector or matrix); samples of native histograms stay out."""
    kept = [series for series in result if "value" in series or "values" in series]
    shape = (len(kept), len(times))
    values = np.full(shape, np.nan)
    present = np.zeros(shape, dtype=np.bool_)
    step = int(times[1] - times[0]) if len(times) > 1 else 1
    for i, series in enumerate(kept):
        if "value" in series:
            values[i, 0], present[i, 0] = float(series["value"][1]), True
            continue
        index, numbers = _read(series["values"], int(times[0]), step, len(times))
        values[i, index], present[i, index] = numbers, True
    return Frame(times, tuple(make_labels(series["metric"]) for series in kept), values, present)


def _read(values: list[Sample], start: int, step: int, length: int) -> tuple[Instants, Floats]:
    """Return the places on the grid of ``length`` instants from ``start`` on, and the numbers there.

    Some servers move a range to multiples of its step (Thanos's query frontend does, unless told otherwise): a sample
    between two instants is what the later one could know.
    """
    count = len(values)
    numbers = np.fromiter(map(float, map(itemgetter(1), values)), dtype=np.float64, count=count)
    first, last = (-(round(start - values[k][0] * 1000) // step) for k in (0, -1))
    if last - first == count - 1 and first >= 0 and last < length:
        # No gaps, as most series are: reading each time would double the work.
        return np.arange(first, last + 1, dtype=np.int64), numbers
    times = np.fromiter(map(itemgetter(0), values), dtype=np.float64, count=count)
    index = -(np.rint(start - times * 1000).astype(np.int64) // step)
    inside = (index >= 0) & (index < length)
    return index[inside], numbers[inside]


def seconds(milliseconds: int) -> str:
    """Print epoch milliseconds as decimal seconds, exactly."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}" if milliseconds % 1000 else str(milliseconds // 1000)


_NONSENSE = (ValueError, KeyError, TypeError, IndexError, AttributeError)
"""What reading an answer of another shape raises."""


def _answer(times: Instants, body: dict[str, Any]) -> Answer:
    kind, result = body["data"]["resultType"], body["data"]["result"]
    if kind in ("scalar", "string"):
        result = [{"metric": {}, "value": result}]
    return Answer(
        frame=to_frame(times, result),
        scalar=kind == "scalar",
        warnings=tuple(map(str, body.get("warnings") or ())),
        infos=tuple(map(str, body.get("infos") or ())),
    )


def _not_a_prometheus() -> QueryError:
    return QueryError(
        "unavailable",
        "the source did not answer as a Prometheus does (no JSON with data.result); is prometheus.url right?",
    )


def _stream(response: requests.Response, ask: Ask) -> Iterator[bytes]:
    """Yield the answer as it comes, and break it off at the deadline: half an answer must not look like a whole one."""
    try:
        while chunk := response.raw.read1(64 * 1024, decode_content=False):
            yield chunk
            ask.left()
    finally:
        response.close()
