"""Keep what a finding is without the rule that ignores it, and how many findings a run found accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("findings", sa.Column("unless_ignored", sa.String(length=24), nullable=True))
    op.add_column("runs", sa.Column("accepted", sa.Integer(), nullable=False, server_default=sa.text("0")))
