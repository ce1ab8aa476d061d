"""Wires pictures: what is drawn of an incident comes from the store."""

from collections.abc import Mapping, Sequence

from driftband.config import Config
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.incident import Incident
from driftband.store import changes, findings, incidents
from driftband.store.database import Database
from driftband.web.pictures import Pictures
from driftband.web.sessions import Signed, keys_of

_FINDINGS, _SUSPECTS = 20, 3


def pictures_of(config: Config, database: Database) -> Pictures:
    """Return what draws incidents for a configuration."""

    def tell(incident_id: str) -> tuple[Incident, Sequence[Finding], Mapping[str, Change]] | None:
        with database.read() as connection:
            found = incidents.by_ids(connection, [incident_id])
            if not found:
                return None
            (incident,) = found
            ids = sorted(incident.findings, key=lambda one: one != incident.root)[:_FINDINGS]
            suspects = [suspect.change for suspect in incident.suspects[:_SUSPECTS]]
            known = {change.id: change for change in changes.by_ids(connection, suspects)}
            return incident, findings.by_ids(connection, ids), known

    # A picture's address lives as long as the token that it was signed by: several instances sign alike.
    tokens = [token.get_secret_value() for token in config.access.read_tokens]
    return Pictures(tell, Signed(keys_of(tokens), "picture"), config.external_url.rstrip("/"))
