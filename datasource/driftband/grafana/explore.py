"""Links into Grafana: to Explore with a signal's series and its band, or a query, at the range that matters, and to dashboards.

Format: https://grafana.com/docs/grafana/latest/explore/get-started-with-explore/#generate-explore-urls-from-external-tools
"""

import re
from collections.abc import Sequence
from urllib.parse import quote, urlencode

import orjson

from driftband.model.series import Labels

DATASOURCE = "driftband"
"""The uid that provisioning/ gives the data source."""
_SERIES = ("driftband_actual", "driftband_upper", "driftband_expected", "driftband_lower")
_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""Names that stand in a selector as they are; without the others it selects a little more."""


def with_band(signal: str, labels: Labels) -> list[str]:
    """Return the queries of a signal's series and its band."""
    pairs = [("signal", signal), *((name, value) for name, value in labels if _PLAIN.fullmatch(name))]
    matchers = ", ".join(f"{name}={_quoted(value)}" for name, value in pairs)
    return [f"{name}{{{matchers}}}" for name in _SERIES]


def of_edge(labels: Labels) -> list[str]:
    """Return the query of an edge of the service graph. labels: its client and server."""
    (_, client), (_, server) = labels
    return [f"driftband_service_edge{{source={_quoted(client)}, target={_quoted(server)}}}"]


def narrowed(expr: str, labels: Labels) -> list[str]:
    """Return a query of any form, of those of its series alone that have ``labels``."""
    named = [(name, value) for name, value in labels if _PLAIN.fullmatch(name)]
    if not named:
        return [expr]
    one = "vector(1)"
    for name, value in named:
        one = f'label_replace({one}, "{name}", {_quoted(value.replace("$", "$$"))}, "", "")'
    return [f"({expr}\n) and on ({', '.join(name for name, _ in named)}) {one}"]


def explore_link(grafana: str, exprs: Sequence[str], start: int, end: int) -> str:
    """Return the address of Explore with queries from ``start`` to ``end`` (epoch ms).

    grafana: its address, without a slash at the end.
    """
    source = {"type": "prometheus", "uid": DATASOURCE}
    queries = [
        {"refId": chr(ord("A") + place), "datasource": source, "expr": expr, "range": True}
        for place, expr in enumerate(exprs)
    ]
    pane = {"datasource": DATASOURCE, "queries": queries, "range": {"from": str(start), "to": str(end)}}
    panes = orjson.dumps({"drb": pane}).decode()
    return f"{grafana}/explore?schemaVersion=1&orgId=1&panes={quote(panes, safe='')}"


def dashboard_link(grafana: str, uid: str, start: int, end: int, **variables: str) -> str:
    """Return the address of a dashboard from ``start`` to ``end`` (epoch ms), with its variables set; empty ones are left."""
    asked = {"from": str(start), "to": str(end), **{f"var-{name}": value for name, value in variables.items() if value}}
    return f"{grafana}/d/{uid}?{urlencode(asked, quote_via=quote)}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
