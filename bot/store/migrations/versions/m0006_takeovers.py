"""Takeovers: who of the staff is in which conversation, and what was written in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "takeover",
        sa.Column("subject_key", sa.String(length=40), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=False),
        sa.Column("staff_id", sa.String(length=80), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name="fk_takeover_escalation_id"
        ),
        sa.PrimaryKeyConstraint("subject_key", name="pk_takeover"),
    )
    op.create_index("ix_takeover_escalation_id", "takeover", ["escalation_id"], unique=False)
    op.create_table(
        "talk",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=False),
        sa.Column("subject_key", sa.String(length=40), nullable=False),
        sa.Column("entry_key", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("delivery_status", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalation.id"], name="fk_talk_escalation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_talk"),
        sa.UniqueConstraint("entry_key", name="uq_talk_entry_key"),
    )
    op.create_index("ix_talk_escalation_id", "talk", ["escalation_id"], unique=False)
    op.create_index("ix_talk_created_at", "talk", ["created_at"], unique=False)
    op.create_index(
        "ix_talk_waiting",
        "talk",
        ["subject_key", "place"],
        unique=False,
        sqlite_where=sa.text("delivery_status IS NULL"),
        postgresql_where=sa.text("delivery_status IS NULL"),
    )
