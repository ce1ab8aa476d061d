"""Incidents: their findings, timelines and versions; notifications; alerts that came in."""

import sqlalchemy as sa
from alembic import op

from driftband.store.columns import Json, Moment, Words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alert_bodies",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", Words(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key", name=op.f("uq_alert_bodies_key")),
    )
    op.create_index("ix_alert_bodies_waiting", "alert_bodies", ["done_at", "id"], unique=False)
    op.create_table(
        "alerts_seen",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("meaning", sa.String(length=24), nullable=False),
        sa.Column("finding", sa.String(length=40), nullable=True),
        sa.Column("fingerprint", Words(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_alerts_seen_fingerprint"), "alerts_seen", ["fingerprint"], unique=False)
    op.create_index(op.f("ix_alerts_seen_received_at"), "alerts_seen", ["received_at"], unique=False)
    op.create_table(
        "destination_pauses",
        sa.Column("destination", Words(), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("destination"),
    )
    op.create_table(
        "incident_entries",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("incident", sa.String(length=80), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("what", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_incident_entries_incident_id"), "incident_entries", ["incident", "id"], unique=False)
    op.create_table(
        "incident_findings",
        sa.Column("incident", sa.String(length=80), nullable=False),
        sa.Column("finding", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "finding"),
    )
    op.create_index(op.f("ix_incident_findings_finding"), "incident_findings", ["finding"], unique=False)
    op.create_table(
        "incident_progress",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("last_transition", sa.BigInteger(), nullable=False),
        sa.Column("last_change_at", Moment(), nullable=False),
        sa.Column("decided_until", Moment(), nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "incident_versions",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("incident", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("title", Words(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("suspect", Words(), nullable=False),
        sa.Column("suspect_commit", Words(), nullable=False),
        sa.Column("suspect_score", sa.Float(), nullable=True),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("valid_to", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_incident_versions_incident_id"), "incident_versions", ["incident", "id"], unique=False)
    op.create_index("ix_incident_versions_valid", "incident_versions", ["valid_to", "valid_from"], unique=False)
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("title", Words(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("acknowledged_at", Moment(), nullable=True),
        sa.Column("acknowledged_by", Words(), nullable=True),
        sa.Column("resolved_at", Moment(), nullable=True),
        sa.Column("calm_since", Moment(), nullable=True),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("owner", Words(), nullable=True),
        sa.Column("root", sa.String(length=40), nullable=True),
        sa.Column("suspects", Json(), nullable=False),
        sa.Column("merged_into", sa.String(length=80), nullable=True),
        sa.Column("context", Json(), nullable=False),
        sa.Column("announced", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incidents_listing", "incidents", ["opened_at", "id"], unique=False)
    op.create_index("ix_incidents_resolved", "incidents", ["resolved_at"], unique=False)
    op.create_index("ix_incidents_state", "incidents", ["state", "opened_at", "id"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("id", Words(), nullable=False),
        sa.Column("destination", Words(), nullable=False),
        sa.Column("incident_id", sa.String(length=80), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("deed", sa.String(length=16), nullable=False),
        sa.Column("incident", Json(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("error", Words(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "incident_id", "destination", "sequence", name=op.f("uq_notifications_incident_id_destination_sequence")
        ),
    )
    op.create_index("ix_notifications_listing", "notifications", ["made_at", "id"], unique=False)
    op.create_index("ix_notifications_state", "notifications", ["state", "destination", "next_at"], unique=False)
    op.create_index(
        "ix_notifications_turn", "notifications", ["incident_id", "destination", "state", "sequence"], unique=False
    )
    op.create_index(op.f("ix_changes_updated_at"), "changes", ["updated_at"], unique=False)
    op.execute(
        "insert into incident_progress (name, revision, last_transition, last_change_at, decided_until, next_at)"
        " values ('incidents', 0, 0, 0, 0, 0)"
    )
