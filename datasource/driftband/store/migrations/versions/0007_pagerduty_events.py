"""Which events of PagerDuty's webhook were taken."""

import sqlalchemy as sa
from alembic import op

from driftband.store.columns import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pagerduty_events",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("incident", sa.String(length=80), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_pagerduty_events_incident"), "pagerduty_events", ["incident"], unique=False)
    op.create_index(op.f("ix_pagerduty_events_received_at"), "pagerduty_events", ["received_at"], unique=False)
