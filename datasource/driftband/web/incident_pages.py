"""The pages of incidents: the list, and one incident with all that whoever looks after it wants to know."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.incident import Incident
from driftband.web.desk import Desk
from driftband.web.drawing import SMALL, svg
from driftband.web.evidence_plot import plot_of
from driftband.web.forms import LENGTHS
from driftband.web.incidents import CHOICES, STATES, states_of
from driftband.web.listing import Wanted, paged, wanted
from driftband.web.story import story

SHOWN = 50
FINDINGS, SUSPECTS, LINES, MESSAGES = 20, 5, 60, 20
"""The most that one page shows of an incident."""
_DONE = {"acknowledged": "Acknowledged.", "resolved": "Resolved.", "accepted": "Accepted: it alarms nobody for now."}


def add_incident_pages(blueprint: Blueprint, desk: Desk) -> None:
    """Add the routes."""

    @blueprint.get("/incidents")
    def incidents() -> Response:
        values = {name: value for name, value in request.args.items() if value}
        part = wanted({"limit": str(SHOWN), **values}, ("severity", "verdict", "owner"), CHOICES)
        listed = desk.incidents.page(part, states_of(values.get("state", "")))
        cursor = paged("incidents", listed, part.limit, "opened_at")["next"]
        return desk.pages.show(
            "incidents.html",
            desk.now(),
            section="/incidents",
            incidents=listed[: part.limit],
            next=urlencode({**values, "cursor": cursor}) if cursor else "",
            filters=_filters(),
            chosen=values,
            narrowed=bool(values),
        )

    @blueprint.get("/incidents/<incident_id>")
    def incident(incident_id: str) -> Response:
        return desk.pages.show(
            "incident.html",
            desk.now(),
            section="/incidents",
            done=done(),
            **_one(desk, desk.incidents.one(incident_id)),
        )


def done() -> str:
    """Return what is said where a form of ours has just led back to the page."""
    return _DONE.get(request.args.get("done", ""), "")


def lengths() -> list[tuple[str, str]]:
    """Return for how long a finding may be accepted: the values of the form, and what a person reads."""
    return [(value, words) for value, (words, _) in LENGTHS.items()]


def pictures(findings: Sequence[Finding], changes: Sequence[Change]) -> dict[str, str]:
    """Return the SVG of each finding that has a picture. changes: the most suspected first."""
    drawn = {}
    for finding in findings:
        if (plot := plot_of(finding, changes)) is not None:
            drawn[finding.id] = svg(plot, SMALL, finding.signal or finding.kind)
    return drawn


def _one(desk: Desk, incident: Incident) -> dict[str, Any]:
    ids = sorted(incident.findings, key=lambda one: one != incident.root)[:FINDINGS]
    findings = desk.lookup.findings(ids)
    known = desk.lookup.changes([suspect.change for suspect in incident.suspects[:SUSPECTS]])
    suspects = [{"suspect": one, "change": known.get(one.change)} for one in incident.suspects[:SUSPECTS]]
    changes = [known[one.change] for one in incident.suspects[:SUSPECTS] if one.change in known]
    owed = Wanted({"incident_id": incident.id}, None, None, None, MESSAGES)
    return {
        "incident": incident,
        "findings": findings,
        "more": len(incident.findings) - len(findings),
        "suspects": suspects,
        "pictures": pictures(findings, changes),
        "story": story(incident, changes, LINES),
        "around": _around(incident.context),
        "told": desk.incidents.notifications(owed)[:MESSAGES],
        "lengths": lengths(),
    }


def _around(context: Mapping[str, Any]) -> dict[str, Any]:
    names = ("services", "dependents", "dependencies", "links", "similar")
    return {"component": context.get("component"), **{name: context.get(name) or () for name in names}}


def _filters() -> list[tuple[str, str, list[tuple[str, str]]]]:
    states = [("", "not over"), *((state, state) for state in STATES), ("all", "all")]
    return [
        ("state", "State", states),
        *((name, name.capitalize(), [("", "any"), *((v, v) for v in values)]) for name, values in CHOICES.items()),
    ]
