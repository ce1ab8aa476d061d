"""The evaluator over stores of ours against a real Prometheus that holds the same samples."""

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import requests

from driftband.model.samples import Metric, Samples
from driftband.model.series import Frame, Labels, make_labels
from driftband.query.errors import QueryError
from driftband.query.question import Question
from driftband.sources.asking import Ask
from driftband.sources.local import LocalSource

from .conftest import PrometheusFactory
from .prometheus_server import PrometheusServer

START = 1_700_000_000 // 3600 * 3600
SCRAPE, COUNT = 15, 240
# Prometheus 2 counts a sample on a window's left edge and Prometheus 3 does not: samples stand off whole tens of seconds.
PHASE = 7
INSTANTS = (START + 1000, START + 1810, START + 3000, START + 3700)
RANGE = (START + 600, START + 3900, 130)


@dataclass(frozen=True)
class _Memory:
    """Series in memory, as a store."""

    held: Mapping[Labels, Samples]

    def metrics(self) -> Mapping[str, Metric]:
        return {}

    def series(self) -> Sequence[Labels]:
        return list(self.held)

    def read(self, labels: Sequence[Labels], start: int, end: int) -> Sequence[Samples]:
        found = []
        for one in labels:
            held = self.held[one]
            within = (held.times >= start) & (held.times <= end)
            found.append(Samples(one, held.times[within], held.values[within]))
        return found


def _series(name: str, values: Any, **labels: str) -> Samples:
    times = np.array([START + PHASE + SCRAPE * k for k in range(COUNT)], dtype=np.int64) * 1000
    values = np.asarray(values, dtype=np.float64)
    # Gaps: the series is there at some instants of a range and not at others.
    kept = np.ones(COUNT, dtype=np.bool_)
    if labels.get("pod") == "c":
        kept[60:120] = False
    return Samples(make_labels({"__name__": name, **labels}), times[kept], values[kept])


def _world() -> _Memory:
    random = np.random.default_rng(11)
    made = []
    for service, pod in (("cart", "a"), ("cart", "b"), ("pay", "a"), ("pay", "c")):
        made.append(_series("load", random.normal(5, 4, COUNT).round(3), service=service, pod=pod))
        made.append(_series("whole", random.integers(1, 4, COUNT), service=service, pod=pod))
        counted = np.cumsum(random.integers(0, 9, COUNT)).astype(np.float64)
        counted[150:] -= counted[150]
        made.append(_series("hits_total", counted, service=service, pod=pod, code="200"))
    made += [
        _series("limit", np.full(COUNT, level), service=service, team=team)
        for service, team, level in (("cart", "shop", 6.0), ("pay", "money", 4.5))
    ]
    made.append(_series("odd", np.tile([1.0, np.nan, np.inf, -np.inf, -2.5, 0.0], COUNT // 6), kind="mixed"))
    made.append(_series("odd", np.full(COUNT, np.nan), kind="nan"))
    made.append(_series("odd", np.full(COUNT, np.inf), kind="inf"))
    made.append(_series("odd", np.linspace(-3, 3, COUNT), kind="line"))
    for service in ("cart", "pay"):
        buckets = np.cumsum(random.integers(0, 9, (4, COUNT)), axis=0).cumsum(axis=1)
        made += [
            _series("took_bucket", row, service=service, le=le)
            for le, row in zip(("0.1", "0.5", "2.5", "+Inf"), buckets, strict=True)
        ]
    return _Memory({one.labels: one for one in made})


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")


def _openmetrics(store: _Memory) -> str:
    lines: list[str] = []
    for labels in sorted(store.held):
        held, pairs = store.held[labels], dict(labels)
        name = pairs.pop("__name__")
        inner = ",".join(f'{key}="{value}"' for key, value in pairs.items())
        lines += [
            f"{name}{{{inner}}} {_number(float(v))} {t // 1000}" for t, v in zip(held.times, held.values, strict=True)
        ]
    # Without a TYPE every sample is of type unknown, whatever its name ends in.
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def prometheus(prometheus_factory: PrometheusFactory) -> PrometheusServer:
    return prometheus_factory(_openmetrics(_world()))


@pytest.fixture(scope="module")
def local() -> LocalSource:
    def no_request(_values: Mapping[str, str], _ranged: bool) -> Question:
        raise AssertionError("these tests ask without HTTP")

    return LocalSource(_world(), no_request)


Found = list[tuple[Labels, dict[float, float]]]


def _ours(local: LocalSource, query: str, times: tuple[int, int, int | None]) -> Found:
    start, end, step = times
    ask = Ask(time.monotonic() + 60)
    if step is None:
        answer = local.instant(ask, query, start * 1000)
    else:
        answer = local.range(ask, query, start * 1000, end * 1000, step * 1000)
    frame: Frame = answer.frame
    return [
        (labels, {float(t) / 1000: float(v) for t, v, p in zip(frame.times, row, present, strict=True) if p})
        for labels, row, present in zip(frame.labels, frame.values, frame.present, strict=True)
    ]


def _theirs(prometheus: PrometheusServer, query: str, times: tuple[int, int, int | None]) -> Found:
    start, end, step = times
    if step is None:
        path, arguments = "query", {"query": query, "time": start}
    else:
        path, arguments = "query_range", {"query": query, "start": start, "end": end, "step": step}
    answer = requests.get(f"{prometheus.url}/api/v1/{path}", params=arguments, timeout=30)
    if answer.status_code != 200:
        raise QueryError("execution", answer.json()["error"])
    data = answer.json()["data"]
    result = [{"metric": {}, "value": data["result"]}] if data["resultType"] == "scalar" else data["result"]
    return [
        (make_labels(one["metric"]), {float(t): float(v) for t, v in one.get("values") or [one["value"]]})
        for one in result
    ]


def _same(ours: Found, theirs: Found, *, ordered: bool) -> None:
    if ordered:
        assert [labels for labels, _ in ours] == [labels for labels, _ in theirs]
    known = dict(theirs)
    assert len(known) == len(theirs)
    assert sorted(labels for labels, _ in ours) == sorted(known)
    for labels, values in ours:
        assert values.keys() == known[labels].keys(), labels
        for t, value in values.items():
            assert value == pytest.approx(known[labels][t], rel=1e-9, abs=1e-12, nan_ok=True), (labels, t)


EXPRESSIONS = (
    "load",
    'load{service=~"c.*",pod!="b"}',
    "-load",
    "load + 1.5",
    "2 * load - load / 3",
    "load % 3",
    "whole ^ 2",
    "whole ^ 0.5 ^ 2",
    "1 / (whole - 2)",
    # Prometheus keeps the name here in some versions.
    "sum by (service, pod) (load atan2 whole)",
    "load > 5",
    "5 < load",
    "load > bool 5",
    "load != 0",
    "load >= whole",
    "load >= bool whole",
    "load == bool load",
    "1 + 2 * 3 > bool 4",
    "whole == 2",
    "load and whole > 1",
    "load > 6 or whole > 2",
    "load unless whole == 2",
    "load and on (service) limit > 5",
    "load or on (service) limit",
    "load unless ignoring (pod, team) limit > 5",
    "load / on (service, pod) whole",
    "load / ignoring (code) hits_total",
    "sum by (service) (load) / on (service) limit",
    "load / on (service) group_left limit",
    "load * on (service) group_left (team) limit",
    "limit - on (service) group_right (team) load",
    "load > on (service) group_left limit",
    "load > bool on (service) group_left (team) limit",
    "limit < on (service) group_right load",
    "load + ignoring (pod, team) group_left (team) limit",
    "sum(load)",
    "sum by (service) (load)",
    "sum without (pod) (load)",
    "avg by (pod) (load)",
    "min(load)",
    "max by (service) (load)",
    "count by (service) (load > 4)",
    "group by (service) (load)",
    "stddev(load)",
    "stdvar by (service) (load)",
    "topk(2, load)",
    "bottomk by (service) (1, load)",
    "topk(0, load)",
    "topk(9, load)",
    "topk(2, odd)",
    "bottomk(1, odd)",
    "quantile(0.3, load)",
    "quantile by (service) (0.9, load)",
    "quantile(1.5, load)",
    "quantile(-1, load)",
    "quantile(NaN, load)",
    'count_values("value", whole)',
    'count_values by (service) ("value", load)',
    'count_values("value", odd)',
    "abs(load)",
    "ceil(load)",
    "floor(load)",
    "exp(load)",
    "sqrt(load)",
    "ln(load)",
    "log2(load)",
    "log10(load)",
    "sgn(load)",
    "deg(load)",
    "rad(load)",
    "clamp(load, 2, 5)",
    "clamp(load, 5, 2)",
    "clamp_min(load, 3)",
    "clamp_max(load, scalar(sum(whole)))",
    "round(load)",
    "round(load, 0.25)",
    "round(-load, 5)",
    'label_replace(load, "first", "$1-x", "service", "(.).*")',
    'label_replace(load, "first", "${last}", "service", ".*(?P<last>.)")',
    'label_replace(load, "pod", "", "pod", "a")',
    'label_replace(load, "first", "$1", "service", "(.*)")',
    'label_replace(load, "zone", "$1", "nowhere", "(.*)")',
    'label_replace(load, "service", "$1", "nowhere", "(.+)")',
    'label_replace(load, "first", "$1", "service", "no(.*)")',
    'label_join(load, "both", "/", "service", "pod", "none")',
    'absent(load{service="none"})',
    'absent(load{pod="c",service="pay"})',
    "absent(sum(none))",
    'absent(load{service=~"n.*",pod="a"})',
    "absent(load)",
    "sort(load)",
    "sort_desc(load)",
    "sort(odd)",
    "sort_desc(odd)",
    "scalar(limit)",
    'scalar(limit{service="cart"})',
    'load > scalar(limit{service="pay"})',
    "vector(3)",
    "vector(time())",
    "time() - timestamp(sum by (service) (load))",
    "timestamp(load)",
    'timestamp((load{service="pay"}))',
    "timestamp(load offset 10m)",
    "timestamp(load offset -5m)",
    "timestamp(odd)",
    "timestamp(none)",
    "timestamp(-load)",
    "timestamp(load > 5)",
    "timestamp(timestamp(load))",
    "time() - timestamp(load) < 9",
    "max by (service) (timestamp({__name__='load'}))",
    "load and timestamp(load offset 15s) < timestamp(load) - 14",
    "avg_over_time(load[5m])",
    "min_over_time(load[90s])",
    "max_over_time(load[5m])",
    "sum_over_time(load[5m])",
    "count_over_time(load[10m])",
    "last_over_time(load[10m])",
    "present_over_time(load[10m])",
    "stddev_over_time(load[5m])",
    "stdvar_over_time(load[5m])",
    "quantile_over_time(0.4, load[5m])",
    "quantile_over_time(2, load[5m])",
    "avg_over_time(odd[5m])",
    "min_over_time(odd[5m])",
    "max_over_time(odd[5m])",
    "sum_over_time(odd[5m])",
    "stddev_over_time(odd[5m])",
    "quantile_over_time(0.5, odd[5m])",
    "last_over_time(odd[5m])",
    "rate(hits_total[5m])",
    "rate(hits_total[20s])",
    "increase(hits_total[10m])",
    "sum by (service) (rate(hits_total[5m]))",
    "delta(load[5m])",
    "delta(odd[5m])",
    "rate(hits_total[5m] offset 10m)",
    "load offset 10m",
    "load - load offset 5m",
    "load offset -5m",
    "histogram_quantile(0.9, rate(took_bucket[5m]))",
    "histogram_quantile(0.5, sum by (le, service) (took_bucket))",
    "histogram_quantile(0.01, took_bucket)",
    "histogram_quantile(1, took_bucket)",
    "histogram_quantile(0, took_bucket)",
    "histogram_quantile(-1, took_bucket)",
    "histogram_quantile(2, took_bucket)",
    'histogram_quantile(0.9, took_bucket{le!="+Inf"})',
    "odd",
    "odd * 0",
    "odd > 0",
    "odd != odd",
    "odd == odd",
    "odd > bool 0",
    "sum(odd)",
    "avg(odd)",
    "min(odd)",
    "max(odd)",
    "min by (kind) (odd)",
    "stddev(odd)",
    "quantile(0.5, odd)",
    "round(odd)",
    "clamp(odd, -1, 1)",
    "clamp_min(odd, 0)",
    "clamp_max(odd, 0)",
    "sgn(odd)",
    "abs(odd)",
    "count(odd)",
)


@pytest.mark.parametrize("query", EXPRESSIONS)
def test_it_answers_as_prometheus_does(prometheus: PrometheusServer, local: LocalSource, query: str) -> None:
    # Prometheus sorts ranks of NaN in no certain order.
    ordered = re.match(r"(sort|sort_desc|topk|bottomk)\((\d, )?load", query) is not None
    for instant in INSTANTS:
        one = (instant, instant, None)
        _same(_ours(local, query, one), _theirs(prometheus, query, one), ordered=ordered)
    _same(_ours(local, query, RANGE), _theirs(prometheus, query, RANGE), ordered=False)


def test_the_samples_are_the_same_on_both_sides(prometheus: PrometheusServer, local: LocalSource) -> None:
    for query in ("load", "odd", "took_bucket", "hits_total"):
        found = _theirs(prometheus, query, RANGE)
        assert len(found) >= 4
        assert found != _theirs(prometheus, query, (INSTANTS[0], INSTANTS[0], None))
        _same(_ours(local, query, RANGE), found, ordered=False)


@pytest.mark.parametrize(
    "query",
    [
        "load * on (service) whole",
        "load + on (service) limit",
        "limit + on (service) load",
        "load * on (service) group_left whole",
        "limit * on (service) group_left load",
        "label_replace(load, 'pod', 'x', '', '')",
        "label_replace(load, 'pod', '', 'service', 'cart')",
        "label_replace(load, 'le-ft', 'x', '', '')",
        "label_replace(load, 'left', 'x', 'pod', '(')",
        "label_join(load, 'pod', '')",
        "abs({__name__=~'load|whole'})",
        "rate({__name__=~'load|whole'}[5m])",
        "timestamp({__name__=~'load|whole'})",
        "-{__name__=~'load|whole'}",
        "{__name__=~'load|whole'} + 1",
        "load and",
        "sum(load",
        "no_such_function(load)",
        "rate(load)",
        "load[5m]",
        "load > bool on (service) limit and 3",
        "1 > 2",
    ],
)
def test_what_has_no_meaning_is_an_error_on_both_sides(
    prometheus: PrometheusServer, local: LocalSource, query: str
) -> None:
    for times in ((INSTANTS[0], INSTANTS[0], None), RANGE):
        if query == "load[5m]" and times[2] is None:
            continue  # an instant query may ask Prometheus for raw samples
        with pytest.raises(QueryError):
            _theirs(prometheus, query, times)
        with pytest.raises(QueryError):
            _ours(local, query, times)
