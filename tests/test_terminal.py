"""The terminal chat: typed lines in, plain words and numbered buttons out."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.channels.terminal import chat, clean
from bot.core.model import Reply
from tests.scripted import URGENT, Scripted


def talk(receiver: Scripted, lines: Iterable[str]) -> str:
    """What stands on the screen after these lines were typed."""
    typed = iter(lines)
    screen = Console(file=io.StringIO(), width=80)

    async def ask() -> str:
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    asyncio.run(chat(receiver, console=screen, ask=ask))
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_it_greets_and_answers() -> None:
    receiver = Scripted({"/start": Reply(("Hello.",), can_wait=True)})

    shown = talk(receiver, ["what is it"])

    assert shown.index("Hello.") < shown.index("Baclofen relaxes muscles.")
    assert [message.text for message in receiver.heard] == ["/start", "what is it"]


def test_a_number_presses_a_button() -> None:
    receiver = Scripted({"he took it all": URGENT})

    shown = talk(receiver, ["he took it all", "1"])

    assert "  1  Not breathing" in shown
    assert receiver.heard[-1].button == "guide:breathing:no"


@pytest.mark.parametrize("typed", ["0", "3", "112", "-1"])
def test_any_other_number_is_a_message(typed: str) -> None:
    receiver = Scripted({"he took it all": URGENT})

    talk(receiver, ["he took it all", typed])

    assert receiver.heard[-1].text == typed


@pytest.mark.parametrize("lines", [[], ["/quit"], ["/QUIT "]], ids=["Ctrl-D", "quit", "loud"])
def test_leaving_shows_the_emergency_number(lines: list[str]) -> None:
    shown = talk(Scripted(), lines)

    assert shown.splitlines()[-1] == "Take care. Call 112 or 911 now."


def test_an_error_shows_the_emergency_card() -> None:
    shown = talk(Scripted(breaks=("boom",)), ["boom"])

    assert shown.count("Call 112 or 911 now.") == 2
    assert "ValueError" not in shown


def test_what_was_typed_comes_without_control_characters() -> None:
    receiver = Scripted()

    talk(receiver, ["he is\x1b[2J not\x00 breathing\u202e"])

    assert receiver.heard[-1].text == "he is[2J not breathing"


def test_square_brackets_are_shown_as_they_are() -> None:
    receiver = Scripted({"x": Reply(("[red]Call[/red] [112]",), can_wait=True)})

    assert "[red]Call[/red] [112]" in talk(receiver, ["x"])


@given(st.text())
def test_clean_text_stays_clean(text: str) -> None:
    once = clean(text)

    assert clean(once) == once
    assert not any(sign in once for sign in "\x00\x07\x1b\x7f\x9b\u202e\r")
