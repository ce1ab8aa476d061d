"""Wires what correlation is told of the configuration, and where a person can look at more."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from driftband.config import Config
from driftband.correlate.context import Context, no_links
from driftband.grafana.explore import dashboard_link
from driftband.model.finding import Finding
from driftband.model.moment import to_ms

AROUND_MS = 3 * 3_600_000


def context_of(config: Config) -> Context:
    """Return what correlation is told of the configuration."""
    return Context(
        identity=tuple(config.identity),
        resolve_after=timedelta(milliseconds=config.incidents.resolve_after),
        reopen_within=timedelta(milliseconds=config.incidents.reopen_within),
        links=no_links if config.grafana is None else partial(dashboards_of, config.grafana.url.rstrip("/")),
    )


def dashboards_of(grafana: str, finding: Finding) -> Sequence[tuple[str, str]]:
    """Return the dashboards that show more of a finding, around its beginning."""
    at = to_ms(finding.opened_at)
    link = partial(dashboard_link, grafana, start=at - AROUND_MS, end=at + AROUND_MS)
    service = finding.identity.get("service", "")
    if finding.layer == "configuration":
        return [("drift of the workspace", link("driftband-drift", workspace=finding.workspace, service=service))]
    if finding.signal and finding.kind != "alert_firing":
        return [("the signal's dashboard", link("driftband-signal", signal=finding.signal, service=service))]
    return []
