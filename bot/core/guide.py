"""The dispatcher-style guide: one question at a time after a card, safest first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.knowledge import GuideAnswer, Question
from bot.core.model import Button, GuideState, Level
from bot.core.replies import Scribe, Subject

NOT_SURE = "not_sure"


@dataclass(frozen=True, slots=True)
class Turn:
    """What an answer leads to: what to say, where the guide stands, and a new card or ""."""

    says: str
    state: GuideState
    card: str = ""
    also: str = ""


def start(
    scribe: Scribe, label: str, subject: Subject, *, done: tuple[str, ...] = ()
) -> GuideState:
    """The guide of a card, at its first question that is not done yet."""
    return _advanced(scribe, GuideState(kind=label, done=done), subject)


def answer(scribe: Scribe, state: GuideState, answer_id: str, subject: Subject) -> Turn:
    """What follows from an answer; "not sure" and unknown ids count as the worse answer."""
    question = scribe.question(state.asked)
    chosen = _chosen(question, answer_id)
    says = chosen.says_self if subject == "self" and chosen.says_self else chosen.says
    if question.id == "who_is_it":
        subject = "self" if chosen.id == "me" else "other"
    done = (*state.done, question.id)
    if _raises(chosen.goes_to, state.kind):
        return Turn(scribe.fill(says), replace(state, done=done), chosen.goes_to, chosen.also)
    moved = _advanced(scribe, replace(state, done=done), subject)
    return Turn(scribe.fill(says), moved, "", chosen.also)


def question_text(scribe: Scribe, state: GuideState, subject: Subject) -> str:
    """The open question with the number under it, or the closing words."""
    level = Level.parse(state.kind.partition("/")[0])
    if not state.asked:
        return scribe.phrase(_end_key(level, subject))
    question = scribe.question(state.asked)
    ask = question.ask_self if subject == "self" else question.ask
    return f"{scribe.fill(ask)}\n{scribe.phrase(_number_key(level))}"


def buttons(scribe: Scribe, state: GuideState) -> tuple[Button, ...]:
    """The answers of the open question, "not sure", and the ways out of the guide."""
    shown: tuple[Button, ...] = ()
    if state.asked:
        question = scribe.question(state.asked)
        shown = tuple(
            Button(option.label, f"guide:{question.id}:{option.id}") for option in question.answers
        )
        shown += (scribe.button("not_sure", f"guide:{question.id}:{NOT_SURE}"),)
    level = Level.parse(state.kind.partition("/")[0])
    if level is Level.EMERGENCY:
        shown += (scribe.button("help_coming", "help_coming"),)
        shown += (scribe.button("cannot_call", "cannot_call"),)
    else:
        shown += (scribe.button("emergency", "emergency"),)
    return (*shown, scribe.button("steps", "steps"))


def _advanced(scribe: Scribe, state: GuideState, subject: Subject) -> GuideState:
    for question_id in scribe.card(state.kind).guide:
        question = scribe.question(question_id)
        asks = question.ask_self if subject == "self" else question.ask
        if asks and question_id not in state.done:
            return replace(state, asked=question_id)
    return replace(state, asked="")


def _chosen(question: Question, answer_id: str) -> GuideAnswer:
    worse = next(option for option in question.answers if option.worse)
    return next((option for option in question.answers if option.id == answer_id), worse)


def _raises(goes_to: str, kind: str) -> bool:
    """Whether the next card is another one, and not of a lower level."""
    if not goes_to or goes_to == kind:
        return False
    return _level(goes_to) >= _level(kind)


def _level(label: str) -> Level:
    return Level.parse(label.partition("/")[0])


def _end_key(level: Level, subject: Subject) -> str:
    if level is Level.SUICIDE_CRISIS:
        return "guide_end_crisis"
    if level is Level.URGENT:
        return "guide_end_urgent"
    return "guide_end_self" if subject == "self" else "guide_end"


def _number_key(level: Level) -> str:
    return {
        Level.SUICIDE_CRISIS: "guide_number_crisis",
        Level.URGENT: "guide_number_urgent",
    }.get(level, "guide_number")
