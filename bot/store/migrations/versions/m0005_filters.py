"""Filters: the index of the list holds all that lists are filtered by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ORDER = ["queue_rank", "listed_at", "number"]
FILTERED = [
    *("status", "level", "assignee", "verdict", "review_status", "alert_status", "sla_status"),
    *("delivery_failed", "signals", "country", "language", "channel", "kind", "topic"),
    *("engine_version", "content_version", "dataset_version", "created_at", "id"),
]


def upgrade() -> None:
    """Make the indexes."""
    op.drop_index("ix_escalation_list", "escalation")
    op.create_index("ix_escalation_list", "escalation", [*ORDER, *FILTERED], unique=False)
    op.create_index(
        "ix_escalation_tagged",
        "escalation",
        ["number"],
        unique=False,
        sqlite_where=sa.text("tags <> '[]'"),
        postgresql_where=sa.text("tags <> '[]'"),
    )
