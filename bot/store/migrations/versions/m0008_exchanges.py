"""Exchanges: what was said around the messages that raised a case, and what the bot answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "exchange",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=False),
        sa.Column("entry_key", sa.String(length=40), nullable=False),
        sa.Column("update_id", sa.String(length=80), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("delivery_status", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name="fk_exchange_escalation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exchange"),
        sa.UniqueConstraint("entry_key", name="uq_exchange_entry_key"),
    )
    op.create_index("ix_exchange_escalation_id", "exchange", ["escalation_id"], unique=False)
    op.create_index("ix_exchange_created_at", "exchange", ["created_at"], unique=False)
