"""Checks of Grafana: that it is there, that the token works and may write annotations, and that it reads from us."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from grafana_client import GrafanaApi
from grafana_client.client import GrafanaException

from driftband.doctor.faults import network_fault, page_fault, status_fault
from driftband.doctor.finding import FaultError, Finding

_TO_ANNOTATE = "annotations:create"
_FOR_ALL = {"*", "annotations:*", "annotations:type:*", "annotations:type:organization"}
"""Scopes that let it annotate for all dashboards; a Viewer may annotate the dashboards that it may edit, that is none."""


class Grafana:
    """Asks Grafana and turns every failure into a FaultError. ``timeout`` in seconds."""

    def __init__(self, api: GrafanaApi, url: str, timeout: float) -> None:
        self.api, self._url, self._timeout = api, url, timeout

    def ask(self, request: Callable[[], Any], kind: type[dict[str, Any]] | type[list[Any]]) -> Any:
        """Return the answer to ``request``, a dict or a list as ``kind`` says."""
        try:
            answer = request()
        except GrafanaException as error:
            raise status_fault(error.status_code, self._url, "grafana.token") from None
        except ValueError:  # no JSON; requests' own is an OSError too
            answer = None
        except OSError as error:
            raise network_fault(error, self._url, self._timeout) from None
        if isinstance(answer, str):
            raise page_fault(self._url)
        if not isinstance(answer, kind):
            raise FaultError(f"{self._url} answers, but not as Grafana does", "check the address and the path prefix")
        return answer


def check_reachable(grafana: Grafana) -> Finding:
    """Ask for its health, which needs no token."""
    try:
        health = grafana.ask(grafana.api.health.check, dict)
    except FaultError as fault:
        return fault.finding("grafana")
    if health.get("database") != "ok":
        return Finding(
            name="grafana",
            status="fail",
            message="Grafana answers, but its database does not",
            mend="look into its log",
        )
    return Finding(name="grafana", status="ok", message=f"Grafana {health.get('version', 'of no version')} answers")


def check_token(grafana: Grafana) -> Finding:
    """Ask what any valid token may read."""
    try:
        organization = grafana.ask(grafana.api.organization.get_current_organization, dict)
    except FaultError as fault:
        return fault.finding("grafana token")
    return Finding(
        name="grafana token", status="ok", message=f"is valid in {organization.get('name', 'no organization')}"
    )


def check_role(grafana: Grafana) -> Finding:
    """Ask what the token may do; service accounts have no profile that would name their role."""
    name = "grafana role"
    try:
        allowed = grafana.ask(lambda: grafana.api.client.GET("/access-control/user/permissions"), dict)
    except FaultError as fault:
        return Finding(
            name=name,
            status="warn",
            message=f"what the token may do cannot be told: {fault.message}",
            mend="see in Grafana that its service account is an Editor",
        )
    if _FOR_ALL.isdisjoint(allowed.get(_TO_ANNOTATE) or ()):
        mend = "give its service account the role Editor"
        return Finding(name=name, status="fail", message="the token may not write annotations", mend=mend)
    return Finding(name=name, status="ok", message="the token may write annotations")


def check_data_source(grafana: Grafana, external_url: str) -> Finding:
    """Look for the data source that reads from us."""
    name = "grafana data source"
    try:
        listed = grafana.ask(grafana.api.datasource.list_datasources, list)
    except FaultError as fault:
        return Finding(
            name=name,
            status="warn",
            message=f"data sources cannot be listed: {fault.message}",
            mend="see in Grafana that there is one of type Prometheus with driftband's address",
        )
    ours = [
        str(one.get("name"))
        for one in listed
        if isinstance(one, dict) and one.get("type") == "prometheus" and _place(one.get("url")) == _place(external_url)
    ]
    if ours:
        return Finding(name=name, status="ok", message=f'"{ours[0]}" reads from {external_url}')
    return Finding(
        name=name,
        status="warn",
        message=f"no Prometheus data source of this Grafana has the URL {external_url}",
        mend="add one (Connections, Data sources, Prometheus), or make the external_url the one that Grafana uses",
    )


def _place(url: object) -> tuple[str, str, int | None, str] | None:
    """Return what two spellings of one address have in common."""
    try:
        parts = urlsplit(str(url))
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port, parts.path.rstrip("/")


def checks(grafana: Grafana, external_url: str) -> list[Finding]:
    """Return all findings about Grafana; the rest is not asked where the first questions fail."""
    found = [check_reachable(grafana)]
    if found[-1].status == "ok":
        found.append(check_token(grafana))
    if found[-1].status == "ok":
        found += [check_role(grafana), check_data_source(grafana, external_url)]
    return found
