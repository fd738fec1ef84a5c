"""The tables, the same on SQLite and PostgreSQL. Migrations make them; this names them.

What a person wrote is only in columns called `sealed`, encrypted; a redaction empties them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator


class Utc(TypeDecorator[datetime]):
    """An aware instant, in UTC in the database and out of it."""

    # The dialect is SQLAlchemy's to hand over; both methods do without it.
    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Into the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Out of the database."""
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


IS_OPEN = "status <> 'resolved'"  # written out, so that a partial index can answer it
IS_TAGGED = "tags <> '[]'"
QUEUE_ORDER = ("queue_rank", "listed_at", "number")
# Every column that a list can be filtered by, but for tags, which have an index of their own.
FILTERED = (
    "status",
    "level",
    "assignee",
    "verdict",
    "review_status",
    "alert_status",
    "sla_status",
    "delivery_failed",
    "signals",
    "country",
    "language",
    "channel",
    "kind",
    "topic",
    "engine_version",
    "content_version",
    "dataset_version",
    "created_at",
)
NOT_WAITING = datetime(9000, 1, 1, tzinfo=UTC)  # `listed_at` of a case where nobody waits


def _versions() -> tuple[Column[Any], ...]:
    return tuple(
        Column(name, String(80), nullable=False)
        for name in ("engine_version", "content_version", "dataset_version")
    )


def _id() -> Column[str]:
    return Column("id", String(36), primary_key=True)


def _case(*, nullable: bool = False) -> Column[str]:
    return Column(
        "escalation_id", String(36), ForeignKey("escalation.id"), nullable=nullable, index=True
    )


escalation = Table(
    "escalation",
    metadata,
    _id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("subject_key", String(40), nullable=False),
    Column("level", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("topic", String(80), nullable=False),
    Column("also", Text, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("country", String(2), nullable=False),
    Column("country_source", String(10), nullable=False),
    Column("language", String(12), nullable=False),
    Column("status", String(12), nullable=False),
    Column("queue_rank", Integer, nullable=False),
    Column("assignee", String(80), nullable=False),
    Column("acknowledged_at", Utc),
    Column("acknowledged_by", String(80), nullable=False),
    Column("acknowledge_due_at", Utc),
    Column("review_due_at", Utc),
    Column("first_response_due_at", Utc),
    Column("return_due_at", Utc),
    Column("sla_status", String(12), nullable=False),
    Column("waiting_since", Utc),
    Column("listed_at", Utc, nullable=False),
    Column("first_response_at", Utc),
    Column("snoozed_at", Utc),
    Column("snoozed_until", Utc),
    Column("resolved_at", Utc),
    Column("resolved_by", String(80), nullable=False),
    Column("resolution", String(30), nullable=False),
    Column("resolved_unreviewed", Boolean, nullable=False),
    Column("alert_status", String(12), nullable=False),
    Column("alert_since", Utc, nullable=False),
    Column("review_status", String(20), nullable=False),
    Column("review_since", Utc, nullable=False),
    Column("reviewed_level", Integer),
    Column("verdict", String(10), nullable=False),
    Column("previous_id", String(36), nullable=False),
    Column("tags", Text, nullable=False),
    Column("top_rule", String(80), nullable=False),
    Column("signals", Integer, nullable=False),
    Column("delivery_failed", Boolean, nullable=False),
    Column("redacted", Boolean, nullable=False),
    *_versions(),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Column("row_version", Integer, nullable=False),
    # The order of the list, once for what is open and once for all.
    Index(
        "ix_escalation_queue",
        *QUEUE_ORDER,
        sqlite_where=text(IS_OPEN),
        postgresql_where=text(IS_OPEN),
    ),
    # That of all has with it what lists are filtered by, so that the index alone answers.
    Index("ix_escalation_list", *QUEUE_ORDER, *FILTERED, "id"),
    Index(
        "ix_escalation_tagged",
        "tags",
        "id",
        sqlite_where=text(IS_TAGGED),
        postgresql_where=text(IS_TAGGED),
    ),
    # What is open, counted from the index alone.
    Index(
        "ix_escalation_counts",
        "status",
        "level",
        sqlite_where=text(IS_OPEN),
        postgresql_where=text(IS_OPEN),
    ),
    Index(
        "uq_escalation_open",
        "subject_key",
        unique=True,
        sqlite_where=text(IS_OPEN),
        postgresql_where=text(IS_OPEN),
    ),
    Index("ix_escalation_subject_key", "subject_key", "number"),
    Index("ix_escalation_status", "status", "snoozed_until", "return_due_at"),
    Index("ix_escalation_created_at", "created_at"),
)

signal = Table(
    "signal",
    metadata,
    _id(),
    _case(),
    Column("entry_key", String(40), nullable=False, unique=True),
    Column("update_id", String(80), nullable=False),
    Column("received_at", Utc, nullable=False, index=True),
    Column("edited", Boolean, nullable=False),
    Column("level", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("topic", String(80), nullable=False),
    Column("sealed", Text),
    Column("redacted_at", Utc),
    Column("evidence", Text, nullable=False),
    Column("near_misses", Text, nullable=False),
    Column("decision_path", Text, nullable=False),
    Column("reply_id", String(16), nullable=False),
    Column("numbers_shown", Text, nullable=False),
    Column("delivery_status", String(10)),
    Column("reply_latency_ms", Integer),
    *_versions(),
)

signal_rule = Table(
    "signal_rule",
    metadata,
    Column("signal_id", String(36), ForeignKey("signal.id"), primary_key=True),
    Column("rule_id", String(80), primary_key=True),
    Column("kind", String(12), primary_key=True),
    _case(),
    Index("ix_signal_rule_rule_id", "rule_id", "escalation_id"),
)

review = Table(
    "review",
    metadata,
    _id(),
    _case(nullable=True),
    Column("sample_id", String(36), ForeignKey("review_sample.id"), index=True),
    Column("reviewer", String(80), nullable=False),
    Column("reviewed_level", Integer, nullable=False),
    Column("level_then", Integer, nullable=False),
    Column("reviewed_topic", String(80), nullable=False),
    Column("reply_was_right", String(6), nullable=False),
    Column("sealed", Text),
    Column("created_at", Utc, nullable=False),
    Column("is_authoritative", Boolean, nullable=False),
)

note = Table(
    "note",
    metadata,
    _id(),
    _case(),
    Column("author", String(80), nullable=False),
    Column("sealed", Text),
    Column("created_at", Utc, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Utc, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("escalation_id", String(36), nullable=False, index=True),
    Column("type", String(20), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# One row. Whoever writes takes it first, so that numbers and the chain have no forks.
# Events up to `kept_from - 1` are gone by retention; `kept_hash` is the hash of the last.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("kept_from", Integer, nullable=False),
    Column("kept_hash", String(64), nullable=False),
    Column("canary", Text, nullable=False),
    Column("subject_canary", String(40), nullable=False),
)

review_sample = Table(
    "review_sample",
    metadata,
    _id(),
    Column("entry_key", String(40), nullable=False, unique=True),
    Column("subject_key", String(40), nullable=False, index=True),
    Column("at", Utc, nullable=False, index=True),
    Column("level", Integer, nullable=False),
    Column("topic", String(80), nullable=False),
    Column("language", String(12), nullable=False),
    Column("stratum", String(20), nullable=False),
    Column("sampling_weight", Float, nullable=False),
    Column("sealed", Text),
    Column("redacted_at", Utc),
    Column("review_status", String(20), nullable=False),
    Column("reviewed_level", Integer),
    *_versions(),
)

# Who of the staff is in a conversation, until when without another word of theirs.
takeover = Table(
    "takeover",
    metadata,
    Column("subject_key", String(40), primary_key=True),
    _case(),
    Column("staff_id", String(80), nullable=False),
    Column("until", Utc, nullable=False),
)

# What is written in it. `author` is "" for the person; a status is missing until delivered.
talk = Table(
    "talk",
    metadata,
    _id(),
    _case(),
    Column("subject_key", String(40), nullable=False),
    Column("entry_key", String(40), nullable=False, unique=True),
    Column("place", Integer, nullable=False),
    Column("created_at", Utc, nullable=False, index=True),
    Column("author", String(80), nullable=False),
    Column("leaving", Boolean, nullable=False),
    Column("sealed", Text),
    Column("delivery_status", String(10)),
    Column("tried_at", Utc),
    Index(
        "ix_talk_waiting",
        "subject_key",
        "place",
        sqlite_where=text("delivery_status IS NULL"),
        postgresql_where=text("delivery_status IS NULL"),
    ),
)

# What was said around the messages that raised a case, each with the bot's answer.
exchange = Table(
    "exchange",
    metadata,
    _id(),
    _case(),
    Column("entry_key", String(40), nullable=False, unique=True),
    Column("update_id", String(80), nullable=False),
    Column("created_at", Utc, nullable=False, index=True),
    Column("edited", Boolean, nullable=False),
    Column("sealed", Text),
    Column("delivery_status", String(10)),
)

contact = Table(
    "contact",
    metadata,
    Column("subject_key", String(40), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("updated_at", Utc, nullable=False, index=True),
)

person = Table(
    "person",
    metadata,
    Column("subject_key", String(40), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("updated_at", Utc, nullable=False, index=True),
)

staff = Table(
    "staff",
    metadata,
    _id(),
    Column("name", String(80), nullable=False),
    Column("role", String(10), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("totp_sealed", Text),
    Column("oidc_subject", String(200), unique=True),
    Column("telegram_id", String(20), unique=True),
    Column("duty_order", Integer),
    Column("active", Boolean, nullable=False),
    Column("session_epoch", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Utc),
    Column("totp_last", Integer),
    Column("created_at", Utc, nullable=False),
)
