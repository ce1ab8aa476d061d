"""The pages of one finding and of one change."""

from flask import Blueprint, Response

from driftband.model.moment import parse_moment
from driftband.web.desk import Desk
from driftband.web.incident_pages import SUSPECTS, done, lengths, pictures


def add_finding_pages(blueprint: Blueprint, desk: Desk) -> None:
    """Add the routes of one finding and of one change."""

    @blueprint.get("/findings/<finding_id>")
    def finding(finding_id: str) -> Response:
        one, steps = desk.evidence.finding(finding_id)
        held = desk.lookup.incidents_of(finding_id)
        suspects = [suspect.change for incident in held for suspect in incident.suspects[:SUSPECTS]]
        known = desk.lookup.changes(suspects)
        return desk.pages.show(
            "finding.html",
            desk.now(),
            finding=one,
            steps=[{**step, "at": parse_moment(step["at"])} for step in steps],
            held=held,
            picture=pictures([one], [known[name] for name in suspects if name in known]).get(one.id),
            lengths=lengths(),
            itself=one.id,
            done=done(),
        )

    @blueprint.get("/changes/<path:change_id>")
    def change(change_id: str) -> Response:
        return desk.pages.show("change.html", desk.now(), change=desk.evidence.one_change(change_id))
