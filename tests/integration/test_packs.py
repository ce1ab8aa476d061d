"""Each signal of a pack against a real Prometheus that holds the exporters' own names."""

import time
from functools import cache
from typing import Any

import pytest
import requests

from driftband.config_signals import Signal, pack, with_packs

from .conftest import PrometheusFactory
from .prometheus_server import PrometheusServer

NOW = int(time.time()) // 60 * 60 - 120
STEP, COUNT = 60, 30

WORKLOAD = {"cluster": "one", "namespace": "shop"}
POD = {**WORKLOAD, "pod": "cart-7f"}
CONTAINER = {**POD, "container": "cart"}
DONE = {**WORKLOAD, "pod": "report-1"}
SERVICE = {"job": "api", "service": "cart", "namespace": "shop"}
OTEL = {"job": "shop/search", "service_name": "search"}
OLD_OTEL = {"job": "shop/legacy", "service_name": "legacy"}

Series = tuple[str, dict[str, str], float, float]
"""Name, labels, value at the beginning, and how much it grows in a minute."""


def histogram(name: str, labels: dict[str, str], bounds: tuple[str, ...], rate: float) -> list[Series]:
    shares = [(place + 1) / len(bounds) for place in range(len(bounds))]
    buckets = [(f"{name}_bucket", {**labels, "le": b}, 0.0, rate * s) for b, s in zip(bounds, shares, strict=True)]
    return [*buckets, (f"{name}_sum", labels, 0.0, rate / 10), (f"{name}_count", labels, 0.0, rate)]


KUBERNETES: list[Series] = [
    ("kube_pod_container_status_restarts_total", CONTAINER, 3, 0.1),
    ("container_oom_events_total", CONTAINER, 0, 0.1),
    ("kube_pod_status_ready", {**POD, "condition": "true"}, 1, 0),
    ("kube_pod_status_ready", {**POD, "condition": "false"}, 0, 0),
    ("kube_pod_status_ready", {**DONE, "condition": "false"}, 1, 0),
    ("kube_pod_status_phase", {**POD, "phase": "Pending"}, 0, 0),
    ("kube_pod_status_phase", {**POD, "phase": "Succeeded"}, 0, 0),
    ("kube_pod_status_phase", {**DONE, "phase": "Succeeded"}, 1, 0),
    ("kube_deployment_status_replicas_unavailable", {**WORKLOAD, "deployment": "cart"}, 1, 0),
    ("kube_statefulset_replicas", {**WORKLOAD, "statefulset": "db"}, 3, 0),
    ("kube_statefulset_status_replicas_ready", {**WORKLOAD, "statefulset": "db"}, 2, 0),
    ("kube_daemonset_status_number_unavailable", {**WORKLOAD, "daemonset": "logs"}, 0, 0),
    ("kube_job_status_failed", {**WORKLOAD, "job_name": "report"}, 1, 0),
    ("kube_node_status_condition", {"cluster": "one", "node": "n1", "condition": "Ready", "status": "false"}, 1, 0),
    ("kube_node_status_condition", {"cluster": "one", "node": "n2", "condition": "Ready", "status": "true"}, 1, 0),
    ("kube_pod_container_resource_limits", {**CONTAINER, "resource": "memory", "unit": "byte"}, 2e8, 0),
    ("kube_pod_container_resource_requests", {**CONTAINER, "resource": "cpu", "unit": "core"}, 1, 0),
    ("kube_pod_container_resource_requests", {**CONTAINER, "resource": "memory", "unit": "byte"}, 1e8, 0),
    ("kube_node_status_allocatable", {"cluster": "one", "node": "n1", "resource": "cpu", "unit": "core"}, 4, 0),
    ("kube_node_status_allocatable", {"cluster": "one", "node": "n1", "resource": "memory", "unit": "byte"}, 1e9, 0),
    ("container_cpu_usage_seconds_total", CONTAINER, 0, 30),
    ("container_cpu_usage_seconds_total", {**POD, "container": "POD"}, 0, 30),
    ("container_cpu_cfs_periods_total", CONTAINER, 0, 600),
    ("container_cpu_cfs_throttled_periods_total", CONTAINER, 0, 150),
    ("container_memory_working_set_bytes", CONTAINER, 1.5e8, 0),
    ("container_memory_working_set_bytes", {**POD, "container": ""}, 1.6e8, 0),
    ("container_network_receive_bytes_total", {**POD, "interface": "eth0"}, 0, 60_000),
    ("container_network_receive_errors_total", {**POD, "interface": "eth0"}, 0, 6),
    ("container_network_transmit_errors_total", {**POD, "interface": "eth0"}, 0, 0),
    ("kubelet_volume_stats_used_bytes", {**WORKLOAD, "persistentvolumeclaim": "data"}, 3e9, 0),
    ("kubelet_volume_stats_capacity_bytes", {**WORKLOAD, "persistentvolumeclaim": "data"}, 1e10, 0),
]
SECONDS = ("0.1", "0.5", "1", "+Inf")
HTTP: list[Series] = [
    ("http_requests_total", {**SERVICE, "code": "200"}, 0, 540),
    ("http_requests_total", {**SERVICE, "code": "503"}, 0, 60),
    ("http_requests_total", {"job": "quiet", "code": "200"}, 0, 60),
    *histogram("http_request_duration_seconds", SERVICE, SECONDS, 600),
    *histogram("http_server_request_duration_seconds", {**OTEL, "http_response_status_code": "200"}, SECONDS, 90),
    *histogram("http_server_request_duration_seconds", {**OTEL, "http_response_status_code": "500"}, SECONDS, 10),
    *histogram("http_server_duration_milliseconds", {**OLD_OTEL, "http_status_code": "200"}, ("100", "500", "1000", "+Inf"), 60),
    ("http_server_active_requests", OTEL, 7, 0),
    *histogram("http_client_request_duration_seconds", {**OTEL, "server_address": "db", "http_response_status_code": "200"}, SECONDS, 30),
]  # fmt: skip


def openmetrics(series: list[Series]) -> str:
    lines = []
    for name in dict.fromkeys(one[0] for one in series):
        for _, labels, value, growth in (one for one in series if one[0] == name):
            text = ",".join(f'{k}="{v}"' for k, v in labels.items())
            lines += [f"{name}{{{text}}} {value + growth * i} {NOW - (COUNT - i) * STEP}" for i in range(COUNT + 1)]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def prometheus(prometheus_factory: PrometheusFactory) -> PrometheusServer:
    return prometheus_factory(openmetrics([*KUBERNETES, *HTTP]))


@pytest.fixture(scope="module")
def empty(prometheus_factory: PrometheusFactory) -> PrometheusServer:
    return prometheus_factory()


def ask(server: PrometheusServer, query: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{server.url}/api/v1/query", params={"query": query, "time": NOW}, timeout=30).json()
    assert answer["status"] == "success", answer
    assert not answer.get("warnings"), answer
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


@cache
def signals() -> dict[str, Signal]:
    return {signal.name: signal for signal in with_packs((), ("kubernetes", "http"))}


@pytest.mark.parametrize("name", signals())
def test_a_signal_has_series_where_its_exporter_is_and_none_where_it_is_not(
    prometheus: PrometheusServer, empty: PrometheusServer, name: str
) -> None:
    signal = signals()[name]
    assert ask(prometheus, signal.expr)
    assert ask(empty, signal.expr) == []
    assert signal.unit
    assert signal.min_deviation > 0


def number(server: PrometheusServer, name: str, **labels: str) -> float:
    found = [s for s in ask(server, signals()[name].expr) if labels.items() <= s["metric"].items()]
    assert len(found) == 1, found
    return float(found[0]["value"][1])


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("kubernetes_container_restarts", {"container": "cart"}, 1.0),
        ("kubernetes_pods_not_ready", {"namespace": "shop"}, 0.0),
        ("kubernetes_statefulset_replicas_missing", {"statefulset": "db"}, 1.0),
        ("kubernetes_nodes_not_ready", {"cluster": "one"}, 1.0),
        ("kubernetes_cpu_usage", {"container": "cart"}, 0.5),
        ("kubernetes_cpu_throttling", {"container": "cart"}, 0.25),
        ("kubernetes_memory_of_limit", {"container": "cart"}, 0.75),
        ("kubernetes_memory_usage", {"container": "cart"}, 1.5e8),
        ("kubernetes_network_receive", {"namespace": "shop"}, 1000.0),
        ("kubernetes_volume_usage", {"persistentvolumeclaim": "data"}, 0.3),
        ("kubernetes_cpu_requested", {"cluster": "one"}, 0.25),
        ("kubernetes_memory_requested", {"cluster": "one"}, 0.1),
        ("http_request_rate", {"service": "cart"}, 10.0),
        ("http_request_rate", {"service_name": "search"}, 100 / 60),
        ("http_request_rate", {"service_name": "legacy"}, 1.0),
        ("http_error_share", {"service": "cart"}, 0.1),
        ("http_error_share", {"service_name": "search"}, 0.1),
        ("http_error_share", {"job": "quiet"}, 0.0),
        ("http_error_share", {"service_name": "legacy"}, 0.0),
        ("http_client_error_share", {"server_address": "db"}, 0.0),
        ("http_latency_p50", {"service": "cart"}, 0.5),
        ("http_latency_p50", {"service_name": "search"}, 0.5),
        ("http_latency_p50", {"service_name": "legacy"}, 0.5),
        ("http_requests_in_flight", {"service_name": "search"}, 7.0),
    ],
)
def test_a_signal_means_what_it_says(
    prometheus: PrometheusServer, name: str, labels: dict[str, str], expected: float
) -> None:
    assert number(prometheus, name, **labels) == pytest.approx(expected, rel=0.05, abs=1e-9)


def test_names_say_which_pack_a_signal_is_of_and_ones_own_signal_goes_before() -> None:
    for name in ("kubernetes", "http"):
        assert all(signal.name.startswith(name) for signal in pack(name))  # type: ignore[arg-type]
    own = Signal.model_validate({"name": "http_request_rate", "expr": "mine"})
    chosen = {signal.name: signal.expr for signal in with_packs((own,), ("http",))}
    assert chosen["http_request_rate"] == "mine"
    assert len(chosen) == len(pack("http"))
