"""What the content pages draw on: the content that the bot serves, and its files as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from bot.content.catalogue import Catalogue, catalogue_of
from bot.content.intents import Placed
from bot.core.decide import Content, decide
from bot.core.explanation import Explanation, explained
from bot.core.model import Decision, Level, Message, Person

Outcome = Literal["reached", "offered", "missed", "alarm"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bot makes of a proving message now. `topic` is what it answers about, or ""."""

    proof: Placed
    outcome: Outcome
    level: Level
    topic: str
    asks: bool

    @property
    def fails(self) -> bool:
        """Whether whoever wrote this would not even be offered the topic."""
        return self.outcome in ("missed", "alarm")


class Shelf:
    """`find_content` gives what is served now, `root` is the folder of its files.

    At most one page at a time reads files or messages, in one thread beside those who are
    answered: however many pages are open, nobody waits for them.
    """

    def __init__(self, find_content: Callable[[], Content], root: Path) -> None:
        self._find_content = find_content
        self._root = root
        self._catalogue: Catalogue | None = None
        self._verdicts: dict[str, tuple[tuple[str, str], tuple[Verdict, ...]]] = {}
        self._one_at_a_time = asyncio.Lock()

    @property
    def content(self) -> Content:
        """The content that is served."""
        return self._find_content()

    async def catalogue(self) -> Catalogue:
        """The messages in the files as they are; none where a file cannot be opened."""
        async with self._one_at_a_time:
            try:
                found = await asyncio.to_thread(catalogue_of, self._root, self._catalogue)
            except OSError as error:
                return Catalogue({}, {}, version="", stamp="", unread=(self._place(error),))
            self._catalogue = found
        return found

    async def verdicts(self, topic: str, catalogue: Catalogue) -> tuple[Verdict, ...]:
        """Each message that proves `topic`, read by what is served now, failures first."""
        content = self.content
        stamp = (content.knowledge.versions.content, catalogue.stamp)
        async with self._one_at_a_time:
            known = self._verdicts.get(topic)
            if known is None or known[0] != stamp:
                proofs = catalogue.of(topic).proofs
                known = (stamp, await asyncio.to_thread(_judged, proofs, topic, content))
                self._verdicts[topic] = known
        return known[1]

    async def explained(self, text: str, country: str, at: datetime) -> Explanation:
        """What the bot makes of a message that is tried out. Nothing of it is kept."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(explained, text, self.content, country=country, at=at)

    def _place(self, error: OSError) -> str:
        """The file of an error, as content names it."""
        return str(error.filename or "").removeprefix(f"{self._root}/")


def _judged(proofs: tuple[Placed, ...], topic: str, content: Content) -> tuple[Verdict, ...]:
    found = [_verdict(proof, topic, content) for proof in proofs]
    return tuple(sorted(found, key=lambda each: (not each.fails, each.outcome != "offered")))


def _verdict(proof: Placed, topic: str, content: Content) -> Verdict:
    decision = decide(Message(chat="proof", text=proof.example.text), Person(), content)
    level = decision.message_level
    return Verdict(proof, _outcome(decision, topic), level, decision.topic, decision.asks)


def _outcome(decision: Decision, topic: str) -> Outcome:
    if decision.message_level.escalates:
        return "alarm"
    if decision.topic == topic:
        return "reached"
    return "offered" if any(each.topic == topic for each in decision.offers) else "missed"
