"""What the pages of one thing show: the findings and changes that belong to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.ignore import Ignore
from driftband.model.incident import Incident
from driftband.store import changes, findings, ignores, incidents, search
from driftband.store.database import Database


@dataclass(frozen=True)
class StoredLookup:
    """Looks things up. Every method raises UnavailableError where the store does not answer."""

    database: Database

    def findings(self, ids: Sequence[str]) -> list[Finding]:
        """Return findings in the order of their ids; those that are gone are left out."""
        with self.database.read() as connection:
            return findings.by_ids(connection, ids)

    def changes(self, ids: Sequence[str]) -> Mapping[str, Change]:
        """Return changes by their ids; those that are gone are left out."""
        with self.database.read() as connection:
            return {change.id: change for change in changes.by_ids(connection, ids)}

    def incidents_of(self, finding_id: str) -> list[Incident]:
        """Return the incidents that a finding belongs to."""
        with self.database.read() as connection:
            held = incidents.of_findings(connection, [finding_id])
            return incidents.by_ids(connection, held.get(finding_id, []))

    def ignores_in(self, workspace: str, now: datetime) -> list[Ignore]:
        """Return the ignore rules in force that speak of a workspace."""
        with self.database.read() as connection:
            rules = ignores.in_force(connection)
        return [rule for rule in rules if rule.holds_at(now) and rule.speaks_of(workspace)]

    def search(self, text: str, limit: int) -> dict[str, list[Any]]:
        """Return the youngest ``incidents``, ``findings`` and ``changes`` that fit a text, and names of ``workspaces``."""
        with self.database.read() as connection:
            found = changes.by_ids(connection, search.change_ids(connection, text, limit))
            return {
                "incidents": incidents.by_ids(connection, search.incident_ids(connection, text, limit)),
                "findings": findings.by_ids(connection, search.finding_ids(connection, text, limit)),
                "changes": sorted(found, key=lambda change: change.started_at, reverse=True),
                "workspaces": search.workspace_names(connection, text, limit),
            }
