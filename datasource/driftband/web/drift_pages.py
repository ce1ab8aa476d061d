"""What people see of drift: on the start page, and on the page of the workspaces. Rendered here, without a script."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from flask import render_template_string

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.moment import from_ms
from driftband.model.refusal import UnavailableError
from driftband.model.standing import SEVERITIES, Standing
from driftband.web.drift_html import DRIFT, WORKSPACES
from driftband.web.words import age, what

WORST, CHANGES, FINDINGS = 5, 6, 500
_CLASSES = ("drift", "accepted_undeclared", "provisional", "pending", "ignored", "normalisation")
_EXPLAINED = ("accepted_undeclared", "provisional", "ignored")
"""Classes whose reason says more than what is different."""


class Overview(Protocol):
    """What the pages show. Every method may raise UnavailableError."""

    def workspaces(self) -> list[Standing]:
        """Return how each workspace stands, by name."""

    def open_findings(self, limit: int, *, workspace: str = "", alarming: bool = False) -> Sequence[Finding]:
        """Return open configuration findings, the worst first."""

    def last_changes(self, limit: int) -> Sequence[Change]:
        """Return the youngest changes."""


def drift_section(overview: Overview, now: int) -> str:
    """Return what has drifted and what was changed last, for the start page; now: epoch ms."""
    known: dict[str, Any] = {}
    try:
        known["workspaces"] = overview.workspaces()
        known["worst"] = overview.open_findings(WORST, alarming=True)
        known["changes"] = overview.last_changes(CHANGES)
    except UnavailableError as error:
        known = {"missing": str(error)}
    return render_template_string(DRIFT, **known, **_words(from_ms(now)), severities=SEVERITIES)


def workspaces_page(overview: Overview, now: int, chosen: str) -> str:
    """Return the page of the workspaces. chosen: the one whose findings are wanted, empty for those of all."""
    known: dict[str, Any] = {}
    try:
        found = overview.open_findings(FINDINGS + 1, workspace=chosen)
        known = {"workspaces": overview.workspaces(), "findings": found[:FINDINGS], "more": len(found) > FINDINGS}
    except UnavailableError as error:
        known = {"missing": str(error)}
    return render_template_string(
        WORKSPACES, **known, **_words(from_ms(now)), chosen=chosen, classes=_CLASSES, explained=_EXPLAINED
    )


def _words(now: datetime) -> dict[str, Any]:
    return {"what": what, "age": partial(age, now=now)}
