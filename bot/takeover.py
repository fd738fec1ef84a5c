"""Staff write to a person: kept first, then delivered in the chat of the case.

The web page fetches its lines by itself; every other channel is told to send them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.core.actions import Refusal
from bot.core.escalation import Case
from bot.core.knowledge import Knowledge, StaffText
from bot.core.model import DeliveryStatus
from bot.core.takeover import approved, framed, is_reachable
from bot.delivery import StaffLine
from bot.errors import StoreAway, StoreError, whereabouts
from bot.store import Store
from bot.store.talk import Letter

log = logging.getLogger(__name__)

Send = Callable[[str, str], Awaitable[DeliveryStatus]]
FETCHED = "web"  # the channel whose page asks for its lines
WAIT_S = 5.0  # how long whoever writes waits to be told that it arrived
FETCH_S = 0.5  # how long a page waits for lines of staff; it may show an emergency card
LOOK_S = 5.0  # seconds between two looks whether somebody left without a word
# A page that did not ask for a line within this time is closed; a chat has given it up.
GIVEN_UP = timedelta(hours=2)
# A line that nobody has tried to deliver for so long was left by a process that died.
LEFT_OVER = timedelta(seconds=30)


@dataclass(slots=True)
class Takeover:
    """How staff write to people. `send` names the channels that deliver at once: chat, text.

    With `free` staff may write their own words, else approved texts alone. `store` gives the
    open store, or None.
    """

    store: Callable[[], Store | None]
    knowledge: Knowledge
    send: Mapping[str, Send]
    free: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    fetch_s: float = FETCH_S
    _sending: dict[str, asyncio.Task[DeliveryStatus]] = field(default_factory=dict)

    def texts(self, case: Case) -> tuple[StaffText, ...]:
        """The approved texts, as the person of `case` would get them."""
        return approved(self.knowledge, case)

    def framed(self, case: Case, text: str, *, leaving: bool) -> str:
        """What the person gets to read."""
        return framed(self.knowledge, case, text, leaving=leaving)

    async def can_reach(self, case: Case) -> bool:
        """Whether the chat of the case is kept, and one that staff can write in."""
        chat = await self._opened().chat_of(case)
        return chat is not None and is_reachable(chat) and self._has_line(chat)

    async def write(
        self, case: Case, author: str, text: str, *, leaving: bool
    ) -> DeliveryStatus | Refusal | None:
        """Write to the person of `case`, as it was when the preview was made.

        Gives how it went, or None while it is on its way. Raises StoreError: then nothing
        was sent.
        """
        shown = self.framed(case, text, leaving=leaving)
        letter = await self._opened().talk.write(
            case.number, author, shown, row_version=case.row_version, leaving=leaving
        )
        return letter if isinstance(letter, Refusal) else await self._deliver(letter)

    async def leave(self, case: Case, author: str) -> DeliveryStatus | Refusal | None:
        """Tell the person of `case` that `author` is gone; as `write`, without a text."""
        shown = self.framed(case, "", leaving=True)
        letter = await self._opened().talk.leave(case.number, shown, actor=author)
        return letter if isinstance(letter, Refusal) else await self._deliver(letter)

    async def fetch(self, chat: str, after: int) -> tuple[StaffLine, ...]:
        """What was written to this chat after the line at the place `after`, oldest first.

        It counts as delivered, but every page of the chat may ask for it, of whatever process.
        Nothing while the store is away.
        """
        store = self.store()
        if store is None:
            return ()
        try:
            async with asyncio.timeout(self.fetch_s):
                return await store.talk.posted(chat, after, since=self.now() - GIVEN_UP)
        except (StoreError, TimeoutError) as error:
            log.warning("lines of staff not fetched", extra={"error": type(error).__name__})
            return ()

    async def watch(self) -> None:
        """Tell people when somebody is gone without a word, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:  # this runs beside the chats, which must go on
                log.error("takeovers not looked at: %s", whereabouts(error))
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """End the takeovers that are over, deliver lines that a dead process left, and give up
        those that nobody can deliver."""
        store = self.store()
        if store is None:
            return
        await self._go_on(store)
        for number in await store.talk.ended(self.now()):
            try:
                await self._end(store, number)
            except Exception as error:  # the next case is somebody else's
                log.error("a takeover was not ended: %s", whereabouts(error))
        for line_id in await store.talk.undelivered(self.now() - GIVEN_UP):
            await store.talk.settle(line_id, "failed")

    async def _go_on(self, store: Store) -> None:
        """Keep others from the lines in hand, and take over what others dropped.

        After a crash a line may come twice; better than never.
        """
        if self._sending:
            await store.talk.still_trying(tuple(self._sending))
        for letter in await store.talk.left_over(tuple(self.send), self.now() - LEFT_OVER):
            if letter.id not in self._sending:
                log.warning("a line of staff that was left over is delivered")
                await self._deliver(letter)

    async def _end(self, store: Store, number: int) -> None:
        """Tell the person of a case that whoever took over is gone."""
        case = await store.find(number)
        if case is None:
            return
        letter = await store.talk.leave(number, self.framed(case, "", leaving=True))
        if isinstance(letter, Letter):
            await self._deliver(letter)

    async def _deliver(self, letter: Letter) -> DeliveryStatus | None:
        """Send at once where the channel can, and wait a moment for how it went."""
        channel = letter.chat.partition(":")[0]
        if channel == FETCHED:
            return None
        task = asyncio.create_task(self._sent(letter, self.send.get(channel)))
        self._sending[letter.id] = task
        task.add_done_callback(lambda _: self._sending.pop(letter.id, None))
        done, _ = await asyncio.wait({task}, timeout=WAIT_S)
        return task.result() if done else None

    async def _sent(self, letter: Letter, send: Send | None) -> DeliveryStatus:
        status: DeliveryStatus = "failed"
        try:
            if send and is_reachable(letter.chat):
                status = await send(letter.chat, letter.text)
        except Exception as error:  # whatever a channel raises: it did not arrive
            log.error("line of staff not delivered", extra={"error": type(error).__name__})
        try:
            await self._opened().talk.settle(letter.id, status)
        except StoreError as error:
            log.error("delivery of a line not noted", extra={"error": type(error).__name__})
        return status

    def _has_line(self, chat: str) -> bool:
        channel = chat.partition(":")[0]
        return channel == FETCHED or channel in self.send

    def _opened(self) -> Store:
        store = self.store()
        if store is None:
            raise StoreAway("The store is not open yet.")
        return store
