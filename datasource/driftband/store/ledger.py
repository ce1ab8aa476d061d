"""The ledger: what a report does to it, in one transaction, so that a kill at any point leaves nothing half-written."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson
from sqlalchemy import Connection, select

from driftband.model.refusal import ConflictError
from driftband.model.report import Report
from driftband.model.run import About, Run, Taken
from driftband.store import findings
from driftband.store.database import Database
from driftband.store.inventory import Identities
from driftband.store.rows import of_run, to_run, upsert
from driftband.store.tables import runs
from driftband.store.taking import Taking
from driftband.store.workspaces import lock_workspace


@dataclass(frozen=True)
class _Bodies:
    """The bodies of a run so far, by source, and the run that they made."""

    digests: dict[str, str] = field(default_factory=dict)
    run: Run | None = None
    observed: tuple[str, ...] = ()


def digest_of(workspace: str, report: Report) -> str:
    """Return the digest of a workspace and what its report says once redacted."""
    content = orjson.dumps([workspace, report], option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def take_report(database: Database, report: Report, about: About, identities: Identities, now: datetime) -> Taken:
    """Write a report into the ledger.

    Raises:
        ConflictError: if the run's key is taken by another body of the same kind.
    """
    digest = digest_of(about.workspace, report)
    about = replace(about, run=about.run or digest)
    with database.write(beside=True) as connection:
        known = lock_workspace(connection, about.workspace)
        bodies = _bodies(connection, about)
        if bodies.digests.get(report.source) == digest and bodies.run is not None:
            return Taken(run=bodies.run, findings=tuple(findings.by_ids(connection, bodies.observed)), known=True)
        if report.source in bodies.digests:
            raise ConflictError(
                f"run {about.run} of {about.workspace} has another {report.source} already; give each run a key of its own"
            )
        digests = {**bodies.digests, report.source: digest}
        if bodies.run is not None and report.source == "stream":
            return _add_stream(connection, report, bodies, digests)
        return Taking(connection, report, about, identities, now, known, bodies.run).take(digests)


def _add_stream(connection: Connection, report: Report, bodies: _Bodies, digests: dict[str, str]) -> Taken:
    """Put a stream beside its plan, which has said more already."""
    assert bodies.run is not None  # noqa: S101 - for the type checker
    run = replace(bodies.run, errors=tuple(dict.fromkeys((*bodies.run.errors, *report.errors))))
    upsert(connection, runs, [of_run(run, digests, bodies.observed)])
    return Taken(run=run, findings=tuple(findings.by_ids(connection, bodies.observed)))


def _bodies(connection: Connection, about: About) -> _Bodies:
    statement = select(runs).where(runs.c.workspace == about.workspace, runs.c.id == about.run)
    row = connection.execute(statement).mappings().first()
    return _Bodies() if row is None else _Bodies(row["bodies"], to_run(row), tuple(row["observed"]))
