"""Bands and changes added to a dashboard that somebody already has, and taken out again.

What is added is known again by its names: queries and overrides by their ids, the annotations by their title. The rest of
the dashboard stays as it is, but that a panel of one data source becomes one of several, which Grafana calls mixed.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from driftband.grafana.board import marked
from driftband.grafana.building import ORANGE, SKY
from driftband.grafana.panels import edges
from driftband.query.names import FUNCTIONS, NATIVE

Board = dict[str, Any]

ANNOTATIONS = "Changes (driftband)"
WINDOW = "5m"
"""What stands for Grafana's moving windows: with another width at each zoom a band would be another query each time."""
_MIXED = {"type": "datasource", "uid": "-- Mixed --"}
_FUNCTIONS = {"lower": "band_lower", "expected": "forecast", "upper": "band_upper"}
_REF_IDS = {side: f"driftband_{side}" for side in _FUNCTIONS}
_OURS = re.compile(rf"\b({'|'.join([*FUNCTIONS, *NATIVE])})\b")
_MOVING = re.compile(r"\$(?:__rate_interval|__interval|\{__rate_interval\}|\{__interval\})")
_CONTEXT = 1


@dataclass(frozen=True)
class PassedOver:
    """A panel without a band, and why."""

    panel: str
    why: str


def added(board: Mapping[str, Any], source: str, panels: Sequence[int] = ()) -> tuple[Board, list[PassedOver]]:
    """Return the dashboard with bands and changes of a data source, and the panels that were passed over.

    source: the uid of driftband's data source. panels: the ids of those that get a band; all that can have one where
    none is given. Done again, it changes nothing.
    """
    made, passed = taken_out(board), []
    for panel in _panels(made):
        if panels and panel.get("id") not in panels:
            continue
        why = _unfit(panel)
        if why:
            passed.append(PassedOver(f"{panel.get('id')} {panel.get('title', '')}".strip(), why))
        else:
            _draw(panel, {"type": "prometheus", "uid": source})
    _marks(made).append(_changes(made, source))
    return made, passed


def taken_out(board: Mapping[str, Any]) -> Board:
    """Return the dashboard without what ``added`` has put there."""
    made = deepcopy(dict(board))
    for panel in _panels(made):
        targets = panel.get("targets", [])
        rest = [one for one in targets if one.get("refId") not in _REF_IDS.values()]
        if len(rest) < len(targets):
            panel["targets"] = rest
            overrides = panel["fieldConfig"]["overrides"]
            overrides[:] = [one for one in overrides if one["matcher"].get("options") not in _REF_IDS.values()]
            sources = [one.get("datasource") for one in rest]
            if panel.get("datasource") == _MIXED and all(one == sources[0] for one in sources):
                panel["datasource"] = sources[0]
    marks = _marks(made)
    marks[:] = [one for one in marks if one.get("name") != ANNOTATIONS]
    return made


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the lines of a unified diff of two dashboards' JSON; none where they are the same."""
    old, new = (json.dumps(one, indent=2, sort_keys=True, ensure_ascii=False).splitlines() for one in (before, after))
    return list(unified_diff(old, new, "as it is", "as it would be", lineterm="", n=_CONTEXT))


def _panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in board.get("panels", ()):
        if panel.get("type") == "row":
            yield from _panels(panel)  # it holds those that it folds away
        else:
            yield panel


def _unfit(panel: Mapping[str, Any]) -> str:
    if panel.get("libraryPanel"):
        return "it is a library panel, which other dashboards share"
    if panel.get("type") != "timeseries":
        return "it draws no time series"
    shown = [one for one in panel.get("targets", ()) if not one.get("hide")]
    if len(shown) != 1:
        return f"it has {len(shown)} queries, and a band wants one"
    expr = shown[0].get("expr")
    if not expr or (shown[0].get("datasource") or panel.get("datasource") or {}).get("type") != "prometheus":
        return "its query is not PromQL"
    return "its query asks for a band already" if _OURS.search(expr) else ""


def _draw(panel: dict[str, Any], source: Mapping[str, str]) -> None:
    targets = panel["targets"]
    (expr,) = (one["expr"] for one in targets if not one.get("hide"))
    operand = _MOVING.sub(WINDOW, expr)
    if panel.get("datasource") != source:
        for one in targets:
            one.setdefault("datasource", panel.get("datasource"))
        panel["datasource"] = dict(_MIXED)
    for side, function in _FUNCTIONS.items():
        query = {"refId": _REF_IDS[side], "expr": f"{function}({operand})", "legendFormat": side, "range": True}
        targets.append({**query, "datasource": dict(source), "editorMode": "code"})
    overrides = panel.setdefault("fieldConfig", {}).setdefault("overrides", [])
    for side, properties in edges(SKY, ORANGE).items():
        listed = [{"id": one.id_val, "value": one.value} for one in properties]
        overrides.append({"matcher": {"id": "byFrameRefID", "options": _REF_IDS[side]}, "properties": listed})


def _marks(board: Board) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = board.setdefault("annotations", {}).setdefault("list", [])
    return found


def _changes(board: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the annotations: of the service and the environment that the dashboard has variables for, else of all."""
    variables = {one["name"] for one in board.get("templating", {}).get("list", ())}
    about = [f'{name}=~"${name}|"' for name in ("service", "env") if name in variables]
    made = marked(f"driftband_change{{{', '.join(about)}}}").build().to_json()
    return {**made, "name": ANNOTATIONS, "datasource": {"type": "prometheus", "uid": source}}
