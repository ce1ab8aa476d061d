"""The ledger: workspaces, runs, findings, resources, changes, ignore rules and audit events."""

import sqlalchemy as sa
from alembic import op

from driftband.store.columns import Json, Moment, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "applied_identities",
        sa.Column("change", Words(), nullable=False),
        sa.Column("identity_key", sa.String(length=40), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("commit", Words(), nullable=False),
        sa.Column("module_version", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("change", "identity_key"),
    )
    op.create_index(op.f("ix_applied_identities_at"), "applied_identities", ["at"], unique=False)
    op.create_index(
        op.f("ix_applied_identities_identity_key_at"), "applied_identities", ["identity_key", "at"], unique=False
    )
    op.create_table(
        "audit_events",
        sa.Column("id", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("action", Words(), nullable=False),
        sa.Column("source", Words(), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("resources", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"], unique=False)
    op.create_table(
        "audit_resources",
        sa.Column("event", Words(), nullable=False),
        sa.Column("resource", Words(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.UniqueConstraint("resource", "at", "event", name=op.f("uq_audit_resources_resource_at_event")),
    )
    op.create_index(op.f("ix_audit_resources_event"), "audit_resources", ["event"], unique=False)
    op.create_index(op.f("ix_audit_resources_at"), "audit_resources", ["at"], unique=False)
    op.create_table(
        "changes",
        sa.Column("id", Words(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("commit", Words(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("summary", Words(), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("resources", Json(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.Column("annotation", sa.BigInteger(), nullable=True),
        sa.Column("annotated_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_changes_annotated", "changes", ["annotated_at", "updated_at"], unique=False)
    op.create_index("ix_changes_commit", "changes", ["commit", "started_at", "id"], unique=False)
    op.create_index("ix_changes_kind", "changes", ["kind", "started_at", "id"], unique=False)
    op.create_index("ix_changes_status", "changes", ["status", "started_at", "id"], unique=False)
    op.create_index(op.f("ix_changes_ended_at_started_at"), "changes", ["ended_at", "started_at"], unique=False)
    op.create_index(op.f("ix_changes_started_at_id"), "changes", ["started_at", "id"], unique=False)
    op.create_index("ix_changes_workspace", "changes", ["workspace", "started_at"], unique=False)
    op.create_index("ix_changes_workspace_ended", "changes", ["workspace", "ended_at", "started_at"], unique=False)
    op.create_table(
        "findings",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("class", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("address", Words(), nullable=False),
        sa.Column("resource_type", Words(), nullable=False),
        sa.Column("module", Words(), nullable=False),
        sa.Column("signal", Words(), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("window_from", Moment(), nullable=True),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("attributes", Json(), nullable=False),
        sa.Column("actor", Words(), nullable=True),
        sa.Column("evidence", Json(), nullable=False),
        sa.Column("reopens", sa.String(length=40), nullable=True),
        sa.Column("ignored_by", Words(), nullable=True),
        sa.Column("accepted_until", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_findings_closed", "findings", ["closed_at", "opened_at"], unique=False)
    op.create_index("ix_findings_address", "findings", ["address", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_kind", "findings", ["kind", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_class", "findings", ["class", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_severity", "findings", ["severity", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_signal", "findings", ["signal", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_listing", "findings", ["opened_at", "id"], unique=False)
    op.create_index("ix_findings_state", "findings", ["state", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_subject", "findings", ["workspace", "address", "kind", "closed_at"], unique=False)
    op.create_index("ix_findings_workspace", "findings", ["workspace", "state", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_workspace_all", "findings", ["workspace", "opened_at", "id"], unique=False)
    op.create_index("ix_findings_workspace_closed", "findings", ["workspace", "closed_at", "opened_at"], unique=False)
    op.create_table(
        "ignores",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("address", Words(), nullable=False),
        sa.Column("resource_type", Words(), nullable=False),
        sa.Column("attribute", Words(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("owner", Words(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_ignores_deleted_at"), "ignores", ["deleted_at"], unique=False)
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "resources",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("address", Words(), nullable=False),
        sa.Column("type", Words(), nullable=False),
        sa.Column("module", Words(), nullable=False),
        sa.Column("module_version", Words(), nullable=False),
        sa.Column("provider", Words(), nullable=False),
        sa.Column("commit", Words(), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.Column("tags", Json(), nullable=False),
        sa.Column("attributes", Json(), nullable=False),
        sa.Column("digest", sa.String(length=40), nullable=False),
        sa.Column("valid_from", Moment(), nullable=False),
        sa.Column("valid_to", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_resources_current", "resources", ["workspace", "valid_to", "address"], unique=False)
    op.create_index("ix_resources_valid", "resources", ["valid_to", "valid_from"], unique=False)
    op.create_table(
        "runs",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("tool", sa.String(length=16), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("reported_at", Moment(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("lineage", Words(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=True),
        sa.Column("commit", Words(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("still_open", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("renamed", Json(), nullable=False),
        sa.Column("errors", Json(), nullable=False),
        sa.Column("bodies", Json(), nullable=False),
        sa.Column("observed", Json(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    op.create_index(op.f("ix_runs_at_workspace_id"), "runs", ["at", "workspace", "id"], unique=False)
    op.create_index(op.f("ix_runs_workspace_at_id"), "runs", ["workspace", "at", "id"], unique=False)
    op.create_table(
        "transitions",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("finding", sa.String(length=40), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("class", sa.String(length=24), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("run", Words(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_transitions_finding_at_id"), "transitions", ["finding", "at", "id"], unique=False)
    op.create_table(
        "workspaces",
        sa.Column("name", Words(), nullable=False),
        sa.Column("lineage", Words(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=True),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("last_complete_at", Moment(), nullable=True),
        sa.Column("last_complete_run", Words(), nullable=True),
        sa.Column("planned_serial", sa.BigInteger(), nullable=True),
        sa.Column("planned", Json(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
