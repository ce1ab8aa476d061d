"""What the start page says of what is open."""

from typing import Any

from driftband.model.refusal import UnavailableError
from driftband.model.standing import SEVERITIES, Standing
from driftband.web.desk import Desk
from driftband.web.incidents import states_of
from driftband.web.listing import Wanted

WORST, CHANGES, INCIDENTS = 5, 6, 5
_COUNTED = 100


def now_open(desk: Desk) -> dict[str, Any]:
    """Return what the start page says of incidents, drift and changes."""
    try:
        standing = desk.overview.workspaces()
        incidents = desk.incidents.page(Wanted({}, None, None, None, _COUNTED), states_of(""))
        incidents.sort(key=lambda incident: SEVERITIES.index(incident.severity))
        return {
            "workspaces": standing,
            "incidents": incidents[:INCIDENTS],
            "more_incidents": len(incidents) > INCIDENTS,
            "worst": desk.overview.open_findings(WORST, alarming=True),
            "changes": desk.overview.last_changes(CHANGES),
            "severities": SEVERITIES,
            "verdict": _verdict(standing, len(incidents)),
        }
    except UnavailableError as error:
        return {"missing": str(error), "verdict": "Whether it is green is not known"}


def _verdict(standing: list[Standing], incidents: int) -> str:
    """Return whether it is green, in one line."""
    if incidents:
        number = f"more than {_COUNTED}" if incidents > _COUNTED else str(incidents)
        return f"{number.capitalize()} incident{'s are' if incidents != 1 else ' is'} open"
    drifted = sum(workspace.alarming(severity) for workspace in standing for severity in SEVERITIES)
    if drifted:
        return f"No incident is open; {drifted} finding{'s' if drifted != 1 else ''} of drift"
    return "Green: nothing is open" if standing else "Nothing is open; no workspace has reported yet"
