"""What stands behind a channel in its tests: it says what the test wrote down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bot.core.model import Button, Decision, Level, Message, Person, Reply
from bot.delivery import Fate, Send, Told
from bot.turns import Turns

CARD = Reply(("Call 112 or 911 now.\nStay with them.",))
ANSWER = Reply(("Baclofen relaxes muscles.",), can_wait=True)
URGENT = Reply(
    ("Call 112 now.\n- Check: are they breathing?", "Are they breathing normally?"),
    (Button("Not breathing", "guide:breathing:no"), Button("Breathing", "guide:breathing:yes")),
)


@dataclass(slots=True)
class Scripted:
    """Answers a text or button with the reply written for it, else with `ANSWER`.

    A text in `breaks` raises instead. All that was heard, and how each delivery went, is kept.
    What is done after a reply lasts until `kept`, where that is given,
    or ends in an error, with `breaks_late`.
    """

    replies: dict[str, Reply] = field(default_factory=dict)
    breaks: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    level: Level = Level.INFO
    path: tuple[str, ...] = ()
    kept: asyncio.Event | None = None
    breaks_late: bool = False
    kept_all: bool = False
    heard: list[Message] = field(default_factory=list)
    delivered: list[Fate] = field(default_factory=list)
    turns: Turns = field(default_factory=Turns)

    async def receive(self, message: Message, send: Send, told: Told | None = None) -> Decision:
        async with self.turns.take(message.chat, lambda: self.is_urgent(message)):
            return await self._receive(message, send, told)

    def is_urgent(self, message: Message) -> bool:
        return not self.replies.get(message.button or message.text, ANSWER).can_wait

    async def _receive(self, message: Message, send: Send, told: Told | None) -> Decision:
        self.heard.append(message)
        said = message.button or message.text
        if said in self.breaks:
            raise ValueError(f"could not make sense of {said}")
        reply = self.replies.get(said, ANSWER)
        decision = Decision(
            level=self.level,
            message_level=self.level,
            kind="",
            topic="",
            reply=reply,
            person=Person(),
            effects=self.effects,
            path=self.path,
        )
        if told:
            told(decision)
        self.delivered.append(await send(reply))
        if self.kept:
            await self.kept.wait()
        if self.breaks_late:
            raise ValueError("could not keep it")
        self.kept_all = True
        return decision

    def emergency_card(self, country: str = "") -> Reply:
        return CARD
