"""By what an audit event may name a resource, and what is too weak to name anything."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from driftband.model.report import Resource

_OWN = (
    "id", "arn", "name", "self_link", "bucket", "function_name", "identifier", "cluster_identifier", "repository_name",
    "table_name", "topic_arn", "url", "qualified_name",
)  # fmt: skip
_OWNERS: Mapping[str, tuple[str, ...]] = {
    "aws_security_group_rule": ("security_group_id",),
    "aws_vpc_security_group_ingress_rule": ("security_group_id",),
    "aws_vpc_security_group_egress_rule": ("security_group_id",),
    "aws_iam_role_policy": ("role",),
    "aws_iam_role_policy_attachment": ("role",),
    "aws_iam_user_policy": ("user",),
    "aws_iam_user_policy_attachment": ("user",),
    "aws_iam_group_policy": ("group",),
    "aws_iam_group_policy_attachment": ("group",),
    "aws_route": ("route_table_id",),
    "aws_network_acl_rule": ("network_acl_id",),
}
"""Resources that the cloud knows only as a part of another one, and the attribute that names that one."""

_KUBERNETES_KINDS = (
    "cluster_role", "cluster_role_binding", "config_map", "cron_job", "daemon_set", "deployment", "horizontal_pod_autoscaler",
    "job", "limit_range", "namespace", "persistent_volume", "persistent_volume_claim", "pod", "pod_disruption_budget",
    "replication_controller", "resource_quota", "role", "role_binding", "secret", "service", "service_account",
    "stateful_set",
)  # fmt: skip
_PLURALS = {
    **{kind: kind.replace("_", "") + "s" for kind in _KUBERNETES_KINDS},
    "endpoints": "endpoints",
    "ingress": "ingresses",
    "network_policy": "networkpolicies",
    "priority_class": "priorityclasses",
    "storage_class": "storageclasses",
}
"""Terraform's kinds, and Kubernetes' names for them in its paths and audit events."""
KUBERNETES_KINDS = frozenset(_PLURALS.values())

_SHORTEST = 5
_GENERIC = frozenset(
    """
    admin api app apps application backend bastion bucket cache cluster common container core data database default
    development egress endpoint example external firewall frontend function global group index ingress instance internal
    kube-system latest lambda local main master model monitoring network nginx node nodes other primary private prod
    production proxy public queue redis replica resource role root router secondary secret security server service
    shared stage staging storage subnet system table terraform test testing this topic user users vault volume worker
    workers policy postgres false true none null unknown enabled disabled
    """.split()  # noqa: SIM905 - as words they are read at a glance
)
_REGION = re.compile(r"(?:[a-z]{2}(?:-[a-z]+)+-\d[a-z]?|[a-z]+-[a-z]+\d(?:-[a-z])?)")


def identifiers(resource: Resource) -> tuple[str, ...]:
    """Return the names of a resource in the cloud, the most exact ones first: ids, ARNs, links, names.

    An object of Kubernetes in a namespace is named with it, and with its kind where that is known; its bare name may be
    anybody's. The address comes last: whoever writes events by hand may use it.
    """
    return tuple(dict.fromkeys(_names(resource)))


def _names(resource: Resource) -> Iterator[str]:
    attributes = resource.attributes
    yield from _kubernetes(resource.resource_type, attributes)
    for path in (*_OWN, *_OWNERS.get(resource.resource_type, ())):
        value = attributes.get(path)
        # An object's bucket is not the object, but what belongs to a bucket has no other name.
        foreign = path == "bucket" and "bucket" not in resource.resource_type
        if isinstance(value, str) and value and not foreign:
            yield value
    yield resource.address


def _kubernetes(resource_type: str, attributes: Mapping[str, Any]) -> Iterator[str]:
    name, namespace = (attributes.get(f"metadata[0].{field}") for field in ("name", "namespace"))
    if not isinstance(name, str) or not name:
        return
    full = f"{namespace}/{name}" if isinstance(namespace, str) and namespace else name
    kind = _PLURALS.get(re.sub(r"^kubernetes_|_v\d(?:alpha\d|beta\d)?$", "", resource_type))
    if kind:
        yield f"{kind}/{full}"
    yield full


def is_weak(name: str) -> bool:
    """Whether a name is too short or too common to tell one resource from another."""
    plain = name.strip().casefold()
    if len(plain) < _SHORTEST or plain in _GENERIC or _REGION.fullmatch(plain):
        return True
    return not any(letter.isalpha() for letter in plain)
