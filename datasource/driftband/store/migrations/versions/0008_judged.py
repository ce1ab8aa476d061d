"""How many series of a signal had a band: what has none cannot be told to be calm."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("watch_progress", sa.Column("judged", sa.Integer(), nullable=False, server_default="0"))
