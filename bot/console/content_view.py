"""Content made ready to be read: topics with what they have, cards, and what a person gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bot.content.catalogue import Catalogue
from bot.content.intents import Placed, Voice
from bot.content.responses import SIGNED
from bot.core.decide import Content, decide
from bot.core.explanation import stranger
from bot.core.knowledge import Answer, Card, Knowledge
from bot.core.model import Button, Message, Reply

HOME = "en"
CARDS = "cards"  # what the filter calls the cards, beside the groups of topics


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filter asks for: words, a group or CARDS, and only what needs a review."""

    words: str = ""
    group: str = ""
    review: bool = False

    def takes(self, text: str, group: str, *, needs_review: bool) -> bool:
        """Whether something of this text and group is asked for; every word must stand in it."""
        if self.group and group != self.group:
            return False
        if self.review and not needs_review:
            return False
        folded = text.casefold()
        return all(word in folded for word in self.words.casefold().split())


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic in the table. `path` is the same in intents/, responses/ and tests/cases/."""

    topic: str
    question: str
    answer: Answer
    examples: int
    near_misses: int
    proofs: int
    languages: tuple[str, ...]
    path: str
    overdue: bool

    @property
    def needs_review(self) -> bool:
        """Whether nobody has signed the answer, or its next review is past."""
        return self.answer.review_status != SIGNED or self.overdue


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card of a level in the table, with the languages that have it."""

    card: Card
    languages: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Speaker:
    """What one voice says of a topic, and where. `who` is "" where nothing is told of them."""

    voice: str
    who: str
    language: str
    path: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A button as a person sees it; `topic` is what it asks for, or "" for no topic."""

    label: str
    topic: str


def topic_row(topic: str, knowledge: Knowledge, catalogue: Catalogue, today: date) -> TopicRow:
    """What a topic has. Raises KeyError for one that is not served."""
    answer, said = knowledge.books[HOME].answers[topic], catalogue.of(topic)
    return TopicRow(
        topic=topic,
        question=knowledge.questions[topic],
        answer=answer,
        examples=len(said.examples),
        near_misses=len(said.near_misses),
        proofs=len(said.proofs),
        languages=tuple(code for code, book in knowledge.books.items() if topic in book.answers),
        path=f"{HOME}/{answer.group}/{topic}.yml",
        overdue=bool(answer.review_due) and answer.review_due < today.isoformat(),
    )


def topic_groups(
    knowledge: Knowledge, catalogue: Catalogue, today: date, wanted: Wanted
) -> Mapping[str, tuple[TopicRow, ...]]:
    """The topics that are asked for, by group; no group without any."""
    found: dict[str, tuple[TopicRow, ...]] = {}
    for topic, group in knowledge.topics.items():
        row = topic_row(topic, knowledge, catalogue, today)
        text = f"{topic} {row.question} {row.answer.answer} {row.answer.more}"
        if wanted.takes(text, group, needs_review=row.needs_review):
            found[group] = (*found.get(group, ()), row)
    return found


def card_rows(knowledge: Knowledge, wanted: Wanted) -> tuple[CardRow, ...]:
    """The cards that are asked for, those of emergencies first."""
    books = knowledge.books
    rows = [
        CardRow(
            card,
            tuple(code for code, book in books.items() if label in book.cards),
            f"responses/{HOME}/levels/{card.level.label}/{card.kind}.yml",
        )
        for label, card in books[HOME].cards.items()
    ]
    found = [
        row
        for row in rows
        if wanted.takes(
            f"{row.card.label} {row.card.means} {row.card.first_line}",
            CARDS,
            needs_review=row.card.review_status != SIGNED,
        )
    ]
    return tuple(sorted(found, key=lambda row: (-row.card.level, row.card.kind)))


def speakers(placed: Iterable[Placed], voices: Mapping[str, Voice]) -> tuple[Speaker, ...]:
    """Messages by who says them, in the order of the files."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for each in placed:
        example = each.example
        key = (example.voice, example.language, each.path)
        found.setdefault(key, []).append(example.text)
    return tuple(
        Speaker(voice, voices[voice].who if voice in voices else "", language, path, tuple(texts))
        for (voice, language, path), texts in found.items()
    )


def near_misses(placed: Iterable[Placed]) -> Mapping[str, tuple[str, ...]]:
    """The near misses of a topic by the label that they belong to."""
    found: dict[str, tuple[str, ...]] = {}
    for each in placed:
        found[each.example.label] = (*found.get(each.example.label, ()), each.example.text)
    return found


def as_seen(topic: str, verb: str, content: Content, country: str, at: datetime) -> Reply:
    """What a stranger on the web page gets who asks for a topic: `verb` is topic or more."""
    message = Message(chat="web:content", button=f"{verb}:{topic}", at=at)
    return decide(message, stranger(country), content).reply


def choices(buttons: Iterable[Button]) -> tuple[Choice, ...]:
    """The buttons of a reply, with the topics that they ask for."""
    return tuple(
        Choice(each.label, each.action.removeprefix("topic:"))
        if each.action.startswith("topic:")
        else Choice(each.label, "")
        for each in buttons
    )


def countries(knowledge: Knowledge) -> tuple[tuple[str, str], ...]:
    """Every country by code and name, in the order of names."""
    found = ((iso, lines.name) for iso, lines in knowledge.helplines.countries.items())
    return tuple(sorted(found, key=lambda each: each[1]))
