"""A person of the staff writes in a conversation: how that reads, and when the bot steps back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from bot.core.escalation import Case
from bot.core.hearing import NOT_UNDERSTOOD
from bot.core.knowledge import Knowledge, StaffText
from bot.core.model import Decision, Level, Message, Person, Reply
from bot.core.replies import Scribe

# So long after their last message somebody counts as gone who did not say so.
STAYS = timedelta(minutes=30)
# The first step of a decision that was only conversation. Whatever else the bot does (alarms,
# the guide, its question whether it happens now, buttons, commands) it does also beside a human.
ONLY_TALK: Collection[str] = ("match", "follow_up", "did_you_mean", "none", "none_of_these")


def steps_back(message: Message, decision: Decision) -> bool:
    """Whether the bot's answer gives way to a human who is there.

    Never where a reader saw danger in the message. What the guide did not understand counts
    as its worst answer while the bot is alone; a human who is there can ask.
    """
    if decision.asks or decision.effects:
        return False
    if message.group or message.button or message.attachment or message.located_in:
        return False
    if decision.path == NOT_UNDERSTOOD:
        return True
    is_talk = decision.path[:1] != () and decision.path[0] in ONLY_TALK
    return is_talk and not decision.message_level.escalates


def passed_on(knowledge: Knowledge, person: Person, decision: Decision) -> Decision:
    """The decision with a line in place of the answer: a human got it, the bot watches.

    What was asked before still stands, as if the bot had not heard.
    """
    known = replace(decision.person, state=person.state)
    scribe = Scribe(knowledge, known)
    reply = Reply((scribe.phrase("staff_passed_on"),), can_wait=decision.reply.can_wait)
    found = min(decision.message_level, Level.INFO)
    return replace(
        decision,
        level=max(found, known.state.level),
        message_level=found,
        kind=known.state.kind,
        evidence=(),
        reply=reply,
        person=known,
        offers=(),
        path=("taken_over", *decision.path),
        numbers_shown=tuple(dict.fromkeys(scribe.numbers)),
    )


def framed(knowledge: Knowledge, case: Case, text: str, *, leaving: bool) -> str:
    """What the person of `case` gets to read: that a human writes, and when they are gone.

    An empty `text` says only that they left.
    """
    scribe = _scribe(knowledge, case)
    parts = [scribe.phrase("staff_opening"), text] if text else []
    if leaving:
        parts.append(scribe.phrase("staff_closing"))
    return "\n\n".join(parts)


def approved(knowledge: Knowledge, case: Case) -> tuple[StaffText, ...]:
    """The approved texts with the numbers of the person's country."""
    scribe = _scribe(knowledge, case)
    return tuple(replace(each, text=scribe.fill(each.text)) for each in knowledge.staff_texts)


def is_reachable(chat: str) -> bool:
    """Whether staff can write in a chat: in a private one of Telegram, or on the web page.

    In a group others would read it, and nobody reads a terminal that was left.
    """
    channel, _, name = chat.partition(":")
    return channel == "web" or (channel == "tg" and name.isdecimal())


def _scribe(knowledge: Knowledge, case: Case) -> Scribe:
    return Scribe(knowledge, Person(country=case.country, language=case.language))
