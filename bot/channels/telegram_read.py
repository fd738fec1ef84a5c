"""Reads a Telegram update as our Message: the only place that knows what Telegram sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telegram import CallbackQuery, Update
from telegram import Message as TelegramMessage
from telegram.constants import ChatType, MessageEntityType
from telegram.ext import filters

from bot.channels.place import country_at
from bot.core.model import Message

ALLOWED_UPDATES = ("message", "edited_message", "callback_query")
MAX_ACTION = 64  # bytes of callback data, https://core.telegram.org/bots/api#inlinekeyboardbutton

# In this order: an animation is also a document, a venue also a location.
_ATTACHMENTS = (
    "photo",
    "voice",
    "video_note",
    "video",
    "audio",
    "sticker",
    "animation",
    "document",
    "location",
    "contact",
    "poll",
    "dice",
    "story",
    "game",
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a reply goes. In a group it hangs below the message that it answers."""

    chat_id: int
    thread_id: int | None = None
    reply_to: int | None = None


def message_from(update: Update, bot_username: str) -> Message | None:
    """What the person said, or None where there is nothing to answer.

    Nothing to answer are notices of Telegram itself ("X joined"), posts of other bots and
    a live location that moved on.
    """
    if update.callback_query:
        return _from_press(update.callback_query, update.update_id)
    message = update.effective_message
    if message is None or _is_notice(update, message):
        return None
    edited = update.edited_message is not None
    if edited and message.location:
        return None
    return _from_message(message, bot_username, edited=edited, update_id=update.update_id)


def address_of(update: Update) -> Address | None:
    """Where the reply to `update` goes, or None for an update without a chat."""
    message = update.effective_message
    if message is None:
        user = update.effective_user
        return Address(user.id) if user else None
    thread = message.message_thread_id if message.is_topic_message else None
    is_group = message.chat.type != ChatType.PRIVATE
    return Address(message.chat.id, thread, message.message_id if is_group else None)


def private_chat_in(payload: dict[str, Any]) -> Address | None:
    """The private chat that an update which cannot be read came from, if it names one."""
    for event in payload.values():
        message = event.get("message", event) if isinstance(event, dict) else {}
        chat = message.get("chat") if isinstance(message, dict) else None
        chat_id = chat.get("id") if isinstance(chat, dict) else None
        if isinstance(chat_id, int) and chat_id > 0:
            return Address(chat_id)
    return None


def is_location(update: Update) -> bool:
    """Whether reading the update needs the map, which is slow to load."""
    return bool(update.effective_message and update.effective_message.location)


def _from_press(query: CallbackQuery, update_id: int) -> Message:
    chat = query.message.chat if query.message else None
    return Message(
        chat=f"tg:{chat.id if chat else query.from_user.id}",
        button=query.data or "none",
        group=chat is not None and chat.type != ChatType.PRIVATE,
        update_id=str(update_id),
    )


def _from_message(
    message: TelegramMessage, bot_username: str, *, edited: bool, update_id: int
) -> Message:
    group = message.chat.type != ChatType.PRIVATE
    text = message.text or message.caption or ""
    attachment = "" if message.text else _attachment(message)
    located = message.location if attachment == "location" else None
    return Message(
        chat=f"tg:{message.chat.id}",
        text=_without_name(text, bot_username),
        at=message.edit_date if edited and message.edit_date else message.date,
        edited=edited,
        attachment=attachment,
        located_in=country_at(located.latitude, located.longitude) if located else "",
        group=group,
        addressed=not group or _is_addressed(message, text, bot_username),
        update_id=str(update_id),
    )


def _is_notice(update: Update, message: TelegramMessage) -> bool:
    """Whether nobody wrote this: a service message, another bot, a channel's copied post."""
    if message.is_automatic_forward or filters.StatusUpdate.ALL.check_update(update):
        return True
    # An anonymous administrator writes as a bot, on behalf of a chat.
    return bool(message.from_user and message.from_user.is_bot and not message.sender_chat)


def _attachment(message: TelegramMessage) -> str:
    return next((name for name in _ATTACHMENTS if getattr(message, name)), "other")


def _without_name(text: str, bot_username: str) -> str:
    """`/start@OurBot now` is `/start now`; a command to another bot stays as it is."""
    head, space, rest = text.partition(" ")
    command, at, name = head.partition("@")
    if text.startswith("/") and at and name.casefold() == bot_username.casefold():
        return command + space + rest
    return text


def _is_addressed(message: TelegramMessage, text: str, bot_username: str) -> bool:
    """Whether a message in a group is meant for us: command, mention or reply."""
    return (
        _is_our_command(text, bot_username)
        or _is_mentioned(message, bot_username)
        or _is_reply_to_us(message, bot_username)
    )


def _is_our_command(text: str, bot_username: str) -> bool:
    if not text.startswith("/"):
        return False
    _, at, name = text.split(maxsplit=1)[0].partition("@")
    return not at or name.casefold() == bot_username.casefold()


def _is_mentioned(message: TelegramMessage, bot_username: str) -> bool:
    kinds: list[str | None] = [MessageEntityType.MENTION]
    found = message.parse_entities(kinds) | message.parse_caption_entities(kinds)
    return any(name.casefold() == f"@{bot_username}".casefold() for name in found.values())


def _is_reply_to_us(message: TelegramMessage, bot_username: str) -> bool:
    replied = message.reply_to_message
    author = replied.from_user if replied else None
    return bool(
        author and author.username and author.username.casefold() == bot_username.casefold()
    )
