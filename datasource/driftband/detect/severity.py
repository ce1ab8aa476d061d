"""How bad a configuration finding is, by what it touches. A label of the series: decided once, when it opens."""

import re
from collections.abc import Iterable
from typing import Any

from driftband.model.attribute import AttributeDiff
from driftband.model.finding import Severity

_ACCESS = re.compile(
    r"polic|ingress|egress|cidr|(^|[._])acl|principal|permission|privilege|grant|role|assume|public|security_group|firewall|superuser",
    re.IGNORECASE,
)
_ANYWHERE = {"0.0.0.0/0", "::/0", "public-read", "public-read-write", "allUsers", "allAuthenticatedUsers"}
_PUBLIC_FLAG = re.compile(r"public(ly)?_access|publicly_accessible|map_public_ip", re.IGNORECASE)


def severity_of(kind: str, resource_type: str, attributes: Iterable[AttributeDiff]) -> tuple[Severity, str]:
    """Return the severity of a finding, and why in words (empty where there is nothing to add).

    critical: something has become reachable by anybody. error: it is gone, a secret moved, or access rules moved.
    """
    listed = tuple(attributes)
    exposed = next((a.path for a in listed if _exposes(a)), None)
    if exposed is not None:
        return "critical", f"{exposed} is open to anybody now"
    if kind == "deleted_outside":
        return "error", ""
    secret = next((a.path for a in listed if a.sensitive), None)
    if secret is not None:
        return "error", f"the secret {secret} moved"
    access = next((a.path for a in listed if _ACCESS.search(f"{resource_type}.{a.path}")), None)
    if access is not None and not re.search(r"(connection|idle|statement)_", access):
        return ("error", f"{access} decides who has access") if _ACCESS.search(access) else ("warning", "")
    return "warning", ""


def _exposes(attribute: AttributeDiff) -> bool:
    if _PUBLIC_FLAG.search(attribute.path) and attribute.after is True and attribute.before is not True:
        return True
    return bool(_leaves(attribute.after) & _ANYWHERE - _leaves(attribute.before))


def _leaves(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return set().union(*map(_leaves, value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*map(_leaves, value)) if value else set()
    return set()
