"""What is to be known of a workspace's resources and of what runs on them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_LONGEST = 256


@dataclass(frozen=True, kw_only=True)
class Facts:
    """identity: identity labels, such as service, env, cluster, region, team. workspace, commit: empty where not known."""

    workspace: str = ""
    commit: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse names that not every form can write, and values that no backend takes."""
        for name, value in {**self.identity, "workspace": self.workspace, "commit": self.commit}.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"the name {name[:80]!r} must be letters, digits and _, and begin with no digit")
            if len(value) > _LONGEST:
                raise ValueError(f"the value of {name} is longer than {_LONGEST} characters")
            if not value.isprintable():
                raise ValueError(f"the value of {name} holds a control character")
        if taken := {"driftband_workspace", "driftband_commit"} & self.identity.keys():
            raise ValueError(f"{min(taken)} is written by driftband itself")

    def tags(self) -> dict[str, str]:
        """Return all facts by plain names: the identity's own, and driftband's with a prefix."""
        own = {"driftband_workspace": self.workspace, "driftband_commit": self.commit}
        return {**self.identity, **{name: value for name, value in own.items() if value}}

    def attributes(self) -> dict[str, str]:
        """Return them as OpenTelemetry resource attributes, by the names of its semantic conventions where there are any."""
        named = {_CONVENTIONS.get(name, name): value for name, value in self.identity.items()}
        own = {"driftband.workspace": self.workspace, "vcs.ref.head.revision": self.commit}
        return {**named, **{name: value for name, value in own.items() if value}}


_CONVENTIONS = {
    "service": "service.name",
    "env": "deployment.environment.name",
    "cluster": "k8s.cluster.name",
    "region": "cloud.region",
}
