"""What is scraped in the sample world: pods, nodes and the collectors beside them."""

from dataclasses import dataclass

import numpy as np

from driftband.model.series import Bools, Instants, Labels, make_labels
from driftband.sources.sample.script import Script
from driftband.sources.sample.shapes import fraction
from driftband.sources.sample.shop import PODS, SERVICES

SCRAPE = 60_000
"""Milliseconds between two scrapes."""

_REGION = "eu-west-1"
# Whole 250 ms are exact in binary: promtool cuts the seconds of OpenMetrics to ms, and must not round one away.
_OFFSET_GRAIN = 250

NODES = ("node-0", "node-1")


@dataclass(frozen=True)
class Target:
    """One scraped endpoint. ``service`` and ``pod`` are set for a pod of the shop, which can be away."""

    job: str
    instance: str
    service: str = ""
    pod: int = 0

    @property
    def offset(self) -> int:
        """Milliseconds after the full minute at which this target is scraped, as Prometheus spreads its targets."""
        slots = SCRAPE // _OFFSET_GRAIN
        return int(fraction(f"offset/{self.job}/{self.instance}") * slots) * _OFFSET_GRAIN

    def labels(self, metric: str, **more: str) -> Labels:
        """Return the label set of a series of this target."""
        own = {"__name__": metric, "job": self.job, "instance": self.instance, "env": "demo", "region": _REGION}
        return make_labels({**own, "service": self.service, **more})

    def answering(self, script: Script, minutes: Instants) -> Bools:
        """Return where the target answers its scrapes; all but pods always do."""
        if not self.service:
            return np.ones(minutes.shape, dtype=bool)
        return script.answering(self.service, self.pod, minutes)


PODS_OF = {
    service.name: tuple(
        Target(service.name, f"{service.name}-{pod}.shop.svc:8080", service.name, pod) for pod in range(PODS)
    )
    for service in SERVICES
}
KUBELETS = tuple(Target("kubelet", f"{node}:10250") for node in NODES)
NODE_EXPORTERS = tuple(Target("node-exporter", f"{node}:9100") for node in NODES)
STATE_METRICS = Target("kube-state-metrics", "kube-state-metrics.monitoring.svc:8080")
COLLECTOR = Target("otel-collector", "otel-collector.monitoring.svc:8888")

ALL_TARGETS = (
    *(pod for pods in PODS_OF.values() for pod in pods),
    *KUBELETS,
    *NODE_EXPORTERS,
    STATE_METRICS,
    COLLECTOR,
)
