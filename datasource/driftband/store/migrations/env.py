"""Alembic's entry: the connection is handed over by :func:`driftband.store.database.migrate`."""

from alembic import context

from driftband.store.tables_incidents import incidents

context.configure(
    connection=context.config.attributes["connection"], target_metadata=incidents.metadata, transactional_ddl=False
)
context.run_migrations()
