"""What correlation is told of the environment, and what it decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from driftband.model.finding import Finding
from driftband.model.incident import Deed, Incident

Links = Callable[[Finding], Sequence[tuple[str, str]]]
"""Returns where more can be seen about a finding: what is there in words, and its address."""


def no_links(_finding: Finding) -> Sequence[tuple[str, str]]:
    """Know of nothing to look at."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Context:
    """What is known beside findings and changes.

    edges: (client, server), names of services as their identity labels have them. identity: the names of identity labels.
    component: the one of them that names what runs, the nodes of ``edges``; team: the one that names an owner; all
    others are places (env, cluster, region). identities: identity labels of resources, by (workspace, address).
    changes_since: all changes from then on are handed over, None where all that there are; suspects are not ranked
    again once it has passed the time before an incident. owners: team by service, where no label tells. links: beside
    those that findings and changes carry.
    """

    edges: tuple[tuple[str, str], ...] = ()
    identity: tuple[str, ...] = ("service", "env", "cluster", "region", "team")
    component: str = "service"
    team: str = "team"
    identities: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    changes_since: datetime | None = None
    resolve_after: timedelta = timedelta(minutes=2)
    reopen_within: timedelta = timedelta(minutes=30)
    links: Links = no_links

    def __post_init__(self) -> None:
        """Refuse durations that run backwards."""
        if self.resolve_after < timedelta(0) or self.reopen_within < timedelta(0):
            raise ValueError("resolve_after and reopen_within must not be negative")

    @property
    def places(self) -> tuple[str, ...]:
        """The identity labels that say where something runs."""
        return tuple(name for name in self.identity if name not in {self.component, self.team})


@dataclass(frozen=True, kw_only=True)
class Decision:
    """incidents: the new and the changed ones, each whole. deeds: (incident's id, what is to be told, why).

    Deciding again about the outcome at the same instant gives an empty decision.
    """

    incidents: tuple[Incident, ...] = ()
    deeds: tuple[tuple[str, Deed, str], ...] = ()
