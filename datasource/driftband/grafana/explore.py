"""Links to Explore: a signal's series with its band, at the range that matters.

Format: https://grafana.com/docs/grafana/latest/explore/get-started-with-explore/#generate-explore-urls-from-external-tools
"""

import re
from urllib.parse import quote

import orjson

from driftband.model.series import Labels

DATASOURCE = "driftband"
"""The uid that provisioning/ gives the data source."""
_SERIES = ("driftband_actual", "driftband_upper", "driftband_expected", "driftband_lower")
_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""Names that stand in a selector as they are; without the others it selects a little more."""


def explore_link(grafana: str, signal: str, labels: Labels, start: int, end: int) -> str:
    """Return the address of Explore with a signal's series and its band from ``start`` to ``end`` (epoch ms).

    grafana: its address, without a slash at the end.
    """
    pairs = [("signal", signal), *((name, value) for name, value in labels if _PLAIN.fullmatch(name))]
    matchers = ", ".join(f"{name}={_quoted(value)}" for name, value in pairs)
    source = {"type": "prometheus", "uid": DATASOURCE}
    queries = [
        {"refId": chr(ord("A") + place), "datasource": source, "expr": f"{name}{{{matchers}}}", "range": True}
        for place, name in enumerate(_SERIES)
    ]
    pane = {"datasource": DATASOURCE, "queries": queries, "range": {"from": str(start), "to": str(end)}}
    panes = orjson.dumps({"drb": pane}).decode()
    return f"{grafana}/explore?schemaVersion=1&orgId=1&panes={quote(panes, safe='')}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
