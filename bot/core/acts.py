"""Buttons, commands and attachments: what a person does rather than says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.core.alarm import crisis_asked, emergency_asked
from bot.core.guiding import (
    breathing_again,
    cannot_call,
    country_told,
    go_on,
    guide_again,
    guide_step,
    help_coming,
    last_card,
    more_steps,
)
from bot.core.helplines import find_country
from bot.core.model import (
    Button,
    Decision,
    Person,
    Reply,
)
from bot.core.replies import (
    country_buttons,
    topic_button,
)
from bot.core.talk import happens_now, more, none_of_these, not_now, topic
from bot.core.turn import NOTHING_READ, Turn, calm, chat, decided, in_crisis
from bot.core.understand import Reading


def pressed(turn: Turn, action: str) -> Decision:
    """A button was pressed. A forged or outdated action still gets an answer."""
    verb, _, rest = action.partition(":")
    scribe, state = turn.scribe, turn.state
    if verb == "guide":
        question_id, _, answer_id = rest.partition(":")
        if state.guide and state.guide.asked == question_id:
            return guide_step(turn, state.guide, answer_id)
        return _button_gone(turn)
    if verb == "now" and rest in scribe.english.cards:
        return happens_now(turn, rest)
    if verb in {"topic", "more"} and rest in scribe.english.answers:
        return topic(turn, rest, path=("button",)) if verb == "topic" else more(turn, rest)
    if verb == "country" and rest in scribe.knowledge.helplines.countries:
        told = replace(turn.person, country=rest, country_source="told")
        return country_told(turn.with_person(told))
    simple = _SIMPLE_BUTTONS.get(action)
    return simple(turn) if simple else _button_gone(turn)


def country_command(turn: Turn, argument: str) -> Decision:
    """`/country` asks; `/country Canada` sets, and an unknown name says so."""
    scribe = turn.scribe
    iso = find_country(argument, scribe.knowledge.helplines) if argument else ""
    if not iso and argument.upper() in scribe.knowledge.helplines.countries:
        iso = argument.upper()
    if iso:
        return pressed(turn, f"country:{iso}")
    key = "country_unknown" if argument else "country_ask"
    buttons = (*country_buttons(scribe), scribe.button("emergency", "emergency"))
    state = replace(turn.state, pending="country")
    return chat(turn, Reply((scribe.phrase(key),), buttons), state, "change_country_or_language")


def language_command(turn: Turn, argument: str) -> Decision:
    """`/language`: which languages there are; `/language es` takes one that has cards."""
    books = turn.scribe.knowledge.books
    wanted = argument.strip().lower()[:2]
    if wanted in books:
        turn = turn.with_person(replace(turn.person, language=wanted))
        key = "language_set" if wanted != "en" else "language_reply"
    else:
        key = "language_reply"
    others = [Button(name, f"language:{code}") for code, name in _languages(turn)]
    buttons = (*others, turn.scribe.button("emergency", "emergency"))
    reply = Reply((turn.scribe.phrase(key),), buttons)
    return chat(turn, reply, turn.state, "change_country_or_language")


def start(turn: Turn, argument: str) -> Decision:
    """`/start`: who the bot is, and the way to help at once."""
    del argument
    scribe = turn.scribe
    buttons = (
        scribe.button("emergency", "emergency"),
        scribe.button("crisis", "crisis"),
        topic_button(scribe, "what_is_baclofen"),
        scribe.button("country", "country"),
    )
    return chat(turn, Reply((scribe.phrase("start"),), buttons), turn.state, "greeting")


def help_(turn: Turn, argument: str) -> Decision:
    """`/help`: what the bot can do."""
    del argument
    scribe = turn.scribe
    buttons = (
        scribe.button("emergency", "emergency"),
        scribe.button("crisis", "crisis"),
        scribe.button("country", "country"),
    )
    return chat(turn, Reply((scribe.phrase("help"),), buttons), turn.state, "about_bot")


def privacy(turn: Turn, argument: str) -> Decision:
    """`/privacy`: what is kept, for how long, and who reads it."""
    del argument
    return topic(turn, "privacy", path=("command",))


def about(turn: Turn, argument: str) -> Decision:
    """`/about`: who or what the bot is."""
    del argument
    return topic(turn, "about_bot", path=("command",))


def forget(turn: Turn, argument: str) -> Decision:
    """`/forget`: deletes at once what is known of the person; the shell carries it out.

    In an open crisis the card comes once more, with the number of the country that is then
    forgotten. The buttons are those that need nothing remembered.
    """
    del argument
    scribe = turn.scribe
    done = scribe.phrase("forget_done", copies=scribe.by_channel("forget_copies"))
    texts = (last_card(turn), done) if turn.state.level.escalates else (done,)
    keys = ("emergency", "crisis", "country")
    reply = Reply(texts, tuple(scribe.button(key, key) for key in keys))
    decision = in_crisis(turn, NOTHING_READ, reply, turn.state, path=("command",))
    return replace(decision, topic="privacy", person=Person(), effects=("forget",))


def attachment(turn: Turn) -> Decision:
    """A voice note, picture, sticker, place, ...: an answer, never silence."""
    kind = turn.message.attachment
    if turn.message.located_in:
        decided = country_told(turn)
        first = f"{turn.scribe.phrase('attachment_location')}\n{decided.reply.texts[0]}"
        return replace(decided, reply=replace(decided.reply, texts=(first,)))
    key = _ATTACHMENTS.get(kind, "attachment_other")
    text = turn.scribe.phrase(key)
    if turn.state.guide and turn.state.level.escalates:
        return guide_again(turn, text, path="attachment")
    buttons = (turn.scribe.button("emergency", "emergency"), turn.scribe.button("crisis", "crisis"))
    return calm(turn, NOTHING_READ, Reply((text,), buttons), turn.state, path=("attachment", kind))


def empty(turn: Turn) -> Decision:
    """An empty message."""
    buttons = (turn.scribe.button("emergency", "emergency"),)
    reply = Reply((turn.scribe.phrase("empty"),), buttons)
    return calm(turn, NOTHING_READ, reply, turn.state, path=("empty",))


def silent(turn: Turn, reading: Reading) -> Decision:
    """Talk in a group that is not meant for the bot."""
    decision = decided(turn, reading, Reply())
    return replace(decision, person=turn.person, path=("group", "silent"))


def group_private(turn: Turn, reading: Reading) -> Decision:
    """Health answers are for private chats."""
    decision = decided(turn, reading, Reply((turn.scribe.phrase("group_private"),)))
    return replace(decision, person=turn.person, path=("group", "private"))


def _continue(turn: Turn) -> Decision:
    return go_on(turn) if turn.state.guide else _button_gone(turn)


def _more_steps(turn: Turn) -> Decision:
    return more_steps(turn) if turn.state.guide else _button_gone(turn)


def _breathing_again(turn: Turn) -> Decision:
    return breathing_again(turn) if turn.state.guide else _button_gone(turn)


def _button_gone(turn: Turn) -> Decision:
    scribe = turn.scribe
    if turn.state.guide and turn.state.level.escalates:
        return guide_again(turn, scribe.phrase("button_gone"), path="button_gone")
    buttons = (scribe.button("emergency", "emergency"), scribe.button("crisis", "crisis"))
    reply = Reply((scribe.phrase("button_gone"),), buttons)
    return calm(turn, NOTHING_READ, reply, turn.state, path=("button_gone",))


def _languages(turn: Turn) -> list[tuple[str, str]]:
    books = turn.scribe.knowledge.books
    return [(code, book.lines.get("language_name", code)) for code, book in books.items()]


def _language_button(code: str) -> Callable[[Turn], Decision]:
    return lambda turn: language_command(turn, code)


_SIMPLE_BUTTONS: dict[str, Callable[[Turn], Decision]] = {
    "emergency": lambda turn: emergency_asked(turn, ""),
    "crisis": lambda turn: crisis_asked(turn, ""),
    "country": lambda turn: country_command(turn, ""),
    "ask": lambda turn: help_(turn, ""),
    "none": none_of_these,
    "not_now": not_now,
    "help_coming": help_coming,
    "cannot_call": cannot_call,
    "continue": _continue,
    "steps": _more_steps,
    "breathing_again": _breathing_again,
    **{
        f"language:{code}": _language_button(code)
        for code in ["en", "es", "fr", "de", "pt", "it", "nl", "pl", "ru", "uk", "tr", "ar", "hi"]
    },
}


_ATTACHMENTS = {
    "voice": "attachment_voice",
    "audio": "attachment_voice",
    "video_note": "attachment_voice",
    "photo": "attachment_picture",
    "video": "attachment_picture",
    "animation": "attachment_picture",
    "sticker": "attachment_sticker",
    "dice": "attachment_sticker",
    "location": "attachment_location_unknown",
}
