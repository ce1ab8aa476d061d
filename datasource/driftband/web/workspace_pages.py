"""The pages of the workspaces: all of them, and one with its history."""

from typing import Any

import numpy as np
from flask import Blueprint, Response, request

from driftband.model.refusal import UnavailableError, UnknownError
from driftband.model.series import Frame
from driftband.query.question import Question
from driftband.web.desk import Desk
from driftband.web.drawing import WIDE, svg
from driftband.web.listing import Wanted
from driftband.web.plot import Plot

FINDINGS, RUNS, CLOSED = 500, 20, 30
"""The most that one page shows."""
CLASSES = ("drift", "accepted_undeclared", "provisional", "pending", "ignored", "normalisation")
EXPLAINED = ("accepted_undeclared", "provisional", "ignored")
"""Classes whose reason says more than what is different."""
_HOUR = 3_600_000
_PAST, _STEP = 30 * 24 * _HOUR, 6 * _HOUR


def add_workspace_pages(blueprint: Blueprint, desk: Desk) -> None:
    """Add the routes."""

    @blueprint.get("/workspaces")
    def workspaces() -> Response:
        chosen = request.args.get("workspace", "")
        return _one(desk, chosen) if chosen else _all(desk)

    @blueprint.get("/workspaces/<path:name>", merge_slashes=False)
    def workspace(name: str) -> Response:
        return _one(desk, name)


def _all(desk: Desk) -> Response:
    known: dict[str, Any] = {}
    try:
        known = {**_findings(desk, ""), "workspaces": desk.overview.workspaces()}
    except UnavailableError as error:
        known = {"missing": str(error)}
    return desk.pages.show("workspaces.html", desk.now(), section="/workspaces", classes=CLASSES, **known)


def _one(desk: Desk, name: str) -> Response:
    standing = next((one for one in desk.overview.workspaces() if one.name == name), None)
    if standing is None:
        raise UnknownError(f"there is no workspace {name[:200]!r}; it is known once a run of it has been reported")
    runs = desk.evidence.runs(Wanted({"workspace": name}, None, None, None, RUNS))
    closed = desk.evidence.findings(Wanted({"workspace": name, "state": "closed"}, None, None, None, CLOSED))
    return desk.pages.show(
        "workspace.html",
        desk.now(),
        section="/workspaces",
        workspace=standing,
        classes=CLASSES,
        runs=runs[:RUNS],
        closed=closed[:CLOSED],
        ignores=desk.lookup.ignores_in(name, desk.now()),
        picture=_history(desk, name),
        **_findings(desk, name),
    )


def _findings(desk: Desk, workspace: str) -> dict[str, Any]:
    found = desk.overview.open_findings(FINDINGS + 1, workspace=workspace)
    return {
        "findings": found[:FINDINGS],
        "more": len(found) > FINDINGS,
        "chosen": workspace,
        "explained": EXPLAINED,
    }


def _history(desk: Desk, name: str) -> str:
    """Return the picture of how much drift was open in the last 30 days."""
    now = desk.gateway.clock()
    end = now // _STEP * _STEP
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    query = f'count(driftband_drift{{workspace="{quoted}"}})'
    passage = desk.gateway.passage(desk.gateway.query_timeout)
    found = desk.gateway.answer(Question(query, end - _PAST, end, _STEP), passage.fetch, now).value
    times = np.arange(end - _PAST, end + 1, _STEP, dtype=np.int64)
    counts = np.zeros(len(times))
    if isinstance(found, Frame) and len(found.labels):
        counts = np.where(found.present[0], found.values[0], 0.0)
    plot = Plot(times=times, actual=counts, start=int(times[0]), end=end, whole=True)
    return svg(plot, WIDE, f"open findings of drift in {name}")
