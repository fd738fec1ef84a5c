"""Staff: accounts of those who read and answer for cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "staff",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("totp_sealed", sa.Text(), nullable=True),
        sa.Column("oidc_subject", sa.String(length=200), nullable=True),
        sa.Column("telegram_id", sa.String(length=20), nullable=True),
        sa.Column("duty_order", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Utc(), nullable=True),
        sa.Column("totp_last", sa.Integer(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("oidc_subject", name="uq_staff_oidc_subject"),
        sa.UniqueConstraint("telegram_id", name="uq_staff_telegram_id"),
    )
