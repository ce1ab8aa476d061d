"""The tables of incidents, of what is owed to whom, and of alerts that came in."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Table, UniqueConstraint

from driftband.store.columns import Json, Moment, Word, Words
from driftband.store.tables import metadata

_Number = BigInteger().with_variant(Integer, "sqlite")

incidents = Table(
    "incidents",
    metadata,
    Column("id", Word(80), primary_key=True),
    Column("title", Words, nullable=False),
    Column("state", Word(16), nullable=False),
    Column("severity", Word(16), nullable=False),
    Column("verdict", Word(16), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", Words),
    Column("resolved_at", Moment),
    Column("calm_since", Moment),
    Column("identity", Json, nullable=False),
    Column("owner", Words),
    Column("root", Word(40)),
    Column("suspects", Json, nullable=False),
    Column("merged_into", Word(80)),
    Column("context", Json, nullable=False),
    Column("announced", Json, nullable=False),
    Index("ix_incidents_listing", "opened_at", "id"),
    Index("ix_incidents_state", "state", "opened_at", "id"),
    Index("ix_incidents_resolved", "resolved_at"),
)
"""announced: the labels of driftband_incident, as they were when it was first announced."""

incident_findings = Table(
    "incident_findings",
    metadata,
    Column("incident", Word(80), primary_key=True),
    Column("finding", Word(40), primary_key=True),
    Column("position", Integer, nullable=False),
    Index(None, "finding"),
)

incident_entries = Table(
    "incident_entries",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("incident", Word(80), nullable=False),
    Column("at", Moment, nullable=False),
    Column("what", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Index(None, "incident", "id"),
)
"""The timelines; rows are only ever added."""

incident_versions = Table(
    "incident_versions",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("incident", Word(80), nullable=False),
    Column("state", Word(16), nullable=False),
    Column("findings", Integer, nullable=False),
    Column("title", Words, nullable=False),
    Column("severity", Word(16), nullable=False),
    Column("verdict", Word(16), nullable=False),
    Column("identity", Json, nullable=False),
    Column("suspect", Words, nullable=False),
    Column("suspect_commit", Words, nullable=False),
    Column("suspect_score", Float),
    Column("valid_from", Moment, nullable=False),
    Column("valid_to", Moment),
    Index(None, "incident", "id"),
    Index("ix_incident_versions_valid", "valid_to", "valid_from"),
)
"""A row a version of an incident, in force on [valid_from, valid_to)."""

incident_progress = Table(
    "incident_progress",
    metadata,
    Column("name", Word(16), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("last_transition", BigInteger, nullable=False),
    Column("last_change_at", Moment, nullable=False),
    Column("decided_until", Moment, nullable=False),
    Column("next_at", Moment, nullable=False),
)
"""One row. revision: of all incidents; who writes on an older one than it read has to think again.

decided_until: the last instant that was decided at. next_at: when time alone makes a look due.
"""

notifications = Table(
    "notifications",
    metadata,
    Column("id", Words, primary_key=True),
    Column("destination", Words, nullable=False),
    Column("incident_id", Word(80), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("deed", Word(16), nullable=False),
    Column("incident", Json, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("state", Word(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("error", Words),
    UniqueConstraint("incident_id", "destination", "sequence"),
    Index("ix_notifications_state", "state", "destination", "next_at"),
    Index("ix_notifications_listing", "made_at", "id"),
    Index("ix_notifications_turn", "incident_id", "destination", "state", "sequence"),
)

destination_pauses = Table(
    "destination_pauses",
    metadata,
    Column("destination", Words, primary_key=True),
    Column("until", Moment, nullable=False),
)

pagerduty_events = Table(
    "pagerduty_events",
    metadata,
    Column("key", Word(40), primary_key=True),
    Column("incident", Word(80), nullable=False),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Index(None, "incident"),
    Index(None, "received_at"),
)
"""Events of PagerDuty's webhook that were taken. key: a digest of the event's id, by which a repeat is known."""

alert_bodies = Table(
    "alert_bodies",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("key", Word(40), nullable=False),
    Column("source", Word(16), nullable=False),
    Column("body", LargeBinary),
    Column("received_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("error", Words),
    UniqueConstraint("key"),
    Index("ix_alert_bodies_waiting", "done_at", "id"),
)
"""The queue of webhooks that were answered and not worked off. key: a digest, by which a repeat is known."""

alerts_seen = Table(
    "alerts_seen",
    metadata,
    Column("key", Word(40), primary_key=True),
    Column("source", Word(16), nullable=False),
    Column("name", Words, nullable=False),
    Column("status", Word(16), nullable=False),
    Column("meaning", Word(24), nullable=False),
    Column("finding", Word(40)),
    Column("fingerprint", Words, nullable=False),
    Column("received_at", Moment, nullable=False),
    Index(None, "fingerprint"),
    Index(None, "received_at"),
)
"""What each alert was taken for. key: a digest of fingerprint, start and status."""
