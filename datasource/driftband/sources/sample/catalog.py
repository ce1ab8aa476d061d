"""Which metrics the sample world has, and which series each drawing function fills."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from driftband.model.samples import Metric
from driftband.model.series import Bools, Floats, Labels
from driftband.sources.sample import resources, traffic
from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import DAY_MINUTES, day_minutes, weekday
from driftband.sources.sample.shop import CALLS, NEW_CALL, SERVICES, Service
from driftband.sources.sample.targets import (
    ALL_TARGETS,
    COLLECTOR,
    KUBELETS,
    NODE_EXPORTERS,
    NODES,
    PODS_OF,
    STATE_METRICS,
    Target,
)

METRICS: Mapping[str, Metric] = {
    "container_cpu_usage_seconds_total": Metric("counter", "CPU time a container has used.", "seconds"),
    "db_connections_in_use": Metric("gauge", "Database connections of the pool that are in use."),
    "db_connections_max": Metric("gauge", "Database connections the pool may open."),
    "http_request_duration_seconds": Metric("histogram", "Time to answer an HTTP request.", "seconds"),
    "http_requests_total": Metric("counter", "HTTP requests answered, by status code."),
    "kube_deployment_status_replicas_available": Metric("gauge", "Available replicas of a deployment."),
    "node_filesystem_avail_bytes": Metric("gauge", "Bytes left on a filesystem.", "bytes"),
    "process_resident_memory_bytes": Metric("gauge", "Resident memory of the process.", "bytes"),
    "queue_depth": Metric("gauge", "Messages waiting in a queue."),
    "traces_service_graph_request_total": Metric("counter", "Requests between two services, counted from traces."),
    "up": Metric("gauge", "1 if the target could be scraped, 0 if not."),
}

_SUNDAY, _COLLECTOR_RESTART = 6, 4 * 60 + 20


@dataclass(frozen=True, eq=False)
class Group:
    """Series that are drawn together.

    draw: (day, script) -> (len(labels), 1440); the values of gauges, the increase in each minute of counters.
    resets: the (service, pod) whose restarts set the counters to 0; None for the collector's own weekly restart.
    hides: whether there are no samples while the target is away.
    """

    target: Target
    labels: tuple[Labels, ...]
    draw: Callable[[int, Script], Floats]
    counter: bool = False
    resets: tuple[str, int] | None = None
    hides: bool = True

    def shown(self, day: int, script: Script) -> Bools:
        """Return in which minutes of ``day`` there are samples, shape (1440,)."""
        minutes = day_minutes(day)
        return self.target.answering(script, minutes) if self.hides else np.ones(minutes.shape, dtype=bool)

    def restarts(self, day: int, script: Script) -> list[int]:
        """Return the minutes of ``day`` (since the epoch) whose increase is the first that the counters count."""
        if self.resets:
            return script.restarts(*self.resets, day)
        return [day * DAY_MINUTES + _COLLECTOR_RESTART] if weekday(day) == _SUNDAY else []


def groups() -> tuple[Group, ...]:
    """Return all series of the sample world."""
    found = [group for service in SERVICES for group in _service_groups(service)]
    found += [_disk(node) for node in range(len(NODES))]
    return (*found, _queues(), _calls(), *(_up(target) for target in ALL_TARGETS))


def _service_groups(service: Service) -> list[Group]:
    found = [_replicas(service)]
    for target in PODS_OF[service.name]:
        found += [_requests(service, target), _memory(target), _cpu(target)]
        if service.connections:
            found.append(_connections(target))
    return found


def _requests(service: Service, target: Target) -> Group:
    name, pod = target.service, target.pod
    histogram = "http_request_duration_seconds"
    labels = (
        *(target.labels("http_requests_total", code=code) for code in ("200", service.client_code, "500")),
        *(target.labels(f"{histogram}_bucket", le=bound) for bound in traffic.BOUNDS),
        target.labels(f"{histogram}_sum"),
        target.labels(f"{histogram}_count"),
    )
    return Group(
        target, labels, lambda day, script: traffic.requests(name, pod, day, script), counter=True, resets=(name, pod)
    )


def _memory(target: Target) -> Group:
    name, pod = target.service, target.pod
    labels = (target.labels("process_resident_memory_bytes"),)
    return Group(target, labels, lambda day, script: resources.memory(name, pod, day, script))


def _cpu(target: Target) -> Group:
    name, pod = target.service, target.pod
    kubelet = KUBELETS[pod % len(KUBELETS)]
    labels = kubelet.labels(
        "container_cpu_usage_seconds_total", service=name, namespace="shop", pod=f"{name}-{pod}", container=name
    )
    return Group(
        kubelet, (labels,), lambda day, script: resources.cpu(name, pod, day, script), counter=True, resets=(name, pod)
    )


def _connections(target: Target) -> Group:
    name, pod = target.service, target.pod
    labels = (
        target.labels("db_connections_in_use", pool="primary"),
        target.labels("db_connections_max", pool="primary"),
    )
    return Group(target, labels, lambda day, script: resources.connections(name, pod, day, script))


def _replicas(service: Service) -> Group:
    name = service.name
    labels = STATE_METRICS.labels(
        "kube_deployment_status_replicas_available", service=name, namespace="shop", deployment=name
    )
    return Group(STATE_METRICS, (labels,), lambda day, script: resources.replicas(name, day, script))


def _disk(node: int) -> Group:
    target = NODE_EXPORTERS[node]
    labels = target.labels("node_filesystem_avail_bytes", device="/dev/nvme0n1p1", fstype="ext4", mountpoint="/")
    return Group(target, (labels,), lambda day, _: resources.disk(node, day))


def _queues() -> Group:
    labels = tuple(
        COLLECTOR.labels("queue_depth", service=service, queue=queue)
        for service, queue in (("checkout", "orders"), ("payment", "emails"))
    )
    return Group(COLLECTOR, labels, resources.queues)


def _calls() -> Group:
    labels = tuple(
        COLLECTOR.labels("traces_service_graph_request_total", client=client, server=server)
        for client, server, _ in (*CALLS, NEW_CALL)
    )
    return Group(COLLECTOR, labels, traffic.calls, counter=True)


def _up(target: Target) -> Group:
    def draw(day: int, script: Script) -> Floats:
        return target.answering(script, day_minutes(day)).astype(np.float64)[None, :]

    return Group(target, (target.labels("up"),), draw, hides=False)
