"""Who does what, and how far the watcher has come."""

from sqlalchemy import Column, Integer, Table

from driftband.store.columns import Json, Moment, Word, Words
from driftband.store.tables import metadata

leases = Table(
    "leases",
    metadata,
    Column("name", Word(80), primary_key=True),
    Column("holder", Word(80), nullable=False),
    Column("until", Moment, nullable=False),
)

watch_progress = Table(
    "watch_progress",
    metadata,
    Column("signal", Words, primary_key=True),
    Column("rule", Word(40), nullable=False),
    Column("evaluated_until", Moment, nullable=False),
    Column("series", Integer, nullable=False),
    Column("judged", Integer, nullable=False, server_default="0"),
)
"""rule: a digest of what is watched. evaluated_until: the last instant that is done. series: how many were there then.

judged: how many of these could be told from what was expected.
"""

signal_states = Table(
    "signal_states",
    metadata,
    Column("signal", Words, primary_key=True),
    Column("detector", Word(40), primary_key=True),
    Column("series", Word(40), primary_key=True),
    Column("labels", Json, nullable=False),
    Column("state", Json, nullable=False),
)
"""What detectors remember of series that are not idle. series: a digest of the labels."""
