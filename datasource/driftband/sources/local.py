"""A Prometheus over a store of samples: the sample world, or files to replay.

It answers as much PromQL as the evaluator of ``query`` knows, and says so where that ends.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import numpy as np

from driftband.model.samples import Samples, SampleStore
from driftband.model.series import Bools, Floats, Frame, History, Instants, Labels
from driftband.query.encode import encode, failure, success
from driftband.query.errors import QueryError, bad_data
from driftband.query.evaluate import evaluate
from driftband.query.fetch import Answer
from driftband.query.native import matches
from driftband.query.nodes import BandCall, Node, Remote, Selector
from driftband.query.plan import plan_local
from driftband.query.question import Question, Result
from driftband.query.values import Value, frame_of
from driftband.sources.asking import Ask, Forward, Forwarded

LOOKBACK = 300_000
"""How far back an instant selector looks for a sample (ms), as in Prometheus."""


def unobserved(endpoint: str, seconds: float, outcome: str) -> None:
    """Note nothing."""


@dataclass(frozen=True)
class LocalSource:
    """Answers from a store in this process. read_question: from the arguments of a request, and whether over a range.

    observe: told the endpoint, the seconds and the outcome of each query.
    """

    store: SampleStore
    read_question: Callable[[Mapping[str, str], bool], Question]
    observe: Callable[[str, float, str], None] = unobserved

    def instant(self, ask: Ask, text: str, time: int) -> Answer:
        """Answer an instant query."""
        return self._answer(ask, Question(text, time, time))

    def range(self, ask: Ask, text: str, start: int, end: int, step: int) -> Answer:
        """Answer a range query."""
        return self._answer(ask, Question(text, start, end, step))

    def history(self, ask: Ask, text: str, start: int, end: int, step: int) -> History:
        """Answer on the grid ``[start, end)``."""
        frame = self._answer(ask, Question(text, start, end - step, step)).frame
        values = np.where(frame.present & np.isfinite(frame.values), frame.values, np.nan)
        return History(start, step, frame.labels, values)

    def forward(self, ask: Ask, request: Forward) -> Forwarded:
        """Answer a request as the Prometheus HTTP API would."""
        parsed = parse_qs(request.query.decode("latin-1"), keep_blank_values=True, encoding="utf-8")
        if request.method == "POST":
            for name, values in parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True).items():
                parsed.setdefault(name, []).extend(values)
        try:
            return _forwarded(200, self._endpoint(ask, request.path.removeprefix("/api/v1/"), parsed))
        except QueryError as error:
            return _forwarded(error.status, failure(error))

    def _endpoint(self, ask: Ask, path: str, values: Mapping[str, list[str]]) -> bytes:
        single = {name: given[0] for name, given in values.items()}
        if path in ("query", "query_range"):
            question = self.read_question(single, path == "query_range")
            return encode(question, Result(self._evaluate(ask, question), question.times))
        if path == "metadata":
            known = self.store.metrics().items()
            return success({name: [{"type": m.type, "help": m.help, "unit": m.unit}] for name, m in known})
        chosen = list(self._chosen(values.get("match[]", [])))
        if path == "series":
            return success([dict(labels) for labels in chosen])
        if path == "labels":
            return success(sorted({name for labels in chosen for name, _ in labels}))
        label = re.fullmatch(r"label/([^/]+)/values", path)
        if label:
            return success(sorted({value for labels in chosen for name, value in labels if name == label.group(1)}))
        return success({"rules": {"groups": []}, "alerts": {"alerts": []}}.get(path, []))

    def _chosen(self, selectors: list[str]) -> Iterator[Labels]:
        wanted = [_selector(text) for text in selectors]
        for labels in self.store.series():
            if not wanted or any(matches(one.matchers, labels) for one in wanted):
                yield labels

    def _answer(self, ask: Ask, question: Question) -> Answer:
        value = self._evaluate(ask, question)
        if isinstance(value, Frame):
            return Answer(value)
        if isinstance(value, str):
            raise bad_data("a string has no series")
        everywhere = np.ones((1, len(question.times)), dtype=np.bool_)
        return Answer(Frame(question.times, ((),), np.asarray(value).reshape(1, -1), everywhere), scalar=True)

    def _evaluate(self, ask: Ask, question: Question) -> Value:
        ask.left()
        began, outcome = time.monotonic(), "error"
        try:
            node: Node = plan_local(question.text)
            value = evaluate(node, _StoreLeaves(self.store, question.times, ask))
            outcome = "200"
        finally:
            self.observe("query" if question.step is None else "query_range", time.monotonic() - began, outcome)
        return value


@dataclass
class _StoreLeaves:
    """One evaluation over a store."""

    store: SampleStore
    times: Instants
    ask: Ask
    _read: dict[tuple[Selector, int, int], list[Samples]] = field(default_factory=dict)

    def select(self, selector: Selector) -> Frame:
        return self._latest(selector, lambda one: one.values)

    def stamps(self, selector: Selector) -> Frame:
        return self._latest(selector, lambda one: one.times / 1000.0)

    def _latest(self, selector: Selector, column: Callable[[Samples], Floats]) -> Frame:
        times = self.times - round(selector.offset.total_seconds() * 1000)
        found = self._samples(selector, int(times[0]) - LOOKBACK, int(times[-1]))
        return frame_of(self.times, ((one.labels, *_latest(one.times, column(one), times)) for one in found))

    def samples(self, selector: Selector) -> list[Samples]:
        offset = round(selector.offset.total_seconds() * 1000)
        window = round(selector.window.total_seconds() * 1000) if selector.window else 0
        return self._samples(selector, int(self.times[0]) - offset - window, int(self.times[-1]) - offset)

    def _samples(self, selector: Selector, start: int, end: int) -> list[Samples]:
        key = (selector, start, end)
        if key not in self._read:
            self.ask.left()
            chosen = [labels for labels in self.store.series() if matches(selector.matchers, labels)]
            self._read[key] = [s for s in self.store.read(chosen, start, end) if len(s.times)]
        return self._read[key]

    def remote(self, node: Remote) -> Value:  # noqa: ARG002 - of the protocol
        raise AssertionError("a local plan has no remote parts")

    def band(self, call: BandCall, limit: Floats | None) -> Frame:  # noqa: ARG002 - of the protocol
        raise bad_data(f"{call.function}() cannot stand inside a query to the source")


def _latest(stamps: Instants, column: Floats, times: Instants) -> tuple[Floats, Bools]:
    """Return what ``column`` has for the latest sample at each of ``times``, and where there is one."""
    place = np.searchsorted(stamps, times, side="right") - 1
    found = (place >= 0) & (stamps[np.maximum(place, 0)] > times - LOOKBACK)
    return np.where(found, column[np.maximum(place, 0)], np.nan), found


def _selector(text: str) -> Selector:
    node = plan_local(text)
    if not isinstance(node, Selector):
        raise bad_data(f'invalid parameter "match[]": {text[:100]} is no selector')
    return node


def _forwarded(status: int, body: bytes) -> Forwarded:
    headers = (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    return Forwarded(status, headers, iter((body,)))
