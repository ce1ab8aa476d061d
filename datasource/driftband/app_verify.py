"""Wires the gate of CI: from a change, over what was seen since, to whether all stayed calm."""

from dataclasses import dataclass, replace
from datetime import timedelta

from driftband.app_incidents import Incidents
from driftband.correlate.verifying import verify
from driftband.model.refusal import UnknownError
from driftband.model.verification import Verification
from driftband.store import changes
from driftband.store.verifying import identities_of, seen_since


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Answers how things stand after a change."""

    incidents: Incidents

    def verify(self, change_id: str, lasts: timedelta) -> Verification:
        """Return how things stand, until ``lasts`` after the change's end. Raises UnknownError where it is not on record."""
        context = self.incidents.context
        with self.incidents.database.read() as connection:
            change = changes.one(connection, change_id)
            if change is None:
                raise UnknownError(f"there is no change {change_id[:60]!r}")
            seen = seen_since(connection, change, context.identity)
            identities = identities_of(connection, change)
        return verify(change, lasts, seen, replace(context, identities=identities), self.incidents.clock())
