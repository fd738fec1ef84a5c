"""The guide's own moves: a step, the question once more, help that is coming, CPR."""

from __future__ import annotations

from dataclasses import replace

from bot.core import guide, typed
from bot.core.alarm import guide_text, with_card
from bot.core.knowledge import Card, kind_of, label_of
from bot.core.model import Assessment, Button, Decision, Evidence, GuideState, Level, Reply
from bot.core.replies import card_text, more_steps_text
from bot.core.turn import NOTHING_READ, Turn, calm, in_crisis
from bot.core.understand import Reading


def cpr_goes_on(turn: Turn, reading: Reading = NOTHING_READ) -> Decision:
    """The line of CPR, and the open question once more."""
    return guide_again(turn, turn.scribe.phrase("cpr_go_on"), path="cpr", reading=reading)


def is_question(turn: Turn) -> bool:
    """Whether the message plainly asks something while the guide waits."""
    open_guide = turn.state.guide
    waits = open_guide is not None and bool(open_guide.asked)
    return waits and typed.is_question(turn.message.text, turn.scribe.knowledge.wordings)


def names_danger(turn: Turn) -> bool:
    """Whether a question names an answer that leads to a graver card."""
    assert turn.state.guide is not None
    question = turn.scribe.question(turn.state.guide.asked)
    known = turn.scribe.knowledge.wordings
    answer_id = typed.answer_id(turn.message.text, question, known)
    return any(each.id == answer_id and each.goes_to for each in question.answers)


def guide_answer_in(turn: Turn, reading: Reading) -> Decision | None:
    """The guide's next step if the message answers its open question."""
    open_guide = turn.state.guide
    if open_guide is None or not open_guide.asked:
        return None
    question = turn.scribe.question(open_guide.asked)
    known = turn.scribe.knowledge.wordings
    if is_question(turn) and not names_danger(turn):
        return None  # "can I drink water" is no answer to "alcohol?"
    answer_id = typed.answer_id(turn.message.text, question, known)
    if answer_id == guide.NOT_SURE and typed.is_beside_more(turn.message.text, question, known):
        return _rest_of_it(turn, open_guide, reading)
    if answer_id:
        return guide_step(turn, open_guide, answer_id, reading)
    return _answers_a_later_question(turn, open_guide, reading)


def _rest_of_it(turn: Turn, open_guide: GuideState, reading: Reading) -> Decision:
    """After a "no" that something else follows: an answer to a later question ("no one is
    here"), or not sure. Whether the chest moves is asked once more, before CPR starts."""
    later = _answers_a_later_question(turn, open_guide, reading)
    if later is not None:
        return later
    if open_guide.asked == guide.CHEST_MOVES:
        return again_or_on(turn, first_line(turn), path="unclear", reading=reading)
    return guide_step(turn, open_guide, guide.NOT_SURE, reading)


def _answers_a_later_question(
    turn: Turn, open_guide: GuideState, reading: Reading
) -> Decision | None:
    """What somebody tells unasked ("I am alone") is taken as said, and the question stays.

    A worse alarm than the open one is no mere answer.
    """
    if reading.assessment.level > turn.state.level:
        return None
    known = turn.scribe.knowledge.wordings
    for question_id in turn.scribe.card(open_guide.kind).guide:
        question = turn.scribe.question(question_id)
        if question_id in open_guide.done or question_id == open_guide.asked:
            continue
        if open_guide.cpr and question.may_start_cpr:
            continue
        told = typed.told_unasked(turn.message.text, question, known)
        if told:
            return guide_step(turn, replace(open_guide, asked=question_id), told, reading)
    return None


def guide_step(
    turn: Turn,
    open_guide: GuideState,
    answer_id: str,
    reading: Reading = NOTHING_READ,
    *,
    before: str = "",
) -> Decision:
    """Moves the guide on by one answer; a worse finding brings its own card.

    `before` is said first, but never before the number of a card.
    """
    scribe, subject = turn.scribe, turn.state.subject
    step = guide.answer(scribe, open_guide, answer_id, subject)
    rule = f"guide:{open_guide.asked}:{answer_id}"
    says = f"{before} {step.says}".strip()
    if step.card:
        return _worse_card(turn, step, rule, says=before if step.state.cpr else says)
    text = f"{says}\n\n{guide_text(scribe, step.state, subject)}"
    state = replace(turn.state, guide=step.state)
    if open_guide.asked == "who_is_it" and not step.state.cpr:
        state = replace(state, subject="self" if answer_id == "me" else "other")
    reply = Reply((text,), guide.buttons(scribe, step.state))
    return in_crisis(turn, reading, reply, state, path=("guide", rule))


def _worse_card(turn: Turn, step: guide.Turn, rule: str, *, says: str) -> Decision:
    level = Level.parse(step.card.partition("/")[0])
    evidence = (Evidence(rule, "trigger", 0, 0, "", "answer in the guide"),)
    also = tuple(each for each in (step.also,) if each)
    found = Assessment(level, kind_of(step.card), 1.0, also=also, evidence=evidence)
    worse = Reading(found, subject=turn.state.subject)
    return with_card(
        turn,
        step.card,
        turn.state.subject,
        says=says,
        reading=worse,
        path=("guide", rule),
        before=step.state,
    )


def unheard(turn: Turn, open_guide: GuideState, before: str) -> Decision:
    """On without an answer: the worse one counts. What nobody said raises no level: the worse
    answer's advice is given, and its card waits for a real answer."""
    scribe, subject = turn.scribe, turn.state.subject
    if not would_raise(turn, open_guide):
        return guide_step(turn, open_guide, guide.NOT_SURE, before=before)
    passed = guide.passed(scribe, open_guide, subject)
    state = replace(turn.state, guide=passed.state)
    on = replace(turn, person=replace(turn.person, state=state))
    return guide_again(on, f"{before} {passed.says}".strip(), path="passed")


def would_raise(turn: Turn, open_guide: GuideState) -> bool:
    """Whether the worse answer to the open question leads to a card of a higher level; not to
    CPR, which is never put off."""
    step = guide.answer(turn.scribe, open_guide, guide.NOT_SURE, turn.state.subject)
    if not step.card or step.state.cpr:
        return False
    return Level.parse(step.card.partition("/")[0]) > turn.state.level


def help_coming(turn: Turn) -> Decision:
    """Help is on the way: the guide stops asking; the crisis stays open for staff."""
    scribe, open_guide = turn.scribe, turn.state.guide
    key = "help_is_coming_self" if turn.state.subject == "self" else "help_is_coming"
    line = "cpr_go_on" if open_guide and open_guide.cpr else "cpr_if_doing"
    text = scribe.phrase(key, cpr_line=scribe.phrase(line))
    buttons: tuple[Button, ...] = (scribe.button("emergency", "emergency"),)
    state = turn.state
    if open_guide:
        buttons = (scribe.button("steps", "steps"), *buttons)
        state = replace(state, guide=replace(open_guide, help_coming=True))
        if open_guide.asked:
            buttons = (scribe.button("continue_guide", "continue"), *buttons)
        if open_guide.cpr:
            buttons = (scribe.button("breathing_again", "breathing_again"), *buttons)
    reply = Reply((text,), buttons)
    return in_crisis(turn, NOTHING_READ, reply, state, path=("guide", "help_coming"))


def breathing_again(turn: Turn) -> Decision:
    """Breath came back: onto the side, and the guide goes on without CPR."""
    open_guide = turn.state.guide
    if open_guide:
        state = replace(turn.state, guide=replace(open_guide, cpr=False, cpr_done=True))
        turn = replace(turn, person=replace(turn.person, state=state))
    return guide_again(turn, turn.scribe.phrase("breathing_is_back"), path="breathing_again")


def look_at_breath(turn: Turn) -> Decision:
    """A sign of life during CPR: their breath is looked at, and CPR goes on until it is there."""
    return guide_again(turn, turn.scribe.phrase("sign_of_life"), path="sign_of_life")


def crew_took_over(turn: Turn) -> Decision:
    """The crew is there: whoever did CPR hands it over. The crisis stays open for staff."""
    scribe, open_guide = turn.scribe, turn.state.guide
    assert open_guide is not None
    handed_over = replace(open_guide, cpr=False, cpr_done=True, help_coming=True)
    state = replace(turn.state, guide=handed_over)
    buttons = (scribe.button("ask", "ask"), scribe.button("emergency", "emergency"))
    reply = Reply((scribe.phrase("crew_took_over"),), buttons)
    return in_crisis(turn, NOTHING_READ, reply, state, path=("guide", "crew_took_over"))


def cannot_call(turn: Turn) -> Decision:
    """The person cannot call: other ways to reach help, then the guide goes on."""
    open_guide = turn.state.guide
    if open_guide and open_guide.help_coming:
        state = replace(turn.state, guide=replace(open_guide, help_coming=False))
        turn = replace(turn, person=replace(turn.person, state=state))
    return guide_again(turn, turn.scribe.phrase("cannot_call"), path="cannot_call")


def go_on(turn: Turn) -> Decision:
    """On with the steps: all of them and the open question once more, then past it."""
    text = _all_steps(turn)
    if turn.state.guide and turn.state.guide.help_coming:
        text = text.partition("\n")[2] or text  # without the call that was made
    return again_or_on(turn, text, path="continue")


def more_steps(turn: Turn) -> Decision:
    """All steps of the open card, then its question again."""
    return guide_again(turn, _all_steps(turn), path="steps")


def denial(turn: Turn) -> Decision:
    """ "Just kidding" closes nothing: thanks, the number again, and the way on."""
    scribe, level, open_guide = turn.scribe, turn.state.level, turn.state.guide
    key = {
        Level.EMERGENCY: "denial_emergency",
        Level.SUICIDE_CRISIS: "denial_crisis",
    }.get(level, "denial_urgent")
    text = scribe.phrase(key)
    buttons: tuple[Button, ...] = (
        scribe.button("help_coming", "help_coming"),
        scribe.button("ask", "ask"),
    )
    if open_guide and open_guide.asked:
        buttons = (scribe.button("continue_guide", "continue"), *buttons)
    if open_guide and open_guide.cpr:
        text = f"{text}\n{scribe.phrase('cpr_go_on')}"
    return in_crisis(
        turn, NOTHING_READ, Reply((text,), buttons), turn.state, path=("guide", "denial")
    )


def guide_again(turn: Turn, before: str, *, path: str, reading: Reading = NOTHING_READ) -> Decision:
    """The open question once more, after something else was said."""
    open_guide = turn.state.guide
    scribe, subject = turn.scribe, turn.state.subject
    if open_guide is None:
        reply = Reply((before,), (scribe.button("emergency", "emergency"),))
        return in_crisis(turn, NOTHING_READ, reply, turn.state, path=(path,))
    text = f"{before}\n\n{guide_text(scribe, open_guide, subject)}"
    reply = Reply((text,), guide.buttons(scribe, open_guide))
    return in_crisis(turn, reading, reply, turn.state, path=("guide", path))


def with_question(turn: Turn, decision: Decision) -> Decision:
    """A decision of the conversation, with the guide's open question put again under it."""
    open_guide = decision.person.state.guide
    if open_guide is None or not decision.level.escalates:
        return decision
    if not (open_guide.asked or open_guide.cpr):
        return decision
    text = guide.question_text(turn.scribe, open_guide, decision.person.state.subject)
    reply = replace(
        decision.reply,
        texts=(*decision.reply.texts, text),
        buttons=guide.buttons(turn.scribe, open_guide),
    )
    state = replace(decision.person.state, buttons=reply.buttons)
    return replace(decision, reply=reply, person=replace(decision.person, state=state))


def country_told(turn: Turn) -> Decision:
    """The person's country is known now: in a crisis the number to call there comes first."""
    scribe = turn.scribe
    name = scribe.lines.name or turn.person.country
    text = scribe.phrase("country_set", country=name, lines=scribe.directory())
    state = replace(turn.state, pending="")
    turn = replace(turn, person=replace(turn.person, state=state))
    if state.guide and not state.guide.help_coming and state.level.escalates:
        return guide_again(turn, f"{first_line(turn)}\n\n{text}", path="country")
    reply = Reply((text,), (scribe.button("ask", "ask"), scribe.button("emergency", "emergency")))
    read = replace(NOTHING_READ, assessment=Assessment(Level.CHAT, confidence=1.0))
    decision = calm(turn, read, reply, state, path=("country",))
    return replace(decision, topic="change_country_or_language")


def last_card(turn: Turn) -> str:
    """The open crisis's card with its first steps, for a person who is about to be forgotten."""
    card, pushing = _card(turn)
    return card_text(turn.scribe, card, turn.state.subject, cpr=pushing)


def first_line(turn: Turn) -> str:
    """The first line of the open crisis's card, with its number."""
    return turn.scribe.fill(_card(turn)[0].first_line)


def _all_steps(turn: Turn) -> str:
    card, pushing = _card(turn)
    return more_steps_text(turn.scribe, card, turn.state.subject, cpr=pushing)


def _card(turn: Turn) -> tuple[Card, bool]:
    """The card of the open crisis, and whether CPR is under way."""
    open_guide = turn.state.guide
    label = open_guide.kind if open_guide else label_of(turn.state.level, turn.state.kind)
    return turn.scribe.card(label), bool(open_guide and open_guide.cpr)


def again_or_on(turn: Turn, before: str, *, path: str, reading: Reading = NOTHING_READ) -> Decision:
    """The open question once more; if that was done already, no answer is the worse answer."""
    open_guide = turn.state.guide
    if open_guide is None or not open_guide.asked:
        return guide_again(turn, before, path=path)
    if open_guide.put_again:
        unanswered = turn.scribe.phrase("guide_unanswered")
        return unheard(turn, open_guide, unanswered)
    state = replace(turn.state, guide=replace(open_guide, put_again=True))
    asked = replace(turn, person=replace(turn.person, state=state))
    return guide_again(asked, before, path=path, reading=reading)
