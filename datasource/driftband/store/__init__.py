"""What is kept: SQLAlchemy tables, Alembic migrations and named queries, on SQLite and PostgreSQL."""
