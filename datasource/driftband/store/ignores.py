"""Ignore rules: data, never edits of HCL."""

from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from driftband.model.ignore import Ignore
from driftband.store.rows import of_ignore, to_ignore
from driftband.store.tables import ignores

_c = ignores.c


def in_force(connection: Connection) -> list[Ignore]:
    """Return the rules that nobody has taken back, also expired ones: whether they hold depends on the instant."""
    rows = connection.execute(select(ignores).where(_c.deleted_at.is_(None)).order_by(_c.created_at, _c.id)).mappings()
    return [to_ignore(row) for row in rows]


def one(connection: Connection, rule_id: str) -> Ignore | None:
    """Return a rule, or None."""
    row = connection.execute(select(ignores).where(_c.id == rule_id, _c.deleted_at.is_(None))).mappings().first()
    return None if row is None else to_ignore(row)


def add(connection: Connection, rule: Ignore) -> None:
    """Write a new rule."""
    connection.execute(insert(ignores), [{**of_ignore(rule), "deleted_at": None}])


def remove(connection: Connection, rule_id: str, at: datetime) -> bool:
    """Take a rule back; False where there is none."""
    gone = update(ignores).where(_c.id == rule_id, _c.deleted_at.is_(None)).values(deleted_at=at)
    return connection.execute(gone).rowcount > 0


def expired(connection: Connection, now: datetime) -> list[Ignore]:
    """Return the rules that no longer hold."""
    statement = select(ignores).where(or_(_c.deleted_at.is_not(None), _c.expires_at <= now))
    return [to_ignore(row) for row in connection.execute(statement).mappings()]
