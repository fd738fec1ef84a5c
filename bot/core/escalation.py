"""What is recorded of an escalation: the entry, the case that entries join, its reviews."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.core.clocks import NEVER, Calendar
from bot.core.exchange import Exchange
from bot.core.model import (
    CountrySource,
    Decision,
    DeliveryStatus,
    Evidence,
    Level,
    Message,
    NearMiss,
    Versions,
)
from bot.core.plain import to_plain

Status = Literal["new", "acknowledged", "snoozed", "resolved"]
SlaStatus = Literal["active", "met", "missed", "not_staffed"]
AlertStatus = Literal["pending", "sent", "failed", "acknowledged"]
ReviewStatus = Literal["unreviewed", "needs_second", "awaiting_resolution", "reviewed"]
Verdict = Literal["", "correct", "too_high", "too_low"]
Resolution = Literal[
    "",
    "reviewed_no_action",
    "followed_up",
    "emergency_services_contacted",
    "false_alarm",
    "test",
    "could_not_reach",
]
ReplyWasRight = Literal["", "yes", "no", "partly"]  # "": nobody judged the reply

BOT = "bot"  # the actor of what the bot does itself
SYSTEM = "system"  # the actor of clocks, retention and the operator's commands
FIRST_NUMBER = 1001
TAGS_MOST = 20  # of a case; an index holds them whole
UNTOLD = frozenset({"updated_at", "row_version", "return_due_at"})  # not part of the history


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One escalated message, as the service hands it over.

    `delivery_status` is None while the reply is still on its way; the same entry recorded
    again with a status completes the first. `reply` are the texts the person was sent and
    `reply_id` is their fingerprint. `before` is what was said shortly before.
    """

    chat: str
    channel: str
    received_at: datetime
    text: str
    level: Level
    versions: Versions
    update_id: str = ""
    edited: bool = False
    kind: str = ""
    topic: str = ""
    also: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    decision_path: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()
    reply_id: str = ""
    numbers_shown: tuple[str, ...] = ()
    delivery_status: DeliveryStatus | None = None
    reply_latency_ms: int | None = None
    country: str = ""
    country_source: CountrySource = "unknown"
    language: str = "en"
    before: tuple[Exchange, ...] = ()

    @classmethod
    def of(
        cls, message: Message, decision: Decision, *, received_at: datetime, versions: Versions
    ) -> Entry:
        """The entry for `decision` about `message`, before its reply was delivered."""
        return cls(
            chat=message.chat,
            channel=message.chat.partition(":")[0],
            received_at=received_at,
            text=message.text,
            level=decision.level,
            versions=versions,
            update_id=message.update_id,
            edited=message.edited,
            kind=decision.kind,
            topic=decision.topic,
            also=decision.also,
            evidence=decision.evidence,
            near_misses=decision.near_misses,
            decision_path=decision.path,
            reply=decision.reply.texts,
            reply_id=reply_id(decision.reply.texts),
            numbers_shown=decision.numbers_shown,
            country=decision.person.country,
            country_source=decision.person.country_source,
            language=decision.person.language,
        )

    @property
    def identity(self) -> str:
        """What makes the entry the same one when it comes twice. Private: it names the chat."""
        own = self.update_id or f"{self.received_at.isoformat()}\0{self.text}"
        return f"{self.chat}\0{self.channel}\0{own}"

    @property
    def top_rule(self) -> str:
        """The first rule that raised the level, or "" when none did."""
        return next((each.rule for each in self.evidence if each.kind != "suppressor"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One escalation: what the list shows and what `step` decides by.

    `return_due_at` is when an idle owner loses the case. `review_since` is where reviews
    begin to count: a case that was raised or opened again asks for new ones. `alert_since` is
    where the ladder of alerts begins, again when the case is raised, opened or left again.
    `assignee` and the other names of staff are staff ids, "" for nobody.
    """

    id: str
    number: int
    subject_key: str
    level: Level
    channel: str
    created_at: datetime
    updated_at: datetime
    review_since: datetime
    alert_since: datetime
    versions: Versions
    kind: str = ""
    topic: str = ""
    also: tuple[str, ...] = ()
    country: str = ""
    country_source: CountrySource = "unknown"
    language: str = "en"
    status: Status = "new"
    assignee: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledge_due_at: datetime | None = None
    review_due_at: datetime | None = None
    first_response_due_at: datetime | None = None
    return_due_at: datetime | None = None
    sla_status: SlaStatus = "active"
    waiting_since: datetime | None = None
    first_response_at: datetime | None = None
    snoozed_at: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""
    resolution: Resolution = ""
    resolved_unreviewed: bool = False
    alert_status: AlertStatus = "pending"
    review_status: ReviewStatus = "unreviewed"
    reviewed_level: Level | None = None
    verdict: Verdict = ""
    previous_id: str = ""
    tags: tuple[str, ...] = ()
    top_rule: str = ""
    signals: int = 1
    delivery_failed: bool = False
    redacted: bool = False
    row_version: int = 1

    @property
    def label(self) -> str:
        """The number as people say it: E-1042."""
        return f"E-{self.number}"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a case's history, still without its place in the chain."""

    type: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, type_: str, old: Case, new: Case, *only: str) -> Event:
        """What changed from `old` to `new`: the fields `only`, or all that did."""
        names = only or tuple(
            each.name
            for each in fields(Case)
            if each.name not in UNTOLD and getattr(old, each.name) != getattr(new, each.name)
        )
        return cls(
            type_,
            {each: to_plain(getattr(old, each)) for each in names},
            {each: to_plain(getattr(new, each)) for each in names},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one reader thinks of a case. `level_then` is what the bot had made of it."""

    reviewer: str
    reviewed_level: Level
    level_then: Level
    created_at: datetime
    reviewed_topic: str = ""
    reply_was_right: ReplyWasRight = ""
    reason: str = ""
    is_authoritative: bool = False

    @property
    def verdict(self) -> Verdict:
        """How the bot's level compares with the reader's."""
        return verdict(self.level_then, self.reviewed_level)


def _minutes(emergency: int, suicide_crisis: int, urgent: int) -> Mapping[Level, timedelta]:
    each = (emergency, suicide_crisis, urgent)
    return dict(zip(ESCALATING, (timedelta(minutes=minutes) for minutes in each), strict=True))


ESCALATING = (Level.EMERGENCY, Level.SUICIDE_CRISIS, Level.URGENT)


@dataclass(frozen=True, slots=True)
class Rules:
    """How long things may take and how many must read a case. All are the service's to set.

    `first_response` is None where staff do not reply to people.
    """

    acknowledge_within: Mapping[Level, timedelta] = field(
        default_factory=lambda: _minutes(5, 15, 4 * 60)
    )
    review_within_days: Mapping[Level, int] = field(
        default_factory=lambda: dict(zip(ESCALATING, (1, 1, 3), strict=True))
    )
    readers: Mapping[Level, int] = field(
        default_factory=lambda: dict(zip(ESCALATING, (2, 2, 1), strict=True))
    )
    reopens_within: timedelta = timedelta(hours=24)
    first_response: timedelta | None = None
    calendar: Calendar = NEVER


DEFAULT_RULES = Rules()


def parse_number(text: str) -> int | None:
    """The number in `E-1042`, `e1042` or `1042`, or None."""
    found = re.fullmatch(r"\s*(?:[eE]-?)?(\d{1,12})\s*", text)
    return int(found[1]) if found else None


def clean_tag(tag: str) -> str:
    """A label as it is kept: lower case letters, digits and hyphens, at most 32 of them."""
    return re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")[:32]


def reply_id(texts: tuple[str, ...]) -> str:
    """A fingerprint of a reply, so that two cases show whether they got the same one."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16] if texts else ""


def verdict(level: Level, reviewed: Level) -> Verdict:
    """`too_high` when the bot's `level` was above the reader's, `too_low` when below."""
    if level == reviewed:
        return "correct"
    return "too_high" if level > reviewed else "too_low"


def judge(
    case: Case, reviews: tuple[Review, ...], *, readers: int
) -> tuple[ReviewStatus, Level | None]:
    """Where the review of `case` stands, and the level that its readers settled on.

    Only reviews since `review_since` count, and only the latest of each reader. A lead's
    authoritative one settles it; readers who differ leave it to a lead.
    """
    counted = [each for each in reviews if each.created_at >= case.review_since]
    lead = [each for each in counted if each.is_authoritative]
    if lead:
        return "reviewed", lead[-1].reviewed_level
    levels = list({each.reviewer: each.reviewed_level for each in counted}.values())
    if not levels:
        return "unreviewed", None
    if len(set(levels)) > 1:
        return "awaiting_resolution", None
    return ("reviewed" if len(levels) >= readers else "needs_second"), levels[0]


def in_list_order(cases: list[Case]) -> list[Case]:
    """Cases as the queue shows them: unacknowledged emergencies, level, longest waiting.

    Where nobody waits comes last in its level.
    """
    return sorted(cases, key=_list_key)


def _list_key(case: Case) -> tuple[bool, int, bool, datetime, int]:
    pinned = case.level is Level.EMERGENCY and case.status == "new"
    waits = case.waiting_since is not None
    return (not pinned, -case.level, not waits, case.waiting_since or case.created_at, case.number)
