"""Which cases a list shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.core.escalation import AlertStatus, ReviewStatus, Status, Verdict
from bot.core.model import Level

OPEN: tuple[Status, ...] = ("new", "acknowledged", "snoozed")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What a case must be to be listed; "" and an empty tuple ask for nothing.

    `assignee` "nobody" asks for cases without one. `since` and `before` bound when the case
    began. `breached` asks for a missed clock, `repeated` for more than one message.
    """

    statuses: tuple[Status, ...] = ()
    levels: tuple[Level, ...] = ()
    assignee: str = ""
    verdict: Verdict = ""
    review_statuses: tuple[ReviewStatus, ...] = ()
    alert_status: AlertStatus | None = None
    country: str = ""
    language: str = ""
    channel: str = ""
    kind: str = ""
    topic: str = ""
    rule: str = ""
    version: str = ""
    tag: str = ""
    since: datetime | None = None
    before: datetime | None = None
    breached: bool = False
    delivery_failed: bool = False
    repeated: bool = False


ALL = CaseFilter()
QUEUE = CaseFilter(statuses=OPEN)
