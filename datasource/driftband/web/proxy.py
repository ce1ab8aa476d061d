"""A proxy that people have signed in at, and that says who they are."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from flask import Request

Network = IPv4Network | IPv6Network
LONGEST_NAME = 200


@dataclass(frozen=True)
class Proxy:
    """Whom to believe. header: the one that names the person. networks: where the proxy asks from. writes: they may write too."""

    header: str
    networks: tuple[Network, ...]
    writes: bool

    def user(self, request: Request) -> str:
        """Return whom the proxy names; empty where another asks, or nobody is named, or several are."""
        if not self._asks(request.remote_addr or ""):
            return ""
        name = request.headers.get(self.header, "").strip()
        # Two headers come as one, joined by a comma: one of the two the proxy has not written.
        fits = 0 < len(name) <= LONGEST_NAME and name.isprintable() and "," not in name
        return name if fits else ""

    def _asks(self, remote: str) -> bool:
        try:
            address: IPv4Address | IPv6Address = ip_address(remote)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)
