"""The examples of docs/watching.md against a real Prometheus that holds the exporters' own names."""

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import yaml

from driftband.config import load
from driftband.config_intents import Dependencies, Intent
from driftband.detect.joining import subject_in
from driftband.model.dependency import edges_of
from driftband.model.series import Frame, make_labels

from .conftest import PrometheusFactory
from .prometheus_server import PrometheusServer

PAGE = (Path(__file__).parents[2] / "docs/watching.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
GRAPHS = [example["dependencies"] for example in EXAMPLES if "dependencies" in example]
INTENTS = {one["name"]: one for example in EXAMPLES for one in example.get("intents", ())}
NOW = int(time.time()) // 60 * 60 - 120

Series = tuple[str, dict[str, str], float, float]
"""Name, labels, value at the beginning, and how much it grows in a minute."""
ISTIO = {"reporter": "source", "response_code": "200", "destination_service_name": "cart"}
SERIES: list[Series] = [
    ("traces_service_graph_request_total", {"client": "web", "server": "cart", "connection_type": ""}, 5, 60),
    ("traces_service_graph_request_total", {"client": "web", "server": "idle"}, 7, 0),
    (
        "istio_requests_total",
        {**ISTIO, "source_canonical_service": "web", "destination_canonical_service": "cart"},
        0,
        60,
    ),
    (
        "istio_requests_total",
        {**ISTIO, "source_canonical_service": "unknown", "destination_canonical_service": "cart"},
        0,
        60,
    ),
    (
        "http_client_request_duration_seconds_count",
        {"service_name": "web", "server_address": "cart.shop.svc.cluster.local", "server_port": "8080"},
        0,
        60,
    ),
    ("kube_deployment_status_replicas_available", {"namespace": "shop", "deployment": "cart", "job": "ksm"}, 2, 0),
    ("kubernetes_build_info", {"git_version": "v1.32.3-eks-bcf3d70", "cluster": "prod", "minor": "32"}, 1, 0),
]


@pytest.fixture(scope="module")
def prometheus(prometheus_factory: PrometheusFactory) -> PrometheusServer:
    lines = []
    for name, labels, value, growth in SERIES:
        text = ",".join(f'{label}="{shown}"' for label, shown in labels.items())
        lines += [f"{name}{{{text}}} {value + growth * i} {NOW - (20 - i) * 60}" for i in range(21)]
    return prometheus_factory("\n".join([*lines, "# EOF\n"]))


def answer(server: PrometheusServer, query: str) -> Frame:
    found: Any = requests.get(f"{server.url}/api/v1/query", params={"query": query, "time": NOW}, timeout=30).json()
    assert found["status"] == "success", found
    assert not found.get("warnings"), found
    rows = found["data"]["result"]
    values = np.array([[float(row["value"][1])] for row in rows]).reshape(len(rows), 1)
    labels = tuple(make_labels(row["metric"]) for row in rows)
    return Frame(np.array([NOW * 1000], dtype=np.int64), labels, values, np.ones(values.shape, dtype=np.bool_))


@pytest.fixture(scope="module")
def intents(tmp_path_factory: pytest.TempPathFactory) -> tuple[Intent, ...]:
    path = tmp_path_factory.mktemp("examples") / "driftband.yaml"
    path.write_text(yaml.safe_dump({"prometheus": {"url": "http://127.0.0.1:9090"}, "intents": [*INTENTS.values()]}))
    return load(path, {}).intents


@pytest.mark.parametrize("number", range(len(GRAPHS)))
def test_a_service_graph_has_its_edges(prometheus: PrometheusServer, number: int) -> None:
    rule = Dependencies.model_validate(GRAPHS[number]).watched()
    edges = edges_of(answer(prometheus, rule.expr))
    assert edges.edges == (("web", "cart"),)
    assert edges.seen.tolist() == [[True]]


@pytest.mark.parametrize(
    ("name", "subject", "shown"),
    [
        ("replicas", {"namespace": "shop", "deployment": "cart"}, ""),
        ("kubernetes_version", {"cluster": "prod"}, "1.32"),
    ],
)
def test_what_an_intent_observes_can_be_joined(
    prometheus: PrometheusServer, intents: tuple[Intent, ...], name: str, subject: dict[str, str], shown: str
) -> None:
    intent = next(one.watched() for one in intents if one.name == name)
    (labels,) = answer(prometheus, intent.expr).labels
    assert dict(subject_in(intent, labels)) == subject
    assert dict(labels).get(intent.label or "", "") == shown


def test_every_example_is_looked_at() -> None:
    assert len(GRAPHS) == 3
    assert set(INTENTS) == {"replicas", "kubernetes_version"}
