"""Alembic's entry: the connection is handed over by :func:`driftband.store.database.migrate`."""

from alembic import context

from driftband.store import tables_incidents, tables_watching  # noqa: F401 - they add themselves to the metadata
from driftband.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
