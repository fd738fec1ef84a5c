"""The staff's side of Telegram: alerts with buttons, in a staff chat and to those on duty.

A press is obeyed only for somebody who is on the staff at that moment. What a person wrote is
shown in the private chat with the staff member who opens it, and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from telegram import Bot, CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import Forbidden, TelegramError

from bot.alerts import Target
from bot.channels.split import split
from bot.core.actions import Acknowledge, Refusal, View
from bot.core.escalation import Case
from bot.core.ladder import alert_text
from bot.errors import StoreError
from bot.store import Store
from bot.store.records import CaseFile
from bot.store.staff import StaffMember

log = logging.getLogger(__name__)

PREFIX = "desk:"
CHAT = "staff_chat"
NOT_STAFF = "You are not on the staff list. Ask an admin to add your Telegram id."
NO_CASE = "There is no such case."
AWAY = "The record cannot be reached just now. Try again in a moment."


class StaffDesk:
    """Sends alerts over `bot` and answers their buttons.

    `chat_id` is the staff chat, None where there is none; a forum gets one topic a case.
    `store` gives the open store, or None.
    """

    def __init__(self, bot: Bot, store: Callable[[], Store | None], *, chat_id: int | None) -> None:
        self._bot = bot
        self._store = store
        self._chat_id = chat_id

    async def takes(self, update: Update) -> bool:
        """Whether the update is the desk's: a button of ours, or talk in the staff chat."""
        query, chat = update.callback_query, update.effective_chat
        if query and (query.data or "").startswith(PREFIX):
            await self.press(query)
            return True
        return chat is not None and chat.id == self._chat_id

    # ---- alerts ------------------------------------------------------------------

    def targets(self, file: CaseFile, text: str, told: Sequence[StaffMember]) -> list[Target]:
        """The staff chat, and the private chat of everybody who is told."""
        case = file.case
        found = [self._to_member(each, case, text) for each in told if each.telegram_id]
        if self._chat_id is None:
            return found
        names = ", ".join(member.name for member in told)
        return [self._to_chat(file, f"{text}\nFor {names}" if names else text), *found]

    def _to_chat(self, file: CaseFile, text: str) -> Target:
        async def send() -> str:
            chat_id = self._chat_id or 0
            topic = _topic_in(file) or await self._new_topic(chat_id, file.case)
            arrived = await self._alert(chat_id, file.case, text, topic)
            # The history keeps the topic, so that the next alert finds it.
            return (f"{CHAT}#{topic}" if topic else CHAT) if arrived else ""

        return Target(CHAT, send)

    def _to_member(self, member: StaffMember, case: Case, text: str) -> Target:
        async def send() -> str:
            return member.id if await self._alert(int(member.telegram_id or 0), case, text) else ""

        return Target(member.id, send)

    async def _new_topic(self, chat_id: int, case: Case) -> int | None:
        """A forum topic for the case, or None where the chat is no forum."""
        with suppress(TelegramError):
            if (await self._bot.get_chat(chat_id)).is_forum:
                name = f"{case.label} {case.level.label.replace('_', ' ')}"
                return (await self._bot.create_forum_topic(chat_id, name)).message_thread_id
        return None

    async def _alert(self, chat_id: int, case: Case, text: str, topic: int | None = None) -> bool:
        try:
            await self._bot.send_message(
                chat_id, text, message_thread_id=topic, reply_markup=_keyboard(case)
            )
        except Forbidden:
            log.error("the bot may not write to the staff chat or member; add it or press Start")
            return False
        except TelegramError as error:
            log.error("alert not delivered", extra={"error": type(error).__name__})
            return False
        return True

    # ---- buttons -----------------------------------------------------------------

    async def press(self, query: CallbackQuery) -> None:
        """Do what a button says, if whoever pressed it is on the staff now."""
        try:
            said = await self._pressed(query)
        except StoreError:
            said = AWAY
        with suppress(TelegramError):
            await query.answer(said[:200], show_alert=True)

    async def _pressed(self, query: CallbackQuery) -> str:
        store = self._store()
        if store is None:
            return AWAY
        member = await store.staff.by_telegram(str(query.from_user.id))
        if member is None:
            log.warning("button pressed by somebody who is not on the staff")
            return NOT_STAFF
        act, number = _parse(query.data or "")
        case = await store.find(number) if number else None
        if case is None:
            return NO_CASE
        if act == "open":
            return await self._open(store, case, member)
        if act != "ack":
            return _state(case)
        outcome = await store.act(case.number, Acknowledge(member.id), channel="telegram")
        found = await store.find(case.number) or case
        await self._show_state(query, found)
        return outcome.reason if isinstance(outcome, Refusal) else f"{case.label} is yours."

    async def _open(self, store: Store, case: Case, member: StaffMember) -> str:
        """Show the case in private. The history says that it was viewed, before it is."""
        seen = await store.act(case.number, View(member.id), channel="telegram")
        file = await store.show(case.number)
        if isinstance(seen, Refusal) or file is None:
            return NO_CASE
        try:
            for part in split(_told(file)):
                await self._bot.send_message(int(member.telegram_id or 0), part)
        except Forbidden:
            return "Open a private chat with this bot and press Start, then press Open again."
        except TelegramError:
            return "Telegram did not take the message. Press Open again."
        return f"{case.label} is in your private chat with this bot."

    async def _show_state(self, query: CallbackQuery, case: Case) -> None:
        with suppress(TelegramError):
            text = f"{alert_text(case, case.updated_at)}\n{_state(case)}"
            await query.edit_message_text(text, reply_markup=_keyboard(case))


def _keyboard(case: Case) -> InlineKeyboardMarkup:
    open_it = InlineKeyboardButton("Open", callback_data=f"{PREFIX}open:{case.number}")
    if case.status != "new":
        return InlineKeyboardMarkup([[open_it]])
    take = InlineKeyboardButton("Acknowledge", callback_data=f"{PREFIX}ack:{case.number}")
    return InlineKeyboardMarkup([[take, open_it]])


def _parse(data: str) -> tuple[str, int]:
    """The act and the number in a button's data; 0 for what no button of ours holds."""
    act, _, number = data.removeprefix(PREFIX).partition(":")
    return act, int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


def _state(case: Case) -> str:
    if case.status == "new":
        return f"{case.label} is waiting for somebody."
    owner = f" by {case.assignee}" if case.assignee else ""
    return f"{case.label} is {case.status}{owner}."


def _told(file: CaseFile) -> str:
    """The case as its reader sees it: what was written, and what the bot sent."""
    case = file.case
    lines = [f"{case.label} · {case.level.label.replace('_', ' ')} · {case.country or '?'}"]
    for each in file.signals:
        at = each.received_at.strftime("%d %b %H:%M UTC")
        arrived = each.delivery_status or "on its way"
        lines.append(f"\n{at}\n{each.text or '(deleted)'}\nReply: {arrived}")
    return "\n".join(lines)


def _topic_in(file: CaseFile) -> int | None:
    """The forum topic that an earlier alert of the case was sent to."""
    for each in reversed(file.events):
        name, _, topic = str(each.event.after.get("to", "")).partition("#")
        if each.event.type == "alert_sent" and name == CHAT and topic.isdigit():
            return int(topic)
    return None
