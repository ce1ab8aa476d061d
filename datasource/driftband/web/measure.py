"""What the service tells of itself on ``/metrics``."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from driftband.model.samples import Metric as Family
from driftband.model.samples import MetricType
from driftband.model.series import Labels, make_labels

T = TypeVar("T")
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TICKS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)


class Measure:
    """The service's own metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "driftband_request_duration_seconds", "Time to answer a request, up to its first byte.",
            ["endpoint", "status"], buckets=_LATENCIES, registry=self.registry,
        )  # fmt: skip
        self._source = Histogram(
            "driftband_source_request_duration_seconds", "Time the source takes for a request.",
            ["endpoint", "outcome"], buckets=_LATENCIES, registry=self.registry,
        )  # fmt: skip
        self._cache = Counter(
            "driftband_history_reads_total", "Reads of an operand's history, by whether all of it was in memory.",
            ["result"], registry=self.registry,
        )  # fmt: skip
        self._fits = Histogram(
            "driftband_fit_duration_seconds", "Time to fit all series of an operand at one refit.",
            ["model"], buckets=_LATENCIES, registry=self.registry,
        )  # fmt: skip
        self._errors = Counter(
            "driftband_query_errors_total", "Queries answered with an error, by Prometheus's error type.",
            ["type"], registry=self.registry,
        )  # fmt: skip
        self._watch_until = Gauge(
            "driftband_watch_evaluated_until_seconds", "The last instant at which all watched signals are evaluated.",
            registry=self.registry,
        )  # fmt: skip
        self._watch_signals = Gauge("driftband_watch_signals", "Signals that are watched.", registry=self.registry)
        self._watch_ticks = Histogram(
            "driftband_watch_tick_duration_seconds", "Time to evaluate all signals at the instants that are due.",
            buckets=_TICKS, registry=self.registry,
        )  # fmt: skip
        self._watch_errors = Counter(
            "driftband_watch_errors_total", "Evaluations of signals that failed, by Prometheus's error type.",
            ["type"], registry=self.registry,
        )  # fmt: skip
        self._alerts = Counter(
            "driftband_alerts_received_total", "Alerts that came in, without exact repeats of a webhook.",
            ["source"], registry=self.registry,
        )  # fmt: skip
        for source in ("grafana", "alertmanager"):
            self._alerts.labels(source)
        self._memory = Gauge("driftband_cache_bytes", "Memory held.", ["cache"], registry=self.registry)

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Note one answered request."""
        self._requests.labels(endpoint, str(status)).observe(seconds)

    def source(self, endpoint: str, seconds: float, outcome: str) -> None:
        """Note one request to the source."""
        self._source.labels(endpoint, outcome).observe(seconds)

    def history(self, result: str) -> None:
        """Note one read of a history."""
        self._cache.labels(result).inc()

    def error(self, kind: str) -> None:
        """Note one query that failed."""
        self._errors.labels(kind).inc()

    def watched(self, signals: int, until: float) -> None:
        """Note how many signals are watched, and until when (epoch seconds) all of them are evaluated."""
        self._watch_signals.set(signals)
        self._watch_until.set(until)

    def watch_tick(self, seconds: float) -> None:
        """Note how long a tick of the watcher took."""
        self._watch_ticks.observe(seconds)

    def watch_error(self, kind: str) -> None:
        """Note an evaluation that failed."""
        self._watch_errors.labels(kind).inc()

    def alerts(self, source: str, count: int) -> None:
        """Note alerts that came in."""
        self._alerts.labels(source).inc(count)

    def fit(self, model: str, make: Callable[[], T]) -> T:
        """Make a fit and note how long it took."""
        started = time.perf_counter()
        made = make()
        self._fits.labels(model).observe(time.perf_counter() - started)
        return made

    def watch_memory(self, cache: str, size: Callable[[], int]) -> None:
        """Report the size of a cache whenever the metrics are read."""
        self._memory.labels(cache).set_function(size)

    def watch_findings(self, count: Callable[[], Mapping[tuple[str, str, str], int]]) -> None:
        """Report how many findings are open whenever the metrics are read."""
        self.registry.register(_OpenFindings(count))

    def exposition(self) -> bytes:
        """Write the metrics in Prometheus's text format."""
        return bytes(generate_latest(self.registry))

    def families(self) -> Mapping[str, Family]:
        """Return the metrics by name, a counter's with its ``_total``."""
        found = {}
        for one in self.registry.collect():
            name = f"{one.name}_total" if one.type == "counter" else one.name
            found[name] = Family(cast("MetricType", one.type), one.documentation)
        return found

    def samples(self, target: Mapping[str, str]) -> Iterator[tuple[Labels, float]]:
        """Yield every series as of now, with the labels of a ``target`` that a Prometheus would add."""
        yield make_labels({**target, "__name__": "up"}), 1.0
        for family in self.registry.collect():
            for one in family.samples:
                if not one.name.endswith("_created"):
                    yield make_labels({**target, **one.labels, "__name__": one.name}), one.value


class _OpenFindings(Collector):
    """Counts as the store has them. A store that does not answer is told by ``/readyz``; the other metrics still come."""

    def __init__(self, count: Callable[[], Mapping[tuple[str, str, str], int]]) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        names = ("layer", "class", "severity")
        family = GaugeMetricFamily("driftband_open_findings", "Findings that are open.", labels=names)
        with contextlib.suppress(Exception):
            for labels, number in sorted(self._count().items()):
                family.add_metric(labels, number)
        yield family
