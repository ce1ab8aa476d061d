"""Keep where a finding opened whose resource has moved since."""

import sqlalchemy as sa
from alembic import op

from driftband.store.columns import Words

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and an index of the few that have it."""
    op.add_column("findings", sa.Column("renamed_from", Words(), nullable=True))
    moved = sa.text("renamed_from is not null")
    op.create_index(
        "ix_findings_renamed",
        "findings",
        ["renamed_from", "closed_at", "opened_at"],
        sqlite_where=moved,
        postgresql_where=moved,
    )
