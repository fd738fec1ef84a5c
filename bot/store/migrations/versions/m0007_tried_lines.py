"""Lines of staff: when a process last tried to deliver one, so that another knows it gave up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.add_column("talk", sa.Column("tried_at", Utc(), nullable=True))
