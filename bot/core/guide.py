"""The dispatcher-style guide: one question at a time after a card, safest first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.knowledge import GuideAnswer, Question
from bot.core.model import Button, GuideState, Level
from bot.core.replies import CPR_CARD, Scribe, Subject

NOT_SURE = "not_sure"
BREATHING = "breathing"  # the question whose "not sure" is looked into
CHEST_MOVES = "chest_moves"  # the question that looks into it; its "not sure" is a no


@dataclass(frozen=True, slots=True)
class Turn:
    """What an answer leads to: what to say, where the guide stands, and a new card or ""."""

    says: str
    state: GuideState
    card: str = ""
    also: str = ""


def start(
    scribe: Scribe,
    label: str,
    subject: Subject,
    *,
    done: tuple[str, ...] = (),
    cpr: bool = False,
) -> GuideState:
    """The guide of a card, at its first question that is not done yet."""
    return _advanced(scribe, GuideState(kind=label, done=done, cpr=cpr), subject)


def answer(scribe: Scribe, state: GuideState, answer_id: str, subject: Subject) -> Turn:
    """What follows from an answer; "not sure" and unknown ids count as the worse answer."""
    question = scribe.question(state.asked)
    if (
        question.id == BREATHING
        and subject != "self"
        and not state.cpr
        and not _is_answer(question, answer_id)
    ):
        # Pushing may harm who breathes: nobody knows yet, so the check comes first.
        again = tuple(each for each in state.done if each != CHEST_MOVES)
        checks = replace(state, done=(*again, BREATHING), put_again=False)
        return Turn("", checks, CPR_CARD)
    chosen = _chosen(question, answer_id)
    says = chosen.says_self if subject == "self" and chosen.says_self else chosen.says
    if question.id == "who_is_it" and not state.cpr:
        subject = "self" if chosen.id == "me" else "other"
    # Who writes cannot be who needs CPR.
    cpr = state.cpr or (chosen.starts_cpr and subject != "self")
    done = replace(state, done=(*state.done, question.id), cpr=cpr, put_again=False)
    if cpr and not state.cpr:
        return Turn(scribe.fill(says), done, CPR_CARD, chosen.also)
    if not cpr and _raises(chosen.goes_to, state.kind):
        return Turn(scribe.fill(says), done, chosen.goes_to, chosen.also)
    return Turn(scribe.fill(says), _advanced(scribe, done, subject), "", chosen.also)


def passed(scribe: Scribe, state: GuideState, subject: Subject) -> Turn:
    """What follows where nothing was understood and the worse answer's card would raise the
    level: its words, and the next question. Breath is looked at first."""
    question = scribe.question(state.asked)
    done = replace(state, done=(*state.done, question.id), put_again=False)
    if question.id == BREATHING and subject != "self":
        return Turn("", replace(done, asked=CHEST_MOVES))
    worse = _chosen(question, NOT_SURE)
    says = worse.says_self if subject == "self" and worse.says_self else worse.says
    return Turn(scribe.fill(says), _advanced(scribe, done, subject))


def still_done(scribe: Scribe, state: GuideState | None) -> tuple[str, ...]:
    """What a new alarm need not ask again: all that cannot have become worse since."""
    if state is None:
        return ()
    known = [question_id for question_id in state.done if scribe.has_question(question_id)]
    return tuple(
        question_id
        for question_id in known
        if not any(
            answer.goes_to or answer.starts_cpr for answer in scribe.question(question_id).answers
        )
    )


def question_text(
    scribe: Scribe, state: GuideState, subject: Subject, *, with_card: bool = False
) -> str:
    """The open question with the number under it, or the closing words.

    `with_card` says that it stands right under a card. That of CPR is long, and says it all.
    """
    if not state.asked:
        return _end(scribe, state, subject)
    question = scribe.question(state.asked)
    ask = question.ask_self if subject == "self" else question.ask
    if state.cpr and with_card and not state.help_coming:
        return scribe.fill(ask)
    return f"{scribe.fill(ask)}\n{scribe.phrase(_number_key(state))}"


def buttons(scribe: Scribe, state: GuideState) -> tuple[Button, ...]:
    """The answers of the open question, "not sure", and the ways out of the guide."""
    shown: tuple[Button, ...] = ()
    if state.asked:
        question = scribe.question(state.asked)
        shown = tuple(
            Button(option.label, f"guide:{question.id}:{option.id}") for option in question.answers
        )
        shown += (scribe.button("not_sure", f"guide:{question.id}:{NOT_SURE}"),)
    if state.cpr:
        shown += (scribe.button("breathing_again", "breathing_again"),)
    if _level(state.kind) is not Level.EMERGENCY:
        shown += (scribe.button("emergency", "emergency"),)
    elif not state.help_coming:
        shown += (scribe.button("help_coming", "help_coming"),)
        shown += (scribe.button("cannot_call", "cannot_call"),)
    return (*shown, scribe.button("steps", "steps"))


def _advanced(scribe: Scribe, state: GuideState, subject: Subject) -> GuideState:
    for question_id in scribe.card(state.kind).guide:
        question = scribe.question(question_id)
        asks = question.ask_self if subject == "self" else question.ask
        settled = question_id in state.done or (state.cpr and question.may_start_cpr)
        if asks and not settled:
            return replace(state, asked=question_id)
    return replace(state, asked="")


def _chosen(question: Question, answer_id: str) -> GuideAnswer:
    worse = next(option for option in question.answers if option.worse)
    return next((option for option in question.answers if option.id == answer_id), worse)


def _is_answer(question: Question, answer_id: str) -> bool:
    return any(option.id == answer_id for option in question.answers)


def _raises(goes_to: str, kind: str) -> bool:
    """Whether the next card is another one, and not of a lower level."""
    if not goes_to or goes_to == kind:
        return False
    return _level(goes_to) >= _level(kind)


def _level(label: str) -> Level:
    return Level.parse(label.partition("/")[0])


def _end(scribe: Scribe, state: GuideState, subject: Subject) -> str:
    """The closing words. Whoever does CPR is told to go on, however the guide ends."""
    level = _level(state.kind)
    key = "guide_end_self" if subject == "self" else "guide_end"
    if level is Level.SUICIDE_CRISIS:
        key = "guide_end_crisis"
    elif level is Level.URGENT:
        key = "guide_end_urgent"
    elif state.help_coming:
        key = "guide_end_coming"
    words = scribe.phrase(key)
    return f"{scribe.phrase('cpr_go_on')}\n{words}" if state.cpr else words


def _number_key(state: GuideState) -> str:
    level = _level(state.kind)
    if state.cpr and state.help_coming:
        return "cpr_go_on"
    if state.cpr:
        return "guide_number_cpr"
    if level is Level.EMERGENCY and state.help_coming:
        return "guide_number_coming"
    return {
        Level.SUICIDE_CRISIS: "guide_number_crisis",
        Level.URGENT: "guide_number_urgent",
    }.get(level, "guide_number")
