"""Alarms: the card, the guide after it, and what keeps a crisis open."""

from __future__ import annotations

from dataclasses import replace

from bot.core import guide, wordings
from bot.core.helplines import find_country, fold
from bot.core.knowledge import kind_of, label_of
from bot.core.model import (
    Assessment,
    Decision,
    Evidence,
    GuideState,
    Level,
    Reply,
)
from bot.core.replies import (
    Scribe,
    Subject,
    card_text,
)
from bot.core.turn import NOTHING_READ, Turn, calm, decided, in_crisis, open_header
from bot.core.understand import Reading

_ALWAYS_OTHER = {"unresponsive", "child", "breathing", "seizure"}

PLAIN_DENIAL = 6  # words; a longer message may hold a new alarm beside the denial


def escalation(turn: Turn, reading: Reading, *, path: str = "triage") -> Decision:
    """The card of a new alarm, then the guide. An open, higher alarm keeps its number first."""
    assessment = reading.assessment
    label = label_of(assessment.level, assessment.kind)
    subject = _subject(turn, reading)
    texts = []
    if turn.state.level > assessment.level:
        texts.append(open_header(turn.scribe, turn.state.level))
    return _with_card(
        turn, label, subject, before=texts, reading=reading, path=(path, label), done=()
    )


def emergency_asked(turn: Turn, argument: str) -> Decision:
    """`/emergency` or its button: the widest card, then the guide."""
    del argument
    return _asked_for(turn, Level.EMERGENCY, "other", "command:emergency")


def crisis_asked(turn: Turn, argument: str) -> Decision:
    """`/crisis` or its button: the crisis line, then the guide."""
    del argument
    return _asked_for(turn, Level.SUICIDE_CRISIS, "suicide_crisis", "command:crisis")


def error_card(scribe: Scribe) -> Reply:
    """What goes out when something broke: the widest help, no guide, nothing remembered."""
    buttons = (scribe.button("emergency", "emergency"), scribe.button("crisis", "crisis"))
    return Reply((scribe.phrase("error"),), buttons)


def group_alarm(turn: Turn, reading: Reading) -> Decision:
    """An alarm in a group: the card for all to see, no guide, nothing remembered."""
    assessment = reading.assessment
    card = turn.scribe.card(label_of(assessment.level, assessment.kind))
    text = card_text(turn.scribe, card, reading.subject)
    decision = decided(turn, reading, Reply((text, turn.scribe.phrase("group_private"))))
    return replace(decision, person=turn.person, kind=assessment.kind, path=("group", card.label))


def _asked_for(turn: Turn, level: Level, kind: str, rule: str) -> Decision:
    evidence = (Evidence(rule, "trigger", 0, 0, "", "asked for by button or command"),)
    reading = Reading(Assessment(level, kind, 1.0, evidence=evidence), subject="")
    return escalation(turn, reading, path=rule)


def _with_card(
    turn: Turn,
    label: str,
    subject: Subject,
    *,
    before: list[str],
    reading: Reading,
    path: tuple[str, ...],
    done: tuple[str, ...],
) -> Decision:
    scribe = turn.scribe
    card = scribe.card(label)
    asked = guide.start(scribe, card.label, subject, done=done)
    texts = [*before, card_text(scribe, card, subject), _guide_text(scribe, asked, subject)]
    if before:
        texts = ["\n\n".join(texts[:2]), *texts[2:]]
    raised = max(turn.state.level, card.level)
    state = replace(
        turn.state,
        level=raised,
        kind=card.kind if card.level >= turn.state.level else turn.state.kind,
        subject=subject,
        escalated_at=turn.message.at or turn.state.escalated_at,
        guide=asked,
        pending="",
    )
    decision = decided(turn, reading, Reply(tuple(texts), guide.buttons(scribe, asked)), state)
    return replace(decision, kind=card.kind, path=path)


def _guide_text(scribe: Scribe, asked: GuideState, subject: Subject) -> str:
    text = guide.question_text(scribe, asked, subject)
    return text if scribe.country_known else f"{text}\n\n{scribe.phrase('country_hint')}"


def guide_reply(turn: Turn, reading: Reading) -> Decision | None:
    """The reply to a message during the guide, or None where the guide is not concerned."""
    open_guide = turn.state.guide
    text = turn.message.text
    if open_guide is None or not turn.state.level.escalates:
        return None
    known = turn.scribe.knowledge.wordings
    if wordings.means(text, "help_coming", known):
        return help_coming(turn)
    if wordings.means(text, "cannot_call", known):
        return cannot_call(turn)
    if is_denial(turn):
        return denial(turn)
    if find_country(text, turn.scribe.knowledge.helplines):
        return country_told(turn)
    if open_guide.help_coming or not open_guide.asked:
        return None
    answered = guide_answer_in(turn, reading)
    if answered is not None:
        return answered
    if reading.outcome == "sure":
        return None
    return _unclear(turn, reading)


def guide_answer_in(turn: Turn, reading: Reading) -> Decision | None:
    """The guide's next step if the message answers its open question."""
    open_guide = turn.state.guide
    if open_guide is None or not open_guide.asked:
        return None
    question = turn.scribe.question(open_guide.asked)
    known = turn.scribe.knowledge.wordings
    answer_id = wordings.answer_id(turn.message.text, question, known)
    if answer_id:
        return guide_step(turn, open_guide, answer_id, reading)
    return _answers_a_later_question(turn, open_guide, reading)


def _answers_a_later_question(
    turn: Turn, open_guide: GuideState, reading: Reading
) -> Decision | None:
    """What somebody tells unasked ("I am alone") is taken as said, and the question stays.

    A worse alarm than the open one is no mere answer.
    """
    if reading.assessment.level > turn.state.level:
        return None
    for question_id in turn.scribe.card(open_guide.kind).guide:
        if question_id in open_guide.done or question_id == open_guide.asked:
            continue
        told = wordings.told_unasked(turn.message.text, turn.scribe.question(question_id))
        if told:
            return guide_step(turn, replace(open_guide, asked=question_id), told, reading)
    return None


def guide_step(
    turn: Turn, open_guide: GuideState, answer_id: str, reading: Reading = NOTHING_READ
) -> Decision:
    """Moves the guide on by one answer; a worse finding brings its own card."""
    scribe, subject = turn.scribe, turn.state.subject
    step = guide.answer(scribe, open_guide, answer_id, subject)
    rule = f"guide:{open_guide.asked}:{answer_id}"
    if step.card:
        level = Level.parse(step.card.partition("/")[0])
        evidence = (Evidence(rule, "trigger", 0, 0, "", "answer in the guide"),)
        found = Assessment(
            level,
            kind_of(step.card),
            1.0,
            also=tuple(a for a in (step.also,) if a),
            evidence=evidence,
        )
        worse = Reading(found, subject=subject)
        return _with_card(
            turn,
            step.card,
            subject,
            before=[step.says],
            reading=worse,
            path=("guide", rule),
            done=step.state.done,
        )
    text = f"{step.says}\n\n{_guide_text(scribe, step.state, subject)}"
    state = replace(turn.state, guide=step.state)
    if open_guide.asked == "who_is_it":
        state = replace(state, subject="self" if answer_id == "me" else "other")
    reply = Reply((text,), guide.buttons(scribe, step.state))
    return in_crisis(turn, reading, reply, state, path=("guide", rule))


def help_coming(turn: Turn) -> Decision:
    """Help is on the way: the guide stops asking; the crisis stays open for staff."""
    key = "help_is_coming_self" if turn.state.subject == "self" else "help_is_coming"
    open_guide = turn.state.guide
    state = replace(turn.state, guide=replace(open_guide, help_coming=True) if open_guide else None)
    buttons = (
        turn.scribe.button("continue_guide", "continue"),
        turn.scribe.button("steps", "steps"),
        turn.scribe.button("emergency", "emergency"),
    )
    reply = Reply((turn.scribe.phrase(key),), buttons)
    return in_crisis(turn, NOTHING_READ, reply, state, path=("guide", "help_coming"))


def cannot_call(turn: Turn) -> Decision:
    """The person cannot call: other ways to reach help, then the guide goes on."""
    return guide_again(turn, turn.scribe.phrase("cannot_call"), path="cannot_call")


def denial(turn: Turn) -> Decision:
    """ "Just kidding" closes nothing: thanks, the number again, and the way on."""
    scribe, level = turn.scribe, turn.state.level
    key = {
        Level.EMERGENCY: "denial_emergency",
        Level.SUICIDE_CRISIS: "denial_crisis",
    }.get(level, "denial_urgent")
    buttons = (
        scribe.button("continue_guide", "continue"),
        scribe.button("help_coming", "help_coming"),
        scribe.button("ask", "ask"),
    )
    reply = Reply((scribe.phrase(key),), buttons)
    return in_crisis(turn, NOTHING_READ, reply, turn.state, path=("guide", "denial"))


def is_plain_denial(turn: Turn) -> bool:
    """Whether the message is nothing but a taking back of the open alarm."""
    short = len(fold(turn.message.text).split()) <= PLAIN_DENIAL
    return short and turn.state.level.escalates and is_denial(turn)


def _unclear(turn: Turn, reading: Reading) -> Decision:
    """What is not understood counts as the worse answer, said openly.

    Where the readers half saw danger the decision says so: a human who took the chat over
    does not get it in place of the person's next step.
    """
    open_guide = turn.state.guide
    assert open_guide is not None
    stepped = guide_step(turn, open_guide, guide.NOT_SURE)
    first = f"{turn.scribe.phrase('guide_repeat')} {stepped.reply.texts[0]}"
    reply = replace(stepped.reply, texts=(first, *stepped.reply.texts[1:]))
    asks = reading.assessment.asks
    return replace(stepped, reply=reply, path=("guide", "unclear"), asks=asks)


def guide_again(turn: Turn, before: str, *, path: str) -> Decision:
    """The open question once more, after something else was said."""
    open_guide = turn.state.guide
    scribe, subject = turn.scribe, turn.state.subject
    if open_guide is None:
        reply = Reply((before,), (scribe.button("emergency", "emergency"),))
        return in_crisis(turn, NOTHING_READ, reply, turn.state, path=(path,))
    again = replace(open_guide, help_coming=False)
    text = f"{before}\n\n{_guide_text(scribe, again, subject)}"
    state = replace(turn.state, guide=again)
    reply = Reply((text,), guide.buttons(scribe, again))
    return in_crisis(turn, NOTHING_READ, reply, state, path=("guide", path))


def is_denial(turn: Turn) -> bool:
    """Whether a short message takes an alarm back ("just kidding")."""
    words = len(fold(turn.message.text).split())
    known = turn.scribe.knowledge.wordings
    return words <= wordings.MAX_WORDS_OF_A_REPLY and wordings.means(
        turn.message.text, "denial", known
    )


def country_told(turn: Turn) -> Decision:
    """The person's country is known now: its numbers, and the guide goes on."""
    scribe = turn.scribe
    name = scribe.lines.name or turn.person.country
    text = scribe.phrase("country_set", country=name, lines=scribe.directory())
    state = replace(turn.state, pending="")
    if state.guide and not state.guide.help_coming and state.level.escalates:
        return guide_again(
            replace(turn, person=replace(turn.person, state=state)), text, path="country"
        )
    reply = Reply((text,), (scribe.button("ask", "ask"), scribe.button("emergency", "emergency")))
    read = replace(NOTHING_READ, assessment=Assessment(Level.CHAT, confidence=1.0))
    decision = calm(turn, read, reply, state, path=("country",))
    return replace(decision, topic="change_country_or_language")


def _subject(turn: Turn, reading: Reading) -> Subject:
    if reading.assessment.kind in _ALWAYS_OTHER and reading.subject != "self":
        return "other"
    return reading.subject or turn.state.subject
