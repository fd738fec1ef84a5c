"""What the commands for staff share: an open store, who acts, and outcomes told in a sentence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from enum import StrEnum
from typing import Annotated, TypeVar

import typer
from rich.console import Console

from bot.core.actions import Outcome, Refusal
from bot.core.escalation import Case
from bot.errors import BotError
from bot.store import Store

T = TypeVar("T")
OpenStore = Callable[[], Awaitable[Store]]
Who = Annotated[str, typer.Option("--as", help="Who acts; it goes into the history.")]
CHANNEL = "cli"


class LevelName(StrEnum):
    """The six labels, the worst first."""

    emergency = "emergency"
    suicide_crisis = "suicide_crisis"
    urgent = "urgent"
    info = "info"
    chat = "chat"
    out_of_scope = "out_of_scope"


def with_store(open_store: OpenStore, act: Callable[[Store], Awaitable[T]]) -> T:
    """What `act` gives, with a store that is closed in the end."""

    async def run() -> T:
        async with AsyncExitStack() as stack:
            store = await open_store()
            stack.push_async_callback(store.close)
            return await act(store)

    return asyncio.run(run())


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
