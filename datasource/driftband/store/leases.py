"""Leases: one instance at a time does what must not be done twice."""

from datetime import datetime, timedelta

from sqlalchemy import select

from driftband.store.database import Database
from driftband.store.rows import insert_new
from driftband.store.tables_watching import leases


def hold(database: Database, name: str, holder: str, now: datetime, length: timedelta) -> bool:
    """Take a lease until ``now`` + ``length``; False while it is held, by oneself too: it says when the next is due."""
    with database.write(beside=True) as connection:
        insert_new(connection, leases, [{"name": name, "holder": "", "until": now}])
        statement = select(leases.c.until).where(leases.c.name == name).with_for_update()
        if connection.execute(statement).scalar_one() > now:
            return False
        connection.execute(leases.update().where(leases.c.name == name).values(holder=holder, until=now + length))
        return True


def keep(database: Database, name: str, holder: str, now: datetime, length: timedelta) -> bool:
    """Take a lease that is free, or go on with one's own, until ``now`` + ``length``; False while another holds it."""
    with database.write() as connection:
        insert_new(connection, leases, [{"name": name, "holder": "", "until": now}])
        statement = select(leases.c.holder, leases.c.until).where(leases.c.name == name).with_for_update()
        held = connection.execute(statement).one()
        if held.holder != holder and held.until > now:
            return False
        connection.execute(leases.update().where(leases.c.name == name).values(holder=holder, until=now + length))
        return True


def hold_until(database: Database, name: str, holder: str, until: datetime) -> None:
    """Change the end of a lease that is one's own."""
    with database.write(beside=True) as connection:
        mine = (leases.c.name == name, leases.c.holder == holder)
        connection.execute(leases.update().where(*mine).values(until=until))
