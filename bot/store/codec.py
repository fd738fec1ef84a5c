"""Rows to values and values to rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, String

from bot.core.escalation import Case, Entry, Event, Review
from bot.core.exchange import Exchange
from bot.core.model import Evidence, Level, NearMiss, Person, Versions
from bot.core.plain import dumps, loads
from bot.errors import StoreError
from bot.store.keys import Keys
from bot.store.records import (
    EventRecord,
    ExchangeRecord,
    NoteRecord,
    SignalRecord,
    TalkLine,
)
from bot.store.schema import NOT_WAITING, escalation

AnyRow = Row[Any]

LEVELS = ("level", "reviewed_level")
LISTS = ("also", "tags")
LIMITS: dict[str, int] = {
    column.name: column.type.length
    for column in escalation.columns
    if isinstance(column.type, String) and column.type.length
}


def seal_person(keys: Keys, person: Person) -> str:
    """What the bot remembers of a person, encrypted."""
    return keys.encrypt(dumps(person))


def open_person(keys: Keys, sealed: str) -> Person:
    """The person in `sealed`. Raises KeyMissing, and StoreError when it is no person."""
    try:
        return loads(Person, keys.decrypt(sealed))
    except ValueError as error:
        raise StoreError("What is stored of a person cannot be read by this version.") from error


def short(text: str, limit: int) -> str:
    """`text` so that every database takes it: without NUL and lone surrogates, cut to length."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:limit]


def case_row(case: Case) -> dict[str, Any]:
    """The columns of `case`, with those that the list is ordered by."""
    row = {field.name: getattr(case, field.name) for field in fields(Case)}
    row.update(version_columns(row.pop("versions")))
    row.update({name: json.dumps(row[name]) for name in LISTS})
    row.update({name: row[name] if row[name] is None else int(row[name]) for name in LEVELS})
    row.update({name: short(row[name], limit) for name, limit in LIMITS.items() if name in row})
    row["queue_rank"] = queue_rank(case)
    row["listed_at"] = case.waiting_since or NOT_WAITING
    return row


def queue_rank(case: Case) -> int:
    """Where `case` stands in the list: 0 for an emergency that nobody acknowledged."""
    if case.level is Level.EMERGENCY and case.status == "new":
        return 0
    return rank_of(case.level)


def rank_of(level: Level) -> int:
    """Where a level stands in the list, 1 for an emergency that somebody has acknowledged."""
    return 1 + Level.EMERGENCY - level


def case_of(row: AnyRow) -> Case:
    """The case in a row of `escalation`."""
    found = dict(row._mapping)
    versions = versions_of(found)
    known = {field.name: found[field.name] for field in fields(Case) if field.name in found}
    known.update({name: tuple(json.loads(known[name])) for name in LISTS})
    known["level"] = Level(known["level"])
    if known["reviewed_level"] is not None:
        known["reviewed_level"] = Level(known["reviewed_level"])
    return Case(versions=versions, **known)


def version_columns(versions: Versions) -> dict[str, str]:
    """The three versions as columns."""
    return {
        "engine_version": short(versions.engine, 80),
        "content_version": short(versions.content, 80),
        "dataset_version": short(versions.helplines, 80),
    }


def versions_of(row: Mapping[str, Any]) -> Versions:
    """The three versions in a row."""
    return Versions(row["engine_version"], row["content_version"], row["dataset_version"])


def signal_row(keys: Keys, entry: Entry) -> dict[str, Any]:
    """The columns of the message in `entry`, but for its id and its case.

    The words of the person, wherever a reason quotes them, are in `sealed` alone.
    """
    private = {
        "text": entry.text,
        "reply": list(entry.reply),
        "evidence": [[each.text, each.note] for each in entry.evidence],
        "near_misses": [each.text for each in entry.near_misses],
    }
    return {
        "entry_key": keys.fingerprint(entry.identity),
        "update_id": short(entry.update_id, 80),
        "received_at": entry.received_at,
        "edited": entry.edited,
        "level": int(entry.level),
        "kind": short(entry.kind, 40),
        "topic": short(entry.topic, 80),
        "sealed": keys.encrypt(json.dumps(private)),
        "evidence": json.dumps([[e.rule, e.kind, e.start, e.end] for e in entry.evidence]),
        "near_misses": json.dumps([[each.rule, each.held_by] for each in entry.near_misses]),
        "decision_path": json.dumps(entry.decision_path),
        "reply_id": short(entry.reply_id, 16),
        "numbers_shown": json.dumps(entry.numbers_shown),
        "delivery_status": entry.delivery_status,
        "reply_latency_ms": entry.reply_latency_ms,
        **version_columns(entry.versions),
    }


def rules_of(entry: Entry) -> set[tuple[str, str]]:
    """Every rule that spoke in `entry`, with its kind; for the filter by rule."""
    spoke = {(each.rule, str(each.kind)) for each in entry.evidence}
    held = {(each.rule, "held_back") for each in entry.near_misses}
    return {(short(rule, 80), kind) for rule, kind in spoke | held if rule}


def signal_of(keys: Keys, row: AnyRow) -> SignalRecord:
    """The message in a row of `signal`, opened."""
    found = dict(row._mapping)
    private = json.loads(keys.decrypt(found["sealed"])) if found["sealed"] else {}
    reasons = json.loads(found["evidence"])
    said = private.get("evidence") or [["", ""]] * len(reasons)
    held = json.loads(found["near_misses"])
    held_texts = private.get("near_misses") or [""] * len(held)
    return SignalRecord(
        id=found["id"],
        update_id=found["update_id"],
        received_at=found["received_at"],
        edited=found["edited"],
        text=private.get("text"),
        redacted_at=found["redacted_at"],
        level=Level(found["level"]),
        kind=found["kind"],
        topic=found["topic"],
        evidence=tuple(
            Evidence(*reason, *texts) for reason, texts in zip(reasons, said, strict=True)
        ),
        near_misses=tuple(
            NearMiss(rule, held_by, text)
            for (rule, held_by), text in zip(held, held_texts, strict=True)
        ),
        decision_path=tuple(json.loads(found["decision_path"])),
        reply=tuple(private.get("reply", ())),
        reply_id=found["reply_id"],
        numbers_shown=tuple(json.loads(found["numbers_shown"])),
        delivery_status=found["delivery_status"],
        reply_latency_ms=found["reply_latency_ms"],
        versions=versions_of(found),
    )


def review_of(keys: Keys, row: AnyRow) -> Review:
    """The review in a row of `review`."""
    found = row._mapping
    return Review(
        reviewer=found["reviewer"],
        reviewed_level=Level(found["reviewed_level"]),
        level_then=Level(found["level_then"]),
        created_at=found["created_at"],
        reviewed_topic=found["reviewed_topic"],
        reply_was_right=found["reply_was_right"],
        reason=keys.decrypt(found["sealed"]) if found["sealed"] else "",
        is_authoritative=found["is_authoritative"],
    )


def note_of(keys: Keys, row: AnyRow) -> NoteRecord:
    """The note in a row of `note`."""
    found = row._mapping
    body = keys.decrypt(found["sealed"]) if found["sealed"] else None
    return NoteRecord(found["id"], found["author"], body, found["created_at"])


def line_of(keys: Keys, row: AnyRow) -> TalkLine:
    """The line in a row of `talk`."""
    found = row._mapping
    return TalkLine(
        id=found["id"],
        author=found["author"],
        text=keys.decrypt(found["sealed"]) if found["sealed"] else None,
        created_at=found["created_at"],
        leaving=found["leaving"],
        delivery_status=found["delivery_status"],
    )


def exchange_row(keys: Keys, said: Exchange) -> dict[str, Any]:
    """The columns of what was said around a case, but for its ids and its key."""
    private = {"text": said.said, "reply": list(said.reply)}
    return {
        "update_id": short(said.update_id, 80),
        "created_at": said.received_at,
        "edited": said.edited,
        "sealed": keys.encrypt(json.dumps(private)),
        "delivery_status": said.delivery_status,
    }


def exchange_of(keys: Keys, row: AnyRow) -> ExchangeRecord:
    """What was said, in a row of `exchange`."""
    found = row._mapping
    private = json.loads(keys.decrypt(found["sealed"])) if found["sealed"] else {}
    return ExchangeRecord(
        id=found["id"],
        update_id=found["update_id"],
        created_at=found["created_at"],
        edited=found["edited"],
        text=private.get("text"),
        reply=tuple(private.get("reply", ())),
        delivery_status=found["delivery_status"],
    )


def events_of(rows: Iterable[AnyRow]) -> tuple[EventRecord, ...]:
    """The history in rows of `event`."""
    return tuple(
        EventRecord(
            seq=row.seq,
            at=row.at,
            actor=row.actor,
            escalation_id=row.escalation_id,
            event=Event(row.type, json.loads(row.before), json.loads(row.after)),
            channel=row.channel,
            prev_hash=row.prev_hash,
            hash=row.hash,
        )
        for row in rows
    )
