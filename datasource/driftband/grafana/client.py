"""The client for Grafana's HTTP API."""

from urllib.parse import urlsplit

from grafana_client import GrafanaApi
from grafana_client.client import TokenAuth


def connect(url: str, token: str, timeout: float) -> GrafanaApi:
    """Return a client for the Grafana at ``url`` (http or https, with its path prefix); ``timeout`` in seconds.

    Nothing is sent yet. It follows no redirect and heeds no proxy or netrc of the environment: it talks to the address
    that the configuration names and to no other.
    """
    # GrafanaApi.from_url loses the slash after a path prefix and the brackets of an IPv6 address.
    parts = urlsplit(url)
    host = parts.hostname or ""
    api = GrafanaApi(
        auth=TokenAuth(token),
        protocol=parts.scheme,
        host=f"[{host}]" if ":" in host else host,
        port=parts.port,
        url_path_prefix="".join(f"{part}/" for part in parts.path.split("/") if part),
        timeout=timeout,
    )
    api.client.s.trust_env = False
    api.client.s.max_redirects = 0
    return api
