"""Checks of the store: that it can be opened, and which resources in it say not whose they are. It is read only."""

from collections import defaultdict
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from driftband.config import Config
from driftband.doctor.finding import Finding
from driftband.store.tables import resources

_EXAMPLES = 3


def checks(config: Config) -> list[Finding]:
    """Return the findings about the store and its inventory."""
    url = config.store.get_secret_value()
    path = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else None
    if path is not None and not path.exists():
        return [_new_file(path)]
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true" if path is not None else url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("resources"):
                return [Finding(name="store", status="ok", message="it is empty: the service makes its tables")]
            return [Finding(name="store", status="ok", message="it answers"), *_untagged(connection, config.identity)]
    except (SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        mend = "check the address and the credentials in store, and that the database is running"
        return [Finding(name="store", status="fail", message=f"it cannot be opened: {cause}".strip(), mend=mend)]
    finally:
        engine.dispose()


def _new_file(path: Path) -> Finding:
    if path.parent.is_dir():
        return Finding(name="store", status="ok", message=f"{path} is made when the service starts")
    mend = "make the folder, or name another file in store"
    return Finding(name="store", status="fail", message=f"{path.parent} is no folder", mend=mend)


def _untagged(connection: Connection, names: tuple[str, ...]) -> list[Finding]:
    """Tell, for each workspace, which resources carry no identity label at all: nothing can join them to telemetry."""
    columns = (resources.c.workspace, resources.c.address, resources.c.identity)
    lacking: dict[str, list[str]] = defaultdict(list)
    count: dict[str, int] = defaultdict(int)
    for row in connection.execute(select(*columns).where(resources.c.valid_to.is_(None))):
        count[row.workspace] += 1
        if not row.identity:
            lacking[row.workspace].append(row.address)
    return [_tags_of(workspace, lacking[workspace], count[workspace], names) for workspace in sorted(count)]


def _tags_of(workspace: str, lacking: list[str], count: int, names: tuple[str, ...]) -> Finding:
    name = f"tags {workspace}"
    if not lacking:
        return Finding(name=name, status="ok", message=f"all {count} resources say whose they are")
    shown = ", ".join(sorted(lacking)[:_EXAMPLES])
    more = f" and {len(lacking) - _EXAMPLES} more" if len(lacking) > _EXAMPLES else ""
    return Finding(
        name=name,
        status="warn",
        message=f"{len(lacking)} of {count} resources have none of {', '.join(names)}: {shown}{more}",
        mend=f"`driftband tags --workspace {workspace}` writes default tags; or give the workspace an identity",
    )
