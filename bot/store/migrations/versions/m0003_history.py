"""The history: a chain of events that is only added to, held by triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("kept_from", sa.Integer(), nullable=False),
        sa.Column("kept_hash", sa.String(length=64), nullable=False),
        sa.Column("canary", sa.Text(), nullable=False),
        sa.Column("subject_canary", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
    )
    op.create_table(
        "event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("prev_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_event"),
    )
    op.create_index("ix_event_escalation_id", "event", ["escalation_id"], unique=False)
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


# What retention may take away lies before `head.kept_from`; nothing else goes or changes.
TRIGGERS = {
    "sqlite": (
        """
        CREATE TRIGGER event_never_changes BEFORE UPDATE ON event
        BEGIN SELECT RAISE(ABORT, 'history is only added to'); END
        """,
        """
        CREATE TRIGGER event_never_goes BEFORE DELETE ON event
        WHEN OLD.seq >= COALESCE((SELECT kept_from FROM head), 0)
        BEGIN SELECT RAISE(ABORT, 'history is only added to'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION event_only_grows() RETURNS trigger AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.seq < COALESCE((SELECT kept_from FROM head), 0) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION 'history is only added to';
        END
        $$ LANGUAGE plpgsql
        """,
        """
        CREATE TRIGGER event_never_changes BEFORE UPDATE OR DELETE ON event
        FOR EACH ROW EXECUTE FUNCTION event_only_grows()
        """,
        """
        CREATE TRIGGER event_never_emptied BEFORE TRUNCATE ON event
        FOR EACH STATEMENT EXECUTE FUNCTION event_only_grows()
        """,
    ),
}
