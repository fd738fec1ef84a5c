"""The terminal chat: type a message, or the number of a button."""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections.abc import Awaitable, Callable
from threading import Thread

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.channels.receiver import Receiver
from bot.core.model import Button, DeliveryStatus, Message, Reply
from bot.errors import whereabouts

log = logging.getLogger(__name__)

Ask = Callable[[], Awaitable[str]]

_HINT = "Type a message and press Enter. /emergency for help now, /help for more, /quit to leave."
_WIDTH = 80  # columns; longer lines are hard to read
_QUIT = ("/quit", "/exit", "/bye")


async def chat(
    receiver: Receiver,
    *,
    console: Console | None = None,
    ask: Ask | None = None,
    chat_id: str = "terminal",
) -> None:
    """Talk until the person leaves by /quit, Ctrl-D or Ctrl-C.

    `ask` gives the next line that was typed; it raises EOFError at the end of input.
    """
    terminal = _Terminal(receiver, console or Console(highlight=False), chat_id)
    try:
        await terminal.talk(ask or _ask_on(terminal.console))
    except (EOFError, KeyboardInterrupt, asyncio.CancelledError):
        terminal.console.print()
    terminal.say_goodbye()


def clean(text: str) -> str:
    """`text` without control characters, which could move the cursor or hide words.

    Line breaks and tabs stay; directional marks go, as they can turn a number around.
    """
    return "".join(sign for sign in text if sign in "\n\t" or not _is_control(sign))


class _Terminal:
    def __init__(self, receiver: Receiver, console: Console, chat_id: str) -> None:
        self.console = console
        self._receiver = receiver
        self._chat_id = chat_id
        self._buttons: tuple[Button, ...] = ()

    async def talk(self, ask: Ask) -> None:
        """Greet, then answer line after line."""
        await self._hear(Message(chat=self._chat_id, text="/start"))
        self.console.print(Text(_HINT, style="dim"))
        while True:
            typed = clean(await ask()).strip()
            if typed.casefold() in _QUIT:
                return
            await self._hear(self._message(typed))

    def say_goodbye(self) -> None:
        """Leave with the number that may be needed."""
        card = self._receiver.emergency_card()
        line = next((text.split("\n", 1)[0] for text in card.texts), "")
        self.console.print(Text(f"Take care. {clean(line)}"))

    def _message(self, typed: str) -> Message:
        """What was typed; the number of a button is a press of it."""
        place = int(typed) - 1 if typed.isdecimal() and len(typed) < 3 else -1
        if 0 <= place < len(self._buttons):
            return Message(chat=self._chat_id, button=self._buttons[place].action)
        return Message(chat=self._chat_id, text=typed)

    async def _hear(self, message: Message) -> None:
        shown = False

        async def send(reply: Reply) -> DeliveryStatus:
            nonlocal shown
            shown = shown or bool(reply.texts)
            self._show(reply)
            return "sent"

        try:
            await self._receiver.receive(message, send)
        except Exception as error:  # the channel's error handler
            log.error("message not handled", extra={"error": whereabouts(error)})
            if not shown:
                self._show(self._receiver.emergency_card())

    def _show(self, reply: Reply) -> None:
        if not reply.texts:
            return
        for text in reply.texts:
            shown = _bubble(clean(text), urgent=not reply.can_wait)
            self.console.print(shown, width=min(self.console.width, _WIDTH))
        for number, button in enumerate(reply.buttons, start=1):
            line = Text.assemble((f"{number:>3}", "bold cyan"), "  ", clean(button.label))
            self.console.print(line)
        self._buttons = reply.buttons


def _bubble(text: str, *, urgent: bool) -> Panel | Padding:
    if not urgent:
        return Padding(Text(text), (1, 2, 0, 2))
    first, newline, rest = text.partition("\n")
    return Panel(Text.assemble((first, "bold"), newline, rest), border_style="red", padding=(0, 1))


def _ask_on(console: Console) -> Ask:
    """Read lines in a thread that nobody waits for, so that Ctrl-C ends the chat at once."""

    async def ask() -> str:
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str] = loop.create_future()
        Thread(target=_read_line, args=(console, loop, line), daemon=True).start()
        return await line

    return ask


def _read_line(
    console: Console, loop: asyncio.AbstractEventLoop, line: asyncio.Future[str]
) -> None:
    try:
        typed = console.input(Text("\nyou › ", style="bold"))
    except EOFError as end:
        loop.call_soon_threadsafe(line.set_exception, end)
    else:
        loop.call_soon_threadsafe(line.set_result, typed)


def _is_control(sign: str) -> bool:
    """Whether a character is a control (Cc), a directional mark or half a surrogate pair."""
    return unicodedata.category(sign) in ("Cc", "Cs") or sign in _DIRECTIONS


_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
