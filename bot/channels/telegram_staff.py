"""The staff's side of Telegram: alerts with buttons, in a staff chat and to those on duty.

A press is obeyed only for somebody who is on the staff at that moment. What a person wrote is
shown in the private chat with the staff member who opens it, and nowhere else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from telegram import Bot, CallbackQuery, InlineKeyboardMarkup, Message, Update
from telegram.error import Forbidden, TelegramError

from bot.alerts import Target
from bot.channels import telegram_staff_menu as menus
from bot.channels.split import split
from bot.channels.telegram_staff_menu import NOTE_HINT, PREFIX, Pressed
from bot.content.reasons import because
from bot.core.actions import Assign, Outcome, Refusal, View
from bot.core.escalation import BOT, SYSTEM, Case
from bot.core.ladder import alert_text
from bot.core.roles import may
from bot.errors import StoreError
from bot.store import Store
from bot.store.records import CaseFile, SignalRecord
from bot.store.staff import StaffMember
from bot.store.timeline import Stretch, timeline

log = logging.getLogger(__name__)

CHAT = "staff_chat"
CHANNEL = "telegram"
NOT_STAFF = "You are not on the staff list. Ask an admin to add your Telegram id."
NOT_YOURS = "Your role does not work on cases."
NO_CASE = "There is no such case."
AWAY = "The record cannot be reached just now. Try again in a moment."
ANSWER = 300  # characters of an answer of the bot; staff know its texts
OWN = re.compile(r"E-(\d{1,9}) ·")  # how every message about a case in a private chat begins


class StaffDesk:
    """Sends alerts over `bot` and answers their buttons.

    `chat_id` is the staff chat, None where there is none; a forum gets one topic a case.
    `store` gives the open store, or None. `reasons` says what each rule means.
    """

    def __init__(
        self,
        bot: Bot,
        store: Callable[[], Store | None],
        *,
        chat_id: int | None,
        reasons: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._bot = bot
        self._store = store
        self._chat_id = chat_id
        self._reasons = reasons or {}
        self._now = now

    async def takes(self, update: Update) -> bool:
        """Whether the update is the desk's: a button of ours, talk in the staff chat, or an
        answer to a message of ours about a case, which is a note."""
        query, chat = update.callback_query, update.effective_chat
        if query and (query.data or "").startswith(PREFIX):
            await self.press(query)
            return True
        if chat is not None and chat.id == self._chat_id:
            return True
        message = update.message
        number = _answered(message)
        return message is not None and number > 0 and await self._note(message, number)

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
                chat_id, text, message_thread_id=topic, reply_markup=menus.alert_keyboard(case)
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
        pressed = Pressed.read(query.data or "")
        if not may(member.role, "read" if pressed.act == "open" else "work"):
            return NOT_YOURS
        case = await store.find(pressed.number) if pressed.number else None
        if case is None:
            return NO_CASE
        if pressed.act == "open":
            return await self._open(store, case, member)
        return await self._work(store, query, pressed, case, member)

    async def _work(
        self, store: Store, query: CallbackQuery, pressed: Pressed, case: Case, member: StaffMember
    ) -> str:
        """Open the choices of a button, or do what it says and show what the case is now."""
        workers = [each for each in await store.staff.all() if _can_work(each)]
        rows = menus.submenu(pressed, case, workers)
        if rows is not None:
            await _redraw(query, menus.choices(rows, case))
            return ""
        outcome = await self._act(store, pressed, case, member, workers)
        found = await store.find(case.number) or case
        if pressed.act == "ack":
            await self._show_state(query, found)
        elif _asks_for_review(pressed, found):
            await _redraw(query, menus.without_review(found, pressed.first))
        else:
            keys = menus.menu(found, member.id)
            with suppress(TelegramError):
                await query.edit_message_text(_heading(found), reply_markup=keys)
        if isinstance(outcome, Refusal):
            return outcome.reason
        is_taken = outcome is not None and pressed.act in ("ack", "take", "mine")
        return f"{case.label} is yours." if is_taken else _state(found)

    async def _act(
        self,
        store: Store,
        pressed: Pressed,
        case: Case,
        member: StaffMember,
        workers: Sequence[StaffMember],
    ) -> Outcome | None:
        """Do what a button says; None where it does nothing."""
        judged = menus.review_of(pressed)
        if judged:
            level, right = judged
            return await store.add_review(
                case.number, member.id, level, reply_was_right=right, channel=CHANNEL
            )
        action = menus.action_of(pressed, member.id, self._now())
        if action is None:
            return None
        if isinstance(action, Assign) and action.to not in {each.id for each in workers}:
            return Refusal("They do not work on cases any more; choose somebody else.")
        return await store.act(case.number, action, channel=CHANNEL)

    async def _open(self, store: Store, case: Case, member: StaffMember) -> str:
        """Show the case in private. The history says that it was viewed, before it is."""
        seen = await store.act(case.number, View(member.id), channel=CHANNEL)
        file = await store.show(case.number)
        if isinstance(seen, Refusal) or file is None:
            return NO_CASE
        mine = int(member.telegram_id or 0)
        try:
            for part in split(_told(file, self._reasons)):
                await self._bot.send_message(mine, part)
            if may(member.role, "work"):
                keys = menus.menu(file.case, member.id)
                await self._bot.send_message(mine, _heading(file.case), reply_markup=keys)
        except Forbidden:
            return "Open a private chat with this bot and press Start, then press Open again."
        except TelegramError:
            return "Telegram did not take the message. Press Open again."
        return f"{case.label} is in your private chat with this bot."

    # ---- notes -------------------------------------------------------------------

    async def _note(self, message: Message, number: int) -> bool:
        """Keep an answer of staff as a note. False for somebody who is not on the staff."""
        try:
            store = self._store()
            user = message.from_user
            member = await store.staff.by_telegram(str(user.id)) if store and user else None
            if store is None or member is None or not may(member.role, "work"):
                return False
            added = await store.add_note(number, member.id, message.text or "", channel=CHANNEL)
            said = added.reason if isinstance(added, Refusal) else f"Note added to E-{number}."
        except StoreError:
            said = f"{AWAY} The note was NOT kept."
        with suppress(TelegramError):
            await self._bot.send_message(message.chat.id, said)
        return True

    async def _show_state(self, query: CallbackQuery, case: Case) -> None:
        with suppress(TelegramError):
            text = f"{alert_text(case, case.updated_at)}\n{_state(case)}"
            await query.edit_message_text(text, reply_markup=menus.alert_keyboard(case))


def _can_work(member: StaffMember) -> bool:
    return member.active and may(member.role, "work")


def _asks_for_review(pressed: Pressed, case: Case) -> bool:
    """Whether a case was not resolved because nobody reviewed it."""
    is_refused = pressed.act == "close" and case.status == "acknowledged"
    return is_refused and case.review_status == "unreviewed"


async def _redraw(query: CallbackQuery, keys: InlineKeyboardMarkup) -> None:
    with suppress(TelegramError):
        await query.edit_message_reply_markup(keys)


def _answered(message: Message | None) -> int:
    """The number of the case whose message this one answers, in a private chat; else 0."""
    if message is None or message.chat.type != "private" or not message.text:
        return 0
    answered = message.reply_to_message
    if answered is None or answered.from_user is None or not answered.from_user.is_bot:
        return 0
    found = OWN.match(answered.text or "")
    return int(found[1]) if found else 0


def _heading(case: Case) -> str:
    """The message that the buttons of a case stand below."""
    level = case.level.label.replace("_", " ")
    review = case.review_status.replace("_", " ")
    return f"{case.label} · {level}\n{_state(case)} Review: {review}.\n{NOTE_HINT}"


def _state(case: Case) -> str:
    if case.status == "new":
        return f"{case.label} is waiting for somebody."
    owner = f" by {case.assignee}" if case.assignee else ""
    return f"{case.label} is {case.status}{owner}."


def _told(file: CaseFile, reasons: Mapping[str, str]) -> str:
    """The case as its reader sees it: what was written, why it was raised, what the bot sent."""
    case = file.case
    parts = (case.label, case.level.label, case.kind, case.country or "country not known")
    lines = [" · ".join(each.replace("_", " ") for each in parts if each)]
    for part in timeline(file):
        lines += _around(part) if isinstance(part, Stretch) else _message(part, reasons)
    lines += [f"\nNote, {each.author}: {each.body or '(deleted)'}" for each in file.notes]
    if file.earlier:
        lines.append(f"\nEarlier cases: {', '.join(each.label for each in file.earlier)}")
    return "\n".join(lines)


def _around(stretch: Stretch) -> list[str]:
    """What was said around the messages, each line with who said it, and long answers cut."""
    if stretch.is_gone:
        return [f"\n{stretch.heading}", "(deleted)"]
    lines = [f"\n{stretch.heading}"]
    for each in stretch.lines:
        is_bot = each.author in (BOT, SYSTEM)
        who = "Person" if not each.author else "Bot" if is_bot else each.author
        said = "(deleted)" if each.text is None else each.text
        if is_bot and len(said) > ANSWER:
            said = f"{said[:ANSWER].rstrip()} …"
        lines.append(f"{each.at:%H:%M} {who}: {said}")
    return lines


def _message(signal: SignalRecord, reasons: Mapping[str, str]) -> list[str]:
    at = signal.received_at.strftime("%d %b %H:%M UTC")
    why = "; ".join(
        each.meaning or each.rule
        for each in because(signal.evidence, reasons)
        if each.kind in ("trigger", "example")
    )
    numbers = ", ".join(signal.numbers_shown) or "none"
    arrived = signal.delivery_status or "on its way"
    lines = [f"\n{at}", signal.text or "(deleted)"]
    return [*lines, *([f"Why: {why}"] if why else []), f"Reply: {arrived}; numbers: {numbers}"]


def _topic_in(file: CaseFile) -> int | None:
    """The forum topic that an earlier alert of the case was sent to."""
    for each in reversed(file.events):
        name, _, topic = str(each.event.after.get("to", "")).partition("#")
        if each.event.type == "alert_sent" and name == CHAT and topic.isdigit():
            return int(topic)
    return None
