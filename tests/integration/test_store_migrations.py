"""What the migrations make is what the tables are described as, on both stores; and it is made once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from driftband.store.database import Database, migrate
from driftband.store.tables import metadata


def test_migrated_tables_are_the_described_ones(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            described = {index.name: [column.name for column in index.columns] for index in table.indexes}
            unique = {u["name"] for u in found.get_unique_constraints(table.name)}
            made = {i["name"]: i["column_names"] for i in found.get_indexes(table.name) if i["name"] not in unique}
            assert made == described, table.name
            nullable = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
            assert nullable == {column.name: column.nullable for column in table.columns}


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = inspect(database.engine).get_table_names()
    migrate(database.engine)
    assert inspect(database.engine).get_table_names() == before


def test_instances_that_start_together_migrate_once(tmp_path, request: pytest.FixtureRequest) -> None:
    for url in (f"sqlite:///{tmp_path}/new.db", request.getfixturevalue("postgres").new_database()):
        with ThreadPoolExecutor(4) as pool:
            for opened in pool.map(Database, [url] * 4):
                opened.check()
                opened.close()
