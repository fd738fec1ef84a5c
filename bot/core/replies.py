"""Composes replies from curated copy: cards, answers, small talk and buttons."""

from __future__ import annotations

from typing import Literal

from bot.core.helplines import UNKNOWN, country_lines, directory, emergency_short, fill
from bot.core.knowledge import Answer, Book, Card, Knowledge, Question
from bot.core.model import Button, Level, Person

CPR_CARD = "emergency/breathing"  # the card that tells how CPR is done
STEPS_FIRST = 3
CPR_STEPS_FIRST = 5  # who has to press needs the rate, the breaths, the AED and no end at once
LABEL_LIMIT = 40  # characters; Telegram cuts longer labels on a narrow phone
SEE_ALSO_SHOWN = 2
COUNTRIES_OFFERED = ("US", "GB", "CA", "AU", "IN", "IE")

Subject = Literal["", "self", "other"]
Channel = Literal["", "tg", "web", "terminal"]


def channel_of(chat: str) -> Channel:
    """The channel that a chat's id begins with; "" for every other."""
    found: dict[str, Channel] = {"tg": "tg", "web": "web", "terminal": "terminal"}
    return found.get(chat.partition(":")[0], "")


class Scribe:
    """Fills copy for one person on one channel, and remembers which numbers it showed."""

    def __init__(self, knowledge: Knowledge, person: Person, channel: Channel = "") -> None:
        self.knowledge = knowledge
        self.channel: Channel = channel
        self.english: Book = knowledge.books["en"]
        self.book: Book = knowledge.books.get(person.language, self.english)
        self.lines = country_lines(knowledge.helplines, person.country)
        self.numbers: list[str] = []

    @property
    def country_known(self) -> bool:
        """Whether we have an emergency number for the person's own country."""
        return self.lines is not UNKNOWN and bool(self.lines.emergency)

    def fill(self, template: str, **extra: str) -> str:
        """The template with this person's numbers in place."""
        filled = fill(template, self.lines, self.book, extra=extra)
        self.numbers.extend(filled.numbers)
        return filled.text

    def phrase(self, key: str, **extra: str) -> str:
        """A piece of small talk in the person's language, or in English."""
        own = self.book.phrases.get(key)
        if own is None:
            return self.fill(self.english.phrases[key], watch=self.watch(self.english), **extra)
        return self.fill(own, watch=self.watch(self.book), **extra)

    def for_person(self, person: Person) -> Scribe:
        """A scribe for the same channel and another person, or the same with more known."""
        return Scribe(self.knowledge, person, self.channel)

    def by_channel(self, key: str) -> str:
        """A phrase in the wording that is true of this channel."""
        return self.phrase(f"{key}_{self.channel or 'other'}")

    def watch(self, book: Book) -> str:
        """Whether somebody may read along now, in the words of `book` or else in English."""
        key = "staff_on_duty" if self.knowledge.practice.is_staffed else "nobody_watches"
        return (book.phrases.get(key) or self.english.phrases[key]).strip()

    def button(self, key: str, action: str) -> Button:
        """A button with its curated label."""
        return Button(self.book.buttons.get(key) or self.english.buttons[key], action)

    def card(self, label: str) -> Card:
        """The card of a label; a kind without its own card gets the level's `other`."""
        for cards in (self.book.cards, self.english.cards):
            if label in cards:
                return cards[label]
        return self.english.cards[f"{label.partition('/')[0]}/other"]

    def question(self, question_id: str) -> Question:
        """A guide's question in the person's language, or in English."""
        return self.book.questions.get(question_id) or self.english.questions[question_id]

    def has_question(self, question_id: str) -> bool:
        """Whether the guide knows such a question; content may have changed since it asked."""
        return question_id in self.english.questions

    def directory(self) -> str:
        """Every line of the person's country, one a row."""
        if not self.lines.emergency:
            return self.phrase("country_no_number")
        rows = directory(self.lines, self.book)
        return rows if self.lines.listed else f"{rows}\n{self.phrase('country_unlisted_note')}"


def card_text(
    scribe: Scribe,
    card: Card,
    subject: Subject,
    *,
    cpr: bool = False,
    says: str = "",
    is_under: bool = False,
) -> str:
    """The first message of a card: the number in the first line, then the first steps.

    `says` is what an answer in the guide led to; it stands between the two. `is_under` says
    that an emergency is open, whose number stands before: nobody is sent to another line then.
    """
    # In an emergency a missing poison centre stands for the ambulance (emergencies.yml, meta).
    extra = _poison_fallback(scribe, card)
    first = scribe.fill(card.first_line, **extra)
    if card.level is Level.SUICIDE_CRISIS and not scribe.lines.suicide:
        first += " " + scribe.phrase("crisis_number")
    shown = first_steps(card, subject, cpr=cpr)
    if is_under:
        kept = [step for step in _steps(card, subject) if not _names_a_line(step)]
        shown = tuple(kept[:STEPS_FIRST])
    steps = [f"{n}. {scribe.fill(step, **extra)}" for n, step in enumerate(shown, start=1)]
    head = [] if is_under else [first]
    parts = [*head, *([says] if says else []), "\n".join(steps)]
    if card.level is Level.URGENT and card.call_emergency_if:
        signs = "\n".join(f"- {sign}" for sign in card.call_emergency_if)
        parts.append(f"{scribe.phrase('danger_urgent')}\n{signs}")
    return "\n\n".join(parts)


def _names_a_line(step: str) -> bool:
    return "{poison_centre}" in step or "{nurse_line}" in step


def more_steps_text(scribe: Scribe, card: Card, subject: Subject, *, cpr: bool = False) -> str:
    """The steps that the first message had no room for, and what to tell the call handler.

    While CPR is under way the first steps are said again: they are what has to be done.
    """
    extra = _poison_fallback(scribe, card)
    steps = _steps(card, subject, cpr=cpr)
    rest = steps if cpr else steps[STEPS_FIRST:]
    lines = [f"- {scribe.fill(step, **extra)}" for step in rest]
    if card.say_to_call_handler:
        lines.append(f"- {scribe.phrase('tell_the_crew')} {card.say_to_call_handler}")
    head = scribe.fill(card.first_line, **extra)
    return "\n".join([head, *lines])


def first_steps(card: Card, subject: Subject, *, cpr: bool = False) -> tuple[str, ...]:
    """The steps of the first message, without one that only repeats the first line."""
    shown = CPR_STEPS_FIRST if cpr and card.steps_if_cpr else STEPS_FIRST
    return _steps(card, subject, cpr=cpr)[:shown]


def cpr_steps(scribe: Scribe) -> str:
    """How CPR is done, step by step."""
    steps = scribe.card(CPR_CARD).steps_if_cpr
    return "\n".join(f"{n}. {scribe.fill(step)}" for n, step in enumerate(steps, start=1))


def answer_texts(scribe: Scribe, answer: Answer, *, someone_else: bool = False) -> str:
    """The curated answer with its danger signs and what kind of text it is."""
    parts = [scribe.fill(answer.answer, **_practice(scribe, answer))]
    if someone_else:
        parts.append(scribe.phrase("for_someone_else"))
    if answer.danger_signs:
        parts.append(scribe.phrase(f"danger_{answer.danger_signs}"))
    if answer.group != "bot":
        parts.append(scribe.phrase("answer_footer"))
    return "\n\n".join(parts)


def more_text(scribe: Scribe, answer: Answer) -> str:
    """The longer part of an answer, with its sources."""
    more = answer.more and scribe.fill(answer.more, **_practice(scribe, answer))
    parts = [more or scribe.phrase("no_more")]
    if answer.danger_signs:
        parts.append(scribe.phrase(f"danger_{answer.danger_signs}"))
    if answer.sources:
        parts.append(
            scribe.phrase(
                "more_footer",
                sources="; ".join(answer.sources),
                checked=scribe.knowledge.helplines.checked,
            )
        )
    return "\n\n".join(parts)


def topic_buttons(
    scribe: Scribe, answer: Answer, others: tuple[str, ...] = ()
) -> tuple[Button, ...]:
    """More, the other topics or else two related ones, and the way to emergency help."""
    buttons = []
    if answer.more:
        buttons.append(scribe.button("more", f"more:{answer.topic}"))
    shown = others or answer.see_also[:SEE_ALSO_SHOWN]
    related = [topic_button(scribe, topic) for topic in shown]
    return (*buttons, *related, scribe.button("emergency", "emergency"))


def topic_button(scribe: Scribe, topic: str) -> Button:
    """A button that asks for a topic, labelled with its question."""
    label = scribe.knowledge.questions[topic]
    if len(label) > LABEL_LIMIT:
        label = label[: LABEL_LIMIT - 1].rsplit(" ", 1)[0] + "…"
    return Button(label, f"topic:{topic}")


def country_buttons(scribe: Scribe) -> tuple[Button, ...]:
    """Countries that many people write from; every other one is typed."""
    countries = scribe.knowledge.helplines.countries
    return tuple(
        Button(countries[iso].name, f"country:{iso}")
        for iso in COUNTRIES_OFFERED
        if iso in countries
    )


def _steps(card: Card, subject: Subject, *, cpr: bool = False) -> tuple[str, ...]:
    steps = card.steps_if_self if subject == "self" and card.steps_if_self else card.steps
    if cpr and card.steps_if_cpr:
        steps = card.steps_if_cpr
    kept = []
    for step in steps:
        bare = _without_first_sentence(step, card.first_line)
        if bare == step or bare not in card.first_line:
            kept.append(bare)
    return tuple(step for step in kept if step)


def _without_first_sentence(step: str, first_line: str) -> str:
    """The step without a first sentence ("Call {emergency} now.") that opens the first line."""
    sentence, dot, rest = step.partition(". ")
    return rest if dot and first_line.startswith(sentence + dot.strip()) else step


def _practice(scribe: Scribe, answer: Answer) -> dict[str, str]:
    """How the service is run, for an answer that tells of it, in the language it is in."""
    practice, days = scribe.knowledge.practice, str(scribe.knowledge.retention_days)
    book = scribe.book if answer.topic in scribe.book.answers else scribe.english
    key, n = "ordinary_not_kept", ""
    if practice.sampled:
        key, n = "ordinary_sampled", str(round(1 / practice.sampled))
    elif practice.near_sampled:
        key = "ordinary_near_sampled"
    ordinary = book.phrases.get(key) or scribe.english.phrases[key]
    return {
        "retention_days": days,
        "watch": scribe.watch(book),
        "ordinary": scribe.fill(ordinary, retention_days=days, n=n),
        "channel_keeps": scribe.by_channel("privacy_keeps"),
        "channel_copies": scribe.by_channel("privacy_copies"),
    }


def _poison_fallback(scribe: Scribe, card: Card) -> dict[str, str]:
    if card.level is Level.EMERGENCY and not scribe.lines.poison:
        return {"poison_centre": emergency_short(scribe.lines, scribe.book)}
    return {}
