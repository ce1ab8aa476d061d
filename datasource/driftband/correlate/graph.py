"""The dependency graph: who calls whom, and over how many hops."""

from collections.abc import Iterable, Mapping

FARTHEST = 3
"""Hops beyond which an effect is not expected to be recognised any more."""


class Graph:
    """Services and their calls. Distances are reckoned once for each service that is asked about."""

    def __init__(self, edges: Iterable[tuple[str, str]]) -> None:
        self._servers: dict[str, set[str]] = {}
        self._clients: dict[str, set[str]] = {}
        for client, server in edges:
            if client != server:
                self._servers.setdefault(client, set()).add(server)
                self._clients.setdefault(server, set()).add(client)
        self._down: dict[str, Mapping[str, int]] = {}
        self._up: dict[str, Mapping[str, int]] = {}

    @property
    def services(self) -> frozenset[str]:
        """All nodes."""
        return frozenset(self._servers) | frozenset(self._clients)

    def dependencies(self, service: str) -> Mapping[str, int]:
        """Return what ``service`` calls, directly or not, with the number of hops (1 to ``FARTHEST``)."""
        if service not in self._down:
            self._down[service] = _reach(self._servers, service)
        return self._down[service]

    def dependents(self, service: str) -> Mapping[str, int]:
        """Return who calls ``service``, directly or not, with the number of hops (1 to ``FARTHEST``)."""
        if service not in self._up:
            self._up[service] = _reach(self._clients, service)
        return self._up[service]


def _reach(neighbours: Mapping[str, set[str]], start: str) -> Mapping[str, int]:
    found = {start: 0}
    border = [start]
    for hops in range(1, FARTHEST + 1):
        border = [there for here in border for there in neighbours.get(here, ()) if there not in found]
        found.update(dict.fromkeys(border, hops))
    del found[start]
    return found
