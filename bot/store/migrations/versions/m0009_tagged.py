"""Labels: their index holds them and the case's id, so that it answers alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_escalation_tagged", "escalation")
    op.create_index(
        "ix_escalation_tagged",
        "escalation",
        ["tags", "id"],
        unique=False,
        sqlite_where=sa.text("tags <> '[]'"),
        postgresql_where=sa.text("tags <> '[]'"),
    )
