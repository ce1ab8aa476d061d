"""What the pages stand on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask import Response

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.ignore import Ignore
from driftband.model.incident import Incident
from driftband.model.moment import from_ms
from driftband.model.standing import Standing
from driftband.web.evidence import Evidence
from driftband.web.incidents import Incidents
from driftband.web.layout import Pages
from driftband.web.prometheus import Gateway

_TITLES = {404: "Not there", 400: "Not understood", 503: "Not known now"}


class Overview(Protocol):
    """What people look at first. Every method may raise UnavailableError."""

    def workspaces(self) -> list[Standing]:
        """Return how each workspace stands, by name."""

    def open_findings(self, limit: int, *, workspace: str = "", alarming: bool = False) -> Sequence[Finding]:
        """Return open configuration findings, the worst first."""

    def last_changes(self, limit: int) -> Sequence[Change]:
        """Return the youngest changes."""


class Lookup(Protocol):
    """What belongs to one thing. Every method may raise UnavailableError."""

    def findings(self, ids: Sequence[str]) -> list[Finding]:
        """Return findings in the order of their ids; those that are gone are left out."""

    def changes(self, ids: Sequence[str]) -> Mapping[str, Change]:
        """Return changes by their ids; those that are gone are left out."""

    def incidents_of(self, finding_id: str) -> list[Incident]:
        """Return the incidents that a finding belongs to."""

    def ignores_in(self, workspace: str, now: datetime) -> Sequence[Ignore]:
        """Return the ignore rules in force that speak of a workspace."""

    def search(self, text: str, limit: int) -> Mapping[str, Sequence[Any]]:
        """Return the youngest ``incidents``, ``findings`` and ``changes`` that fit a text, and names of ``workspaces``."""


@dataclass(frozen=True)
class Desk:
    """What the pages stand on. example: the query that the start page draws."""

    gateway: Gateway
    overview: Overview
    lookup: Lookup
    incidents: Incidents
    evidence: Evidence
    pages: Pages
    external_url: str
    example: str

    def now(self) -> datetime:
        """Return the present instant."""
        return from_ms(self.gateway.clock())

    def refuse(self, text: str, status: int) -> Response:
        """Return a page that says why something was not done or is not there."""
        return self.pages.show("message.html", self.now(), status, title=_TITLES.get(status, "Not done"), text=text)
