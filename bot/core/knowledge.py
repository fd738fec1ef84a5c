"""The curated knowledge as values: answers, cards, the guide's questions and helplines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.model import Level, Versions

DangerSigns = Literal["", "overdose", "withdrawal", "both"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The curated answer of one topic, with placeholders not yet filled in."""

    topic: str
    group: str
    answer: str
    more: str = ""
    see_also: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    danger_signs: DangerSigns = ""
    review_status: str = "pending"
    reviewed_by: str = ""
    reviewed_on: str = ""
    review_due: str = ""


@dataclass(frozen=True, slots=True)
class GuideAnswer:
    """One way to answer a guide's question.

    `worse` marks the answer that "not sure" and an unclear answer count as. `goes_to` is
    the label of the card that comes next (`emergency/breathing`), or "".
    `starts_cpr` says that CPR has to begin.
    `words` are folded typed wordings that mean this answer.
    """

    id: str
    label: str
    says: str
    says_self: str = ""
    worse: bool = False
    goes_to: str = ""
    also: str = ""
    starts_cpr: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a guide. An empty `ask` or `ask_self` is never asked of that person."""

    id: str
    ask: str
    ask_self: str
    answers: tuple[GuideAnswer, ...]

    @property
    def may_start_cpr(self) -> bool:
        """Whether it asks what is settled once CPR is under way."""
        return any(answer.starts_cpr for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Card:
    """What a person gets first for one kind of emergency, crisis or urgent need.

    `steps_if_cpr` take the place of `steps` once CPR is under way.
    """

    level: Level
    kind: str
    means: str
    first_line: str
    steps: tuple[str, ...]
    steps_if_self: tuple[str, ...] = ()
    steps_if_cpr: tuple[str, ...] = ()
    call_emergency_if: tuple[str, ...] = ()
    say_to_call_handler: str = ""
    guide: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    review_status: str = "pending"

    @property
    def label(self) -> str:
        """The label of messages that get this card: `emergency/overdose`."""
        return label_of(self.level, self.kind)


@dataclass(frozen=True, slots=True)
class Line:
    """A helpline as it may be shown. `number` may be empty where only a text line exists."""

    name: str
    number: str = ""
    also: tuple[str, ...] = ()
    text: str = ""
    chat: str = ""
    hours: str = ""
    note: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountryLines:
    """The lines of one country. An empty tuple means that we know of no such line.

    `listed` is false where the emergency number comes from public phone-number data,
    which does not say whether police, fire or ambulance answers.
    """

    iso: str
    name: str
    emergency: tuple[str, ...] = ()
    emergency_also: tuple[str, ...] = ()
    emergency_note: str = ""
    suicide: tuple[Line, ...] = ()
    poison: tuple[Line, ...] = ()
    drug_alcohol: tuple[Line, ...] = ()
    medical_advice: tuple[Line, ...] = ()
    note: str = ""
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Helplines:
    """Every line we may show, by ISO 3166-1 alpha-2 code.

    `names` and `places` map folded country names and cities to codes.
    """

    checked: str
    countries: Mapping[str, CountryLines]
    names: Mapping[str, str]
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What people ask or tell while an emergency is open, and what we say to it.

    `cards` are the labels under which it holds; none is all. Each of the `wordings` is a row
    of parts that stand in the message in order; of a part's alternatives one must.
    `says_cpr` is said while CPR is under way, after the line that keeps it going.
    `only_cpr` says that it means nothing else; `shows_cpr` that the steps of CPR follow.
    """

    id: str
    says: str
    says_self: str = ""
    says_cpr: str = ""
    cards: tuple[str, ...] = ()
    only_cpr: bool = False
    shows_cpr: bool = False
    wordings: tuple[tuple[tuple[str, ...], ...], ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """All copy of one language. A key that a language lacks is looked up in English."""

    language: str
    phrases: Mapping[str, str]
    buttons: Mapping[str, str]
    lines: Mapping[str, str]
    answers: Mapping[str, Answer]
    cards: Mapping[str, Card]
    questions: Mapping[str, Question]
    asked: Mapping[str, Asked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A short question that leans on the topic before it ("how long does that last?").

    `after` are topics or groups that it may follow; `words` are folded wordings.
    """

    id: str
    after: tuple[str, ...]
    words: tuple[str, ...]
    goes_to: str


@dataclass(frozen=True, slots=True)
class Wordings:
    """Typed wordings that steer a conversation, folded: yes, no, not sure, denial, ..."""

    groups: Mapping[str, tuple[str, ...]]
    follow_ups: tuple[FollowUp, ...] = ()


@dataclass(frozen=True, slots=True)
class StaffText:
    """An approved text that staff may send to a person, with placeholders not yet filled in."""

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Practice:
    """How this service is run, as far as people are told of it.

    `is_staffed` says that somebody is on duty now who may read and write here. `sampled` is
    the share (0 to 1) of ordinary messages kept at random, `near_sampled` the share of those
    near the threshold.
    """

    is_staffed: bool = False
    sampled: float = 0.0
    near_sampled: float = 0.0


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything curated that a decision may draw on."""

    versions: Versions
    topics: Mapping[str, str]
    questions: Mapping[str, str]
    books: Mapping[str, Book]
    helplines: Helplines
    wordings: Wordings
    retention_days: int = 30
    groups: tuple[str, ...] = field(default=())
    staff_texts: tuple[StaffText, ...] = ()
    practice: Practice = field(default_factory=Practice)


def label_of(level: Level, kind: str) -> str:
    """The teaching label of a level and kind: `emergency/overdose`, `suicide_crisis`."""
    if level is Level.SUICIDE_CRISIS:
        return level.label
    return f"{level.label}/{kind}"


# The levels that labels begin with; every other label is a topic.
LEVELS = {
    level.label: level
    for level in (Level.EMERGENCY, Level.SUICIDE_CRISIS, Level.URGENT, Level.OUT_OF_SCOPE)
}


def level_of(label: str, topics: Mapping[str, str]) -> Level:
    """The level that a teaching label belongs to; topics of the group `bot` are chat."""
    head = label.partition("/")[0]
    if head in LEVELS:
        return LEVELS[head]
    return Level.CHAT if topics.get(head) == "bot" else Level.INFO


def kind_of(label: str) -> str:
    """The kind in a teaching label; the level's own name where it has only one kind."""
    head, _, tail = label.partition("/")
    return tail or head
