"""${message}."""

import sqlalchemy as sa
from alembic import op

from driftband.store.columns import Json, Moment, Words

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    ${upgrades if upgrades else "pass"}
