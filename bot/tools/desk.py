"""What the commands for staff share: an open store, who acts, and outcomes told in a sentence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from bot.core.actions import Outcome, Refusal
from bot.core.escalation import Case
from bot.core.roles import Right as Power
from bot.core.roles import may
from bot.errors import BotError
from bot.store import Store
from bot.store.staff import OPERATOR

T = TypeVar("T")
OpenStore = Callable[[], Awaitable[Store]]
Who = Annotated[
    str,
    typer.Option(
        "--as",
        help="Who acts: the name of an account; it goes into the history. Default: operator"
        ", whoever has the keys of this machine.",
        show_default=False,
    ),
]
CHANNEL = "cli"
# How this command is called: in a clone it stands in .venv, the image has the module alone.
COMMAND = ".venv/bin/baclofen-bot" if Path(sys.prefix).name == ".venv" else "python -m bot"
DEEDS: Mapping[Power, str] = {
    "read": "read cases",
    "work": "work on cases",
    "reply": "write to people",
    "settle": "settle a disagreement; a lead may",
    "export": "export cases; a lead may",
    "export_text": "export what people wrote; a lead may",
    "manage": "manage people; an admin may",
    "audit": "read the history; a lead may",
}


class LevelName(StrEnum):
    """The six labels, the worst first."""

    emergency = "emergency"
    suicide_crisis = "suicide_crisis"
    urgent = "urgent"
    info = "info"
    chat = "chat"
    out_of_scope = "out_of_scope"


class Right(StrEnum):
    """Whether the reply was right."""

    yes = "yes"
    no = "no"
    partly = "partly"


def with_store(open_store: OpenStore, act: Callable[[Store], Awaitable[T]]) -> T:
    """What `act` gives, with a store that is closed in the end."""

    async def run() -> T:
        async with AsyncExitStack() as stack:
            store = await open_store()
            stack.push_async_callback(store.close)
            return await act(store)

    return asyncio.run(run())


async def vouch(store: Store, who: str, right: Power) -> None:
    """See that `who` is somebody who has `right`. The machine's operator has every right.

    Raises BotError with what to do.
    """
    if who == OPERATOR:
        return
    member = await store.staff.find(who)
    if member is None:
        names = ", ".join(each.id for each in await store.staff.all() if each.active)
        raise BotError(
            f"--as: there is no account '{who}' (there are: {names or 'none'}). Make one with "
            f"'{COMMAND} staff add NAME reviewer', or leave --as out to act as the operator of "
            "this machine."
        )
    if not member.active:
        raise BotError(f"--as: {who} is kept out. '{COMMAND} staff on {who}' lets them in again.")
    if not may(member.role, right):
        raise BotError(f"--as: {who} is {member.role} and may not {DEEDS[right]}.")


def as_somebody(
    open_store: OpenStore, who: str, right: Power, act: Callable[[Store], Awaitable[T]]
) -> T:
    """What `act` gives, once it is sure that `who` may do it."""

    async def run(store: Store) -> T:
        await vouch(store, who, right)
        return await act(store)

    return with_store(open_store, run)


def checked(outcome: Outcome) -> Case:
    """The case after an action. Raises BotError with the reason of a refusal."""
    if isinstance(outcome, Refusal):
        raise BotError(outcome.reason)
    return outcome.case


def granted(found: T | Refusal) -> T:
    """What was asked for. Raises BotError with the reason of a refusal."""
    if isinstance(found, Refusal):
        raise BotError(found.reason)
    return found


def say(line: str) -> None:
    """One line for the person at the terminal."""
    sys.stdout.write(f"{line}\n")


def console() -> Console:
    """Where tables are drawn. What is in them is data, never markup."""
    # Where the output goes to a file or another program, no column is to be cut.
    width = None if sys.stdout.isatty() else 160
    return Console(highlight=False, markup=False, emoji=False, width=width)
