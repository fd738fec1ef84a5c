"""The conversations of the web chat, kept in memory for as long as a browser session."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from bot.core.model import Button, Reply
from bot.delivery import StaffLine

_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")  # what secrets.token_urlsafe(32) gives


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. `numbers` are the phone numbers in it that may be tapped.

    `place` is that of the line of staff, in whatever process it is shown; 0 for all else.
    """

    by_bot: bool
    texts: tuple[str, ...]
    buttons: tuple[Button, ...] = ()
    urgent: bool = False
    numbers: tuple[str, ...] = ()
    place: int = 0

    @property
    def by_staff(self) -> bool:
        """Whether a human of the staff wrote it."""
        return self.place > 0


@dataclass(slots=True)
class Conversation:
    """The turns of one browser session, oldest first.

    `is_live` says that staff may know of it and write here.
    """

    chat: str
    turns: deque[Turn]
    seen_at: float
    is_live: bool = False
    last_place: int = 0

    def say(self, text: str) -> Turn:
        """Add what the person said."""
        return self._add(Turn(by_bot=False, texts=(text,)))

    def answer(self, reply: Reply, numbers: tuple[str, ...] = ()) -> Turn:
        """Add what the bot answered."""
        return self._add(
            Turn(
                by_bot=True,
                texts=reply.texts,
                buttons=reply.buttons,
                urgent=not reply.can_wait,
                numbers=numbers,
            )
        )

    def hear_staff(self, line: StaffLine) -> None:
        """Add what somebody of the staff wrote, once."""
        if line.place not in {turn.place for turn in self.turns}:
            self.last_place = max(self.last_place, line.place)
            self._add(Turn(by_bot=False, texts=(line.text,), place=line.place))

    def staff_after(self, place: int) -> tuple[Turn, ...]:
        """What staff wrote after the turn of theirs at `place`."""
        return tuple(turn for turn in self.turns if turn.place > place)

    def label_of(self, action: str) -> str:
        """What a button that was shown says, or "" for one that never was."""
        shown = (button for turn in self.turns for button in turn.buttons)
        return next((button.label for button in shown if button.action == action), "")

    def _add(self, turn: Turn) -> Turn:
        self.turns.append(turn)
        return turn


class Conversations:
    """All open conversations. Old and surplus ones are dropped, the longest unused first.

    The browser holds a ticket, 256 random bits in a cookie. We keep only its digest, which
    also names the chat, so that neither memory nor store can open a conversation.
    """

    def __init__(
        self,
        *,
        limit: int = 5_000,
        turns: int = 100,
        idle_s: float = 2 * 3600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._turns = turns
        self._idle_s = idle_s
        self._clock = clock
        self._open: OrderedDict[str, Conversation] = OrderedDict()

    def find(self, ticket: str) -> Conversation | None:
        """The conversation of a ticket, or None if it never began or is over."""
        self._drop_old()
        return self._open.get(_digest(ticket))

    def join(self, ticket: str) -> tuple[str, Conversation]:
        """The conversation of a ticket, begun if need be, and the ticket to keep.

        A ticket that we could not have given out is replaced by a new one.
        """
        if not _TICKET.fullmatch(ticket):
            ticket = secrets.token_urlsafe(32)
        self._drop_old()
        digest = _digest(ticket)
        begun = Conversation(f"web:{digest[:32]}", deque(maxlen=self._turns), 0.0)
        conversation = self._open.setdefault(digest, begun)
        conversation.seen_at = self._clock()
        self._open.move_to_end(digest)
        return ticket, conversation

    def rejoin(self, ticket: str) -> Conversation | None:
        """The conversation of a ticket that we may have given out before a restart."""
        return self.join(ticket)[1] if _TICKET.fullmatch(ticket) else None

    def end(self, ticket: str) -> None:
        """Drop the conversation of a ticket."""
        self._open.pop(_digest(ticket), None)

    def _drop_old(self) -> None:
        oldest_allowed = self._clock() - self._idle_s
        while self._open:
            first = next(iter(self._open.values()))
            if len(self._open) <= self._limit and first.seen_at >= oldest_allowed:
                return
            self._open.popitem(last=False)


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
