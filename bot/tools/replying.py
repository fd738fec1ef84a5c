"""`escalations reply`, `leave` and `undo`: writing to a person from a terminal.

The text is kept in the store; the running bot delivers it, as it does with one from the console.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.content import load
from bot.core.actions import Refusal
from bot.core.escalation import Case, parse_number
from bot.core.export import printable
from bot.core.knowledge import Knowledge
from bot.core.takeover import approved, framed, is_reachable
from bot.errors import BotError
from bot.settings import read_settings
from bot.store import Store
from bot.store.staff import OPERATOR
from bot.store.talk import Letter
from bot.tools.desk import CHANNEL, OpenStore, Who, as_somebody, checked, say

LONGEST = 3_000  # characters of one text to a person
WAIT_S = 12.0  # how long one waits here to be told that it arrived
LOOK_S = 0.5
SWITCHED_OFF = (
    "Staff do not write to people here: STAFF_REPLIES is off. Whoever runs the bot can set it to "
    "templates or free."
)
Number = Annotated[str, typer.Argument(help="The case, such as E-1042.")]


@dataclass(frozen=True, slots=True)
class Replies:
    """What staff may write: approved texts of `knowledge`, and with `free` their own words."""

    knowledge: Knowledge
    free: bool


Find = Callable[[], Replies | None]


def find_replies() -> Replies | None:
    """What the settings and the content allow, or None where staff do not write to people."""
    settings = read_settings()
    if settings.staff_replies == "off":
        return None
    found = load(settings.content_dir, retention_days=settings.retention_text_days)
    return Replies(found.knowledge, settings.staff_replies == "free")


def reply_commands(
    app: typer.Typer, open_store: OpenStore, find: Find = find_replies, *, wait_s: float = WAIT_S
) -> None:
    """Adds `reply`, `leave` and `undo` to `app`. `find` tells what staff may write."""
    _reply_command(app, open_store, find, wait_s)
    _leave_command(app, open_store, find, wait_s)

    @app.command()
    def undo(number: Number, who: Who = OPERATOR) -> None:
        """Take back what you did to a case in the last ten seconds."""
        wanted = _number(number)
        case = checked(
            as_somebody(
                open_store, who, "work", lambda store: store.undo(wanted, who, channel=CHANNEL)
            )
        )
        say(f"{case.label} is {case.status}{f', {case.assignee}' if case.assignee else ''} again.")


def _reply_command(app: typer.Typer, open_store: OpenStore, find: Find, wait_s: float) -> None:
    @app.command()
    def reply(
        number: Number,
        template: Annotated[
            str, typer.Option("--template", "-t", help="The approved text to send, by its id.")
        ] = "",
        text: Annotated[
            str, typer.Option(help="Your own words; only where STAFF_REPLIES is free.")
        ] = "",
        leaving: Annotated[bool, typer.Option("--leave", help="It is your last message.")] = False,
        yes: Annotated[
            bool, typer.Option("--yes", help="Send without asking; the preview is printed.")
        ] = False,
        who: Who = OPERATOR,
    ) -> None:
        """Write to the person of your case: a preview first, sent once you confirm.

        Without --template and --text it lists the approved texts.
        """
        wanted = _number(number)
        allowed = _allowed(find)

        async def write(store: Store) -> None:
            case = await _own(store, wanted, who)
            if not template and not text:
                for each in approved(allowed.knowledge, case):
                    say(f"{each.id}: {printable(each.text)}")
                return
            said = _chosen(allowed, case, template, text)
            shown = framed(allowed.knowledge, case, said, leaving=leaving)
            say(f"The person of {case.label} will read:\n\n{printable(shown)}\n")
            if not yes and not await asyncio.to_thread(typer.confirm, "Send it now?"):
                say("Nothing was sent.")
                return
            letter = await store.talk.write(
                wanted, who, shown, row_version=case.row_version, leaving=leaving, by_bot=True
            )
            await _told(store, letter, wait_s)

        as_somebody(open_store, who, "reply", write)


def _leave_command(app: typer.Typer, open_store: OpenStore, find: Find, wait_s: float) -> None:
    @app.command()
    def leave(number: Number, who: Who = OPERATOR) -> None:
        """Tell the person that you have left the conversation that you took over."""
        wanted = _number(number)
        allowed = _allowed(find)

        async def go(store: Store) -> None:
            case = await store.find(wanted)
            if case is None:
                raise BotError(f"There is no case {number}.")
            shown = framed(allowed.knowledge, case, "", leaving=True)
            letter = await store.talk.leave(wanted, shown, actor=who, by_bot=True)
            await _told(store, letter, wait_s)

        as_somebody(open_store, who, "reply", go)


def _allowed(find: Find) -> Replies:
    found = find()
    if found is None:
        raise BotError(SWITCHED_OFF)
    return found


async def _own(store: Store, number: int, who: str) -> Case:
    """The case, if `who` owns it and its chat can be written in. Raises BotError."""
    case = await store.find(number)
    if case is None:
        raise BotError(f"There is no case E-{number}.")
    if case.status != "acknowledged" or case.assignee != who:
        raise BotError("Only the owner of the case writes; acknowledge or assign it first.")
    chat = await store.chat_of(case)
    if chat is None or not is_reachable(chat):
        raise BotError("The chat of this person is not kept, or nobody can be written to in it.")
    return case


def _chosen(allowed: Replies, case: Case, template: str, text: str) -> str:
    """The text that was asked for. Raises BotError for one that may not be sent."""
    if template and text:
        raise BotError("Give --template or --text, not both.")
    if text and not allowed.free:
        raise BotError("STAFF_REPLIES is 'templates': choose an approved text with --template.")
    texts = {each.id: each.text for each in approved(allowed.knowledge, case)}
    if template and template not in texts:
        raise BotError(f"There is no approved text '{template}'; there are {', '.join(texts)}.")
    return texts[template] if template else text.strip()[:LONGEST]


async def _told(store: Store, letter: Letter | Refusal, wait_s: float) -> None:
    """Wait for the running bot to deliver, and say how it went. Raises BotError."""
    if isinstance(letter, Refusal):
        raise BotError(letter.reason)
    until = datetime.now(UTC).timestamp() + wait_s
    while datetime.now(UTC).timestamp() < until:
        status = await store.talk.status_of(letter.id)
        if status == "sent":
            say("Delivered to the person.")
            return
        if status is not None:
            raise BotError(f"NOT delivered ({status}). The case says so.")
        await asyncio.sleep(LOOK_S)
    say(
        "On its way: the running bot delivers it, or the person's page asks for it. "
        f"'escalations show {letter.case.label}' tells when it has arrived."
    )


def _number(text: str) -> int:
    number = parse_number(text)
    if number is None:
        raise BotError(f"'{text}' is not the number of a case; write it as E-1042.")
    return number
