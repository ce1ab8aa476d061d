"""Opening the store: SQLite in WAL mode by default, PostgreSQL by URL, migrated at start."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from driftband.model.refusal import UnavailableError

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6472696674  # "drift": instances that start together migrate one after the other
_WRITERS = _LOCK + 1
_BUSY_MS = 20_000


class StoreError(Exception):
    """The store cannot be used; the text says why, without the password that its URL may hold."""


class Database:
    """The connections. Whoever reads sees one state of things. Both raise UnavailableError where the store does not answer."""

    def __init__(self, url: str) -> None:
        """Open and migrate. Raises StoreError."""
        try:
            self.engine = _engine(url)
            self._reading = self.engine
            if not self.is_sqlite:
                self._reading = self.engine.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            migrate(self.engine)
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise StoreError(f"the store cannot be opened: {_plainly(error)}; see store in the configuration") from None

    @property
    def is_sqlite(self) -> bool:
        """Whether one file is all there is."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self, *, beside: bool = False) -> Iterator[Connection]:
        """Give a transaction: all of it is kept, or nothing, and no other writer is at it meanwhile.

        beside: other writers that say so too may be; then what is changed has to be locked, such as a workspace.
        """
        with _available(), self.engine.connect() as connection:
            if self.is_sqlite:
                # Taken at once: a reader that becomes a writer later is refused instead of waiting.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                with _committed(connection):
                    yield connection
                return
            with connection.begin():
                lock = "pg_advisory_xact_lock_shared" if beside else "pg_advisory_xact_lock"
                connection.execute(text(f"select {lock}(:key)"), {"key": _WRITERS})
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection to read from."""
        with _available(), self._reading.connect() as connection:
            if not self.is_sqlite:
                yield connection
                return
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")

    def check(self) -> None:
        """Raise StoreError where the store does not answer."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("select 1"))
        except SQLAlchemyError as error:
            raise StoreError(_plainly(error)) from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise UnavailableError(f"the store does not answer, or is busy ({type(error).__name__})") from error


@contextmanager
def _committed(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            "the store's URL cannot be read; expected sqlite:///FILE or postgresql+psycopg://..."
        ) from None
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        parsed, isolation_level="AUTOCOMMIT", connect_args={"timeout": _BUSY_MS / 1000}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={_BUSY_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def migrate(engine: Engine) -> None:
    """Bring the tables to what this version wants."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            with _committed(connection):
                command.upgrade(config, "head")
        else:
            with connection.begin():
                connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                command.upgrade(config, "head")


def _plainly(error: BaseException) -> str:
    """Return what a driver says, without SQL, parameters and the address that it repeats."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).splitlines()[0][:200] if str(cause) else 'no reason given'}"
