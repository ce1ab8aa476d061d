"""The watcher: how far it is with each signal, and what its detectors remember."""

import sqlalchemy as sa
from alembic import op

from driftband.store.columns import Json, Moment, Words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "watch_progress",
        sa.Column("signal", Words(), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("evaluated_until", Moment(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("signal"),
    )
    op.create_table(
        "signal_states",
        sa.Column("signal", Words(), nullable=False),
        sa.Column("detector", sa.String(length=40), nullable=False),
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("labels", Json(), nullable=False),
        sa.Column("state", Json(), nullable=False),
        sa.PrimaryKeyConstraint("signal", "detector", "series"),
    )
    op.create_index("ix_findings_signal_state", "findings", ["signal", "state"], unique=False)
