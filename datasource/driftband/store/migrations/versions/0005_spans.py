"""Find what was there long ago by how long it was there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_HOUR = 3_600_000
_AT_MOST = (1, 8, 64, 512, 4096)


def upgrade() -> None:
    """Add and fill the columns, and put their indexes in the place of those on the end."""
    for name, began, ended in (("findings", "opened_at", "closed_at"), ("changes", "started_at", "ended_at")):
        op.add_column(name, sa.Column("span", sa.Integer(), nullable=True))
        table = sa.table(name, *(sa.column(column, sa.BigInteger()) for column in (began, ended, "span")))
        lasted = table.c[ended] - table.c[began]
        spans = [(lasted <= hours * _HOUR, span) for span, hours in enumerate(_AT_MOST)]
        op.execute(
            sa.update(table).where(table.c[ended].is_not(None)).values(span=sa.case(*spans, else_=len(_AT_MOST)))
        )
    op.create_index("ix_findings_span", "findings", ["span", "opened_at", "id"])
    op.create_index("ix_findings_workspace_span", "findings", ["workspace", "span", "opened_at", "id"])
    op.create_index("ix_changes_span", "changes", ["span", "started_at"])
    op.drop_index("ix_findings_workspace_closed", "findings")
