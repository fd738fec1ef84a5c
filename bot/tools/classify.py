"""`classify`: labelled JSON Lines for evaluators. `chat --jsonl`: whole conversations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.core.decide import Content, decide
from bot.core.explanation import stranger
from bot.core.model import Decision, Evidence, Message, Person


class InputError(ValueError):
    """A line of input that is no JSON object with the fields it needs."""


def classify_lines(lines: Iterable[str], content: Content) -> Iterator[dict[str, Any]]:
    """One verdict a line, in the same order, each message on its own.

    Raises InputError with the line's number for a line that is not understood.
    """
    for number, row in rows_of(lines):
        if not isinstance(row.get("text"), str):
            raise InputError(f'line {number}: no "text"; write {{"text": "..."}}')
        person = stranger(str(row.get("country") or ""))
        decision = decide(Message(chat="classify", text=row["text"]), person, content)
        yield {"id": row.get("id"), **verdict(decision)}


def verdict(decision: Decision) -> dict[str, Any]:
    """What `classify` prints of a decision, without the id."""
    first = decision.reply.texts[0].splitlines()[0] if decision.reply.texts else ""
    return {
        "level": decision.message_level.label,
        "kind": decision.kind,
        "topic": decision.topic or None,
        "confidence": round(decision.confidence, 3),
        "asks": decision.asks,
        "offers": [candidate.topic for candidate in decision.offers],
        "reasons": [_reason(evidence) for evidence in decision.evidence],
        "first_line": first,
    }


class Talk:
    """Conversations for scripts: state is kept per chat id, and nothing else is shared."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._people: dict[str, Person] = {}

    def turn(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One turn: `chat` and `text` or `button` (a label), optionally `country`.

        A label that was not offered is read as text, as when a person types it.
        Raises InputError when a field is missing.
        """
        chat = row.get("chat")
        if chat is None or not isinstance(row.get("text", row.get("button")), str):
            raise InputError('write {"chat": "any id", "text": "..."}')
        person = self._people.get(str(chat), Person())
        if row.get("country"):
            iso = str(row["country"]).upper()
            person = Person(iso, "told", person.language, person.state)
        label = row.get("button")
        action = next((b.action for b in person.state.buttons if b.label == label), "")
        text = "" if action else str(row.get("text") or label or "")
        message = Message(chat=str(chat), text=text, button=action)
        decision = decide(message, person, self._content)
        self._people[str(chat)] = decision.person
        return {
            "chat": chat,
            "level": decision.level.label,
            "kind": decision.kind,
            "topic": decision.topic or None,
            "replies": list(decision.reply.texts),
            "buttons": [button.label for button in decision.reply.buttons],
        }


def talk_lines(lines: Iterable[str], content: Content) -> Iterator[dict[str, Any]]:
    """One output a line of input. Raises InputError with the line's number."""
    talk = Talk(content)
    for number, row in rows_of(lines):
        try:
            yield talk.turn(row)
        except InputError as error:
            raise InputError(f"line {number}: {error}") from None


def rows_of(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of the lines with their numbers; blank lines are passed over."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"line {number}: not JSON ({error.msg})") from None
        if not isinstance(row, dict):
            raise InputError(f"line {number}: not a JSON object")
        yield number, row


def _reason(evidence: Evidence) -> dict[str, Any]:
    return {
        "rule": evidence.rule,
        "start": evidence.start,
        "end": evidence.end,
        "text": evidence.text,
    }
