"""Escalations: cases, their messages, reviews and notes, and samples to review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    _make_escalation()
    _make_signal()
    _make_signal_rule()
    _make_review_sample()
    _make_review()
    _make_note()


def _make_escalation() -> None:
    op.create_table(
        "escalation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject_key", sa.String(length=40), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("also", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("country_source", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("queue_rank", sa.Integer(), nullable=False),
        sa.Column("assignee", sa.String(length=80), nullable=False),
        sa.Column("acknowledged_at", Utc(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=False),
        sa.Column("acknowledge_due_at", Utc(), nullable=True),
        sa.Column("review_due_at", Utc(), nullable=True),
        sa.Column("first_response_due_at", Utc(), nullable=True),
        sa.Column("return_due_at", Utc(), nullable=True),
        sa.Column("sla_status", sa.String(length=12), nullable=False),
        sa.Column("waiting_since", Utc(), nullable=True),
        sa.Column("listed_at", Utc(), nullable=False),
        sa.Column("first_response_at", Utc(), nullable=True),
        sa.Column("snoozed_at", Utc(), nullable=True),
        sa.Column("snoozed_until", Utc(), nullable=True),
        sa.Column("resolved_at", Utc(), nullable=True),
        sa.Column("resolved_by", sa.String(length=80), nullable=False),
        sa.Column("resolution", sa.String(length=30), nullable=False),
        sa.Column("resolved_unreviewed", sa.Boolean(), nullable=False),
        sa.Column("alert_status", sa.String(length=12), nullable=False),
        sa.Column("alert_since", Utc(), nullable=False),
        sa.Column("review_status", sa.String(length=20), nullable=False),
        sa.Column("review_since", Utc(), nullable=False),
        sa.Column("reviewed_level", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("previous_id", sa.String(length=36), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("top_rule", sa.String(length=80), nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("delivery_failed", sa.Boolean(), nullable=False),
        sa.Column("redacted", sa.Boolean(), nullable=False),
        sa.Column("engine_version", sa.String(length=80), nullable=False),
        sa.Column("content_version", sa.String(length=80), nullable=False),
        sa.Column("dataset_version", sa.String(length=80), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_escalation"),
        sa.UniqueConstraint("number", name="uq_escalation_number"),
    )
    _index_escalation()


def _index_escalation() -> None:
    op.create_index("ix_escalation_created_at", "escalation", ["created_at"], unique=False)
    op.create_index(
        "ix_escalation_counts",
        "escalation",
        ["status", "level"],
        unique=False,
        sqlite_where=sa.text("status <> 'resolved'"),
        postgresql_where=sa.text("status <> 'resolved'"),
    )
    op.create_index(
        "ix_escalation_list", "escalation", ["queue_rank", "listed_at", "number"], unique=False
    )
    op.create_index(
        "ix_escalation_queue",
        "escalation",
        ["queue_rank", "listed_at", "number"],
        unique=False,
        sqlite_where=sa.text("status <> 'resolved'"),
        postgresql_where=sa.text("status <> 'resolved'"),
    )
    op.create_index(
        "ix_escalation_status",
        "escalation",
        ["status", "snoozed_until", "return_due_at"],
        unique=False,
    )
    op.create_index(
        "ix_escalation_subject_key", "escalation", ["subject_key", "number"], unique=False
    )
    op.create_index(
        "uq_escalation_open",
        "escalation",
        ["subject_key"],
        unique=True,
        sqlite_where=sa.text("status <> 'resolved'"),
        postgresql_where=sa.text("status <> 'resolved'"),
    )


def _make_signal() -> None:
    op.create_table(
        "signal",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=False),
        sa.Column("entry_key", sa.String(length=40), nullable=False),
        sa.Column("update_id", sa.String(length=80), nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("redacted_at", Utc(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("near_misses", sa.Text(), nullable=False),
        sa.Column("decision_path", sa.Text(), nullable=False),
        sa.Column("reply_id", sa.String(length=16), nullable=False),
        sa.Column("numbers_shown", sa.Text(), nullable=False),
        sa.Column("delivery_status", sa.String(length=10), nullable=True),
        sa.Column("reply_latency_ms", sa.Integer(), nullable=True),
        sa.Column("engine_version", sa.String(length=80), nullable=False),
        sa.Column("content_version", sa.String(length=80), nullable=False),
        sa.Column("dataset_version", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name="fk_signal_escalation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_signal"),
        sa.UniqueConstraint("entry_key", name="uq_signal_entry_key"),
    )
    op.create_index("ix_signal_escalation_id", "signal", ["escalation_id"], unique=False)
    op.create_index("ix_signal_received_at", "signal", ["received_at"], unique=False)


def _make_signal_rule() -> None:
    op.create_table(
        "signal_rule",
        sa.Column("signal_id", sa.String(length=36), nullable=False),
        sa.Column("rule_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name="fk_signal_rule_escalation_id"
        ),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.id"], name="fk_signal_rule_signal_id"),
        sa.PrimaryKeyConstraint("signal_id", "rule_id", "kind", name="pk_signal_rule"),
    )
    op.create_index("ix_signal_rule_escalation_id", "signal_rule", ["escalation_id"], unique=False)
    op.create_index(
        "ix_signal_rule_rule_id", "signal_rule", ["rule_id", "escalation_id"], unique=False
    )


def _make_review_sample() -> None:
    op.create_table(
        "review_sample",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("entry_key", sa.String(length=40), nullable=False),
        sa.Column("subject_key", sa.String(length=40), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("stratum", sa.String(length=20), nullable=False),
        sa.Column("sampling_weight", sa.Float(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("redacted_at", Utc(), nullable=True),
        sa.Column("review_status", sa.String(length=20), nullable=False),
        sa.Column("reviewed_level", sa.Integer(), nullable=True),
        sa.Column("engine_version", sa.String(length=80), nullable=False),
        sa.Column("content_version", sa.String(length=80), nullable=False),
        sa.Column("dataset_version", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_review_sample"),
        sa.UniqueConstraint("entry_key", name="uq_review_sample_entry_key"),
    )
    op.create_index("ix_review_sample_at", "review_sample", ["at"], unique=False)
    op.create_index("ix_review_sample_subject_key", "review_sample", ["subject_key"], unique=False)


def _make_review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=True),
        sa.Column("sample_id", sa.String(length=36), nullable=True),
        sa.Column("reviewer", sa.String(length=80), nullable=False),
        sa.Column("reviewed_level", sa.Integer(), nullable=False),
        sa.Column("level_then", sa.Integer(), nullable=False),
        sa.Column("reviewed_topic", sa.String(length=80), nullable=False),
        sa.Column("reply_was_right", sa.String(length=6), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("is_authoritative", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name="fk_review_escalation_id"
        ),
        sa.ForeignKeyConstraint(["sample_id"], ["review_sample.id"], name="fk_review_sample_id"),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
    )
    op.create_index("ix_review_escalation_id", "review", ["escalation_id"], unique=False)
    op.create_index("ix_review_sample_id", "review", ["sample_id"], unique=False)


def _make_note() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("escalation_id", sa.String(length=36), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalation.id"], name="fk_note_escalation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
    )
    op.create_index("ix_note_escalation_id", "note", ["escalation_id"], unique=False)
