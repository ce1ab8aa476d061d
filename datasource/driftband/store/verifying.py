"""What a gate in CI looks at: the series that are watched, how far they are, and what was found since a change began."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from driftband.correlate.verifying import Seen
from driftband.model.change import Change
from driftband.model.identity import identity_of
from driftband.model.moment import from_ms
from driftband.model.verification import WatchedSeries
from driftband.store import findings, incident_progress, incidents, inventory
from driftband.store.rows import to_finding
from driftband.store.tables import findings as finding_table
from driftband.store.tables_watching import signal_states, watch_progress

PRESENCE = "silence"
"""The detector that remembers each series that there is, with the instant at which it was first seen."""
TROUBLES = ("source_unreachable", "query_failed")
MOST_FINDINGS = 5_000

_s, _f = signal_states.c, finding_table.c


def seen_since(connection: Connection, change: Change, names: Sequence[str]) -> Seen:
    """Return what is known since a change began. names: of the identity labels."""
    statement = select(finding_table).where(_f.opened_at >= change.started_at, _f.kind.not_in(TROUBLES))
    rows = connection.execute(statement.order_by(_f.opened_at).limit(MOST_FINDINGS)).mappings()
    since = [to_finding(row) for row in rows]
    held = incidents.of_findings(connection, [one.id for one in since])
    by_id = {one.id: one for one in incidents.by_ids(connection, {name for ids in held.values() for name in ids})}
    watched = connection.execute(select(watch_progress)).all()
    troubles = findings.matching(connection, _f.kind.in_(TROUBLES), _f.state == "open")
    return Seen(
        series=_series(connection, names),
        evaluated={row.signal: row.evaluated_until for row in watched},
        judged={row.signal: row.judged for row in watched},
        findings=since,
        # Of one that was split off, the incident that holds it now is the last.
        incidents={finding: by_id[ids[-1]] for finding, ids in held.items() if ids[-1] in by_id},
        decided=incident_progress.marks(connection)[0] == incident_progress.progress(connection).last_transition,
        trouble={one.signal: one.reason for one in troubles},
    )


def identities_of(connection: Connection, change: Change) -> dict[tuple[str, str], Mapping[str, str]]:
    """Return the identities of the resources that a change touched, by workspace and address."""
    rows = inventory.current(connection, change.workspace, [one.address for one in change.resources])
    return {(change.workspace, row["address"]): row["identity"] for row in rows}


def _series(connection: Connection, names: Sequence[str]) -> list[WatchedSeries]:
    statement = select(_s.signal, _s.labels, _s.state).where(_s.detector == PRESENCE)
    found = []
    for signal, labels, state in connection.execute(statement):
        identity = identity_of(dict(labels), names)
        if identity and "first" in state:
            gone = from_ms(state["missing"]) if "missing" in state else None
            found.append(WatchedSeries(signal=signal, identity=identity, first=from_ms(state["first"]), gone=gone))
    return found
