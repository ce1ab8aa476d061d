"""What a store holds, in an order of its own, to be compared: without what only tells when it arrived."""

from typing import Any

from sqlalchemy import create_engine, select

from driftband.store.tables import metadata

_ARRIVAL = {"reported_at", "received_at", "updated_at"}
_COUNTED = {"transitions", "resources"}
_OF_ITS_OWN_TIME = ("incident", "notification", "alert", "destination", "lease")
"""Tables in which it stands when something was looked at."""


def content(store: str) -> dict[str, list[str]]:
    """Return the rows of each table as texts."""
    engine = create_engine(store)
    with engine.connect() as connection:
        found = {
            table.name: sorted(
                repr(sorted(_told(table.name, dict(row)).items()))
                for row in connection.execute(select(table)).mappings()
            )
            for table in metadata.sorted_tables
            if not table.name.startswith(_OF_ITS_OWN_TIME)
        }
    engine.dispose()
    return found


def _told(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in _ARRIVAL and not (k == "id" and table in _COUNTED)}


def contradictions(store: str) -> list[str]:
    """Return the findings whose last step, or whose place in an interval, is not what they are."""
    engine = create_engine(store)
    t, f = metadata.tables["transitions"], metadata.tables["findings"]
    with engine.connect() as connection:
        last = {row.finding: row for row in connection.execute(select(t).order_by(t.c.id))}
        rows = list(connection.execute(select(f)).mappings())
    engine.dispose()
    return [
        f"{row['id']} is {row['state']} {row['class']} {row['closed_at']}, and was last {last[row['id']].state}"
        for row in rows
        if (last[row["id"]].state, last[row["id"]]._mapping["class"]) != (row["state"], row["class"])
        or (row["state"] == "closed") != (row["closed_at"] is not None)
    ]
