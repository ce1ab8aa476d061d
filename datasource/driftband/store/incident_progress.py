"""What has been looked at already, and whose turn it is to write incidents."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from driftband.model.moment import from_ms
from driftband.store.tables import changes, transitions
from driftband.store.tables_incidents import incident_progress

_p = incident_progress.c


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far incidents have come. revision: of all of them. next_at: when time alone makes a look due.

    decided_until: the last instant that was decided at.
    """

    revision: int
    last_transition: int
    last_change_at: datetime
    decided_until: datetime
    next_at: datetime


def progress(connection: Connection) -> Progress:
    """Return how far incidents have come."""
    row = connection.execute(select(incident_progress)).mappings().one()
    return Progress(
        revision=row["revision"],
        last_transition=row["last_transition"],
        last_change_at=row["last_change_at"],
        decided_until=row["decided_until"],
        next_at=row["next_at"],
    )


def marks(connection: Connection) -> tuple[int, datetime]:
    """Return what moves when findings do, and when changes do.

    Of transactions that end in another order than they began the mark tells nothing: a look from time to time does.
    """
    transition = connection.execute(select(func.max(transitions.c.id))).scalar()
    change = connection.execute(select(func.max(changes.c.updated_at))).scalar()
    return transition or 0, change or from_ms(0)


def claim(connection: Connection, revision: int) -> bool:
    """Begin to write on what was read at ``revision``; False where somebody has written since. Others wait until the end."""
    statement = update(incident_progress).where(_p.revision == revision).values(revision=revision + 1)
    return connection.execute(statement).rowcount == 1


def claim_any(connection: Connection) -> None:
    """Begin to write; what is read from here on stays as it is until the end."""
    connection.execute(update(incident_progress).values(revision=_p.revision + 1))


def note(connection: Connection, seen: tuple[int, datetime], decided_until: datetime, next_at: datetime) -> None:
    """Note what has been looked at."""
    values = {
        "last_transition": seen[0],
        "last_change_at": seen[1],
        "decided_until": decided_until,
        "next_at": next_at,
    }
    connection.execute(update(incident_progress).values(values))
