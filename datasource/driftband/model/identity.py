"""Identity labels: how infrastructure and telemetry recognise each other."""

import re
from collections.abc import Mapping, Sequence

LONGEST = 500
"""Characters of a label that are kept."""

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "service": ("service.name", "service_name", "app.kubernetes.io/name", "app"),
    "env": ("environment", "deployment.environment", "deployment.environment.name", "deployment_environment"),
    "cluster": ("k8s.cluster.name", "cluster_name"),
    "region": ("cloud.region",),
    "team": ("owner",),
}
"""Names under which tags carry what an identity label means: OpenTelemetry's and Kubernetes's recommended ones."""


def identity_of(tags: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the identity labels ``names`` that ``tags`` tell: by the name itself, in any case, else by an alias of it."""
    by_case = {_plain(key): value for key, value in sorted(tags.items()) if value}
    found = {}
    for name in names:
        for candidate in (name, *_ALIASES.get(name, ())):
            if value := tags.get(candidate) or by_case.get(_plain(candidate)):
                found[name] = value[:LONGEST]
                break
    return found


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())
