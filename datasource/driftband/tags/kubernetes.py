"""Labels and annotations of Kubernetes objects."""

import re
from typing import Any

import yaml

from driftband.tags.facts import Facts

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_RECOMMENDED = {"service": "app.kubernetes.io/name"}


def kubernetes_metadata(facts: Facts) -> dict[str, Any]:
    """Return ``labels`` and ``annotations``. What no label may hold stands in the annotations alone.

    Annotations that begin with ``resource.opentelemetry.io/`` become resource attributes in OpenTelemetry's operator and
    collector.
    """
    labels = {
        _RECOMMENDED.get(name, name): value for name, value in facts.identity.items() if _LABEL_VALUE.fullmatch(value)
    }
    annotations = {f"resource.opentelemetry.io/{name}": value for name, value in facts.attributes().items()}
    return {"labels": labels, "annotations": annotations}


def kubernetes(facts: Facts) -> str:
    """Return the metadata of a pod template as YAML."""
    document = {"metadata": {name: part for name, part in kubernetes_metadata(facts).items() if part}}
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000))
