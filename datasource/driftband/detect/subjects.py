"""Series that come and go under new names, and what stays the same of them."""

from functools import lru_cache

from driftband.model.series import Labels

_POD = frozenset({"pod", "pod_name", "k8s_pod_name", "exported_pod"})
_PASSING = _POD | {"uid", "pod_uid", "k8s_pod_uid", "container_id", "id", "task_id", "k8s_pod_ip", "pod_ip"}
"""Labels whose value is a new one each time that the thing is replaced."""
_WITH_POD = frozenset({"instance", "node", "host", "host_ip", "k8s_node_name"})
"""Labels that change with the pod, where one is named; otherwise they name something that stays."""


@lru_cache(maxsize=65_536)
def subject_of(labels: Labels) -> Labels:
    """Return the labels that a replacement will have too."""
    named = {name for name, _ in labels}
    dropped = _PASSING | _WITH_POD if named & _POD else _PASSING
    return labels if named.isdisjoint(dropped) else tuple(pair for pair in labels if pair[0] not in dropped)
