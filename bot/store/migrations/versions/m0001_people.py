"""People: what the bot remembers of a conversation, and how to reach somebody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "person",
        sa.Column("subject_key", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", name="pk_person"),
    )
    op.create_index("ix_person_updated_at", "person", ["updated_at"], unique=False)
    op.create_table(
        "contact",
        sa.Column("subject_key", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("subject_key", name="pk_contact"),
    )
    op.create_index("ix_contact_updated_at", "contact", ["updated_at"], unique=False)
