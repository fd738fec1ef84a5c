"""What somebody types while the guide waits: an answer, a question, talk, help that is coming."""

from __future__ import annotations

from dataclasses import replace

from bot.core import asked, cpr, guide, told, typed, wordings
from bot.core.guiding import (
    again_or_on,
    breathing_again,
    cannot_call,
    country_told,
    cpr_goes_on,
    crew_took_over,
    denial,
    first_line,
    go_on,
    guide_again,
    guide_answer_in,
    guide_step,
    help_coming,
    is_question,
    look_at_breath,
    names_danger,
    unheard,
    would_raise,
)
from bot.core.helplines import find_country, fold
from bot.core.knowledge import Asked, Wordings, label_of
from bot.core.model import Assessment, Decision, GuideState, Level
from bot.core.tongues import FEW_WORDS, HOME
from bot.core.turn import PLAIN_DENIAL, Turn, is_denial
from bot.core.understand import Reading

CRY_CARD = "emergency/other"
NOT_UNDERSTOOD = ("guide", "unclear")
CPR_OR_SELF = "cpr_or_self"  # what is pending while nobody knows what cannot be borne
# Under an open case the learned reader takes facts for alarms ("hes 64": 0.7, "he is sitting up
# now": 0.86). What no rule saw starts another card of the same level only from here on.
PLAIN_DANGER = 0.9
LIKELY, BRIEF = 0.4, 7  # Below both, a question about CPR that no rule fears is just that.
TIME_QUESTIONS = ("when_and_how_much", "last_dose", "refill_due")
THANKS = "thanks"  # the topic of a thank-you
FEELS_WELL = "ok"  # the word of the answer that "I'm OK" is to a question about signs


def said_alone(reading: Reading, text: str, known: Wordings) -> Reading:
    """The reading of a few words that the readers cannot know by themselves: "help me" is asked
    whether it is now, "I don't know" in any language raises nothing."""
    if reading.assessment.by_rule:
        return reading
    if typed.is_wholly(text, "cry_for_help", known) and not reading.assessment.level.escalates:
        asking = Assessment(Level.OUT_OF_SCOPE, CRY_CARD, asks=True)
        return replace(reading, assessment=asking, outcome="none", candidates=())
    if typed.is_wholly(text, "says_little", known) or typed.is_wholly(text, "no", known):
        return replace(reading, assessment=Assessment(Level.CHAT), outcome="none", candidates=())
    return reading


def says_help_comes(turn: Turn) -> bool:
    """Whether help is said to be on its way, or to be there; to ask for it is another thing."""
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    if typed.says_crew_took_over(text, known):
        return True
    return wordings.means(text, "help_coming", known) and not is_question(turn)


def guide_reply(turn: Turn, reading: Reading) -> Decision | None:
    """The reply to a message during the guide, or None where the guide is not concerned."""
    open_guide = turn.state.guide
    if open_guide is None or not turn.state.level.escalates:
        return None
    steered = _steered(turn)
    if steered is not None:
        return steered
    aside = asked_something(turn, reading)
    if aside is not None:
        return aside
    if not open_guide.asked:
        return _after_the_end(turn, open_guide, reading)
    if is_question(turn):
        return question_asked(turn, reading)
    answered = answer_or_fact(turn, reading) or _feels_well(turn, open_guide, reading)
    if answered is not None:
        return answered
    is_thanks = reading.outcome == "sure" and reading.candidates[0].topic == THANKS
    if open_guide.help_coming and is_thanks:
        return help_coming(turn)  # that the guide stops asking was promised
    if typed.is_small_talk(turn.message.text, turn.scribe.knowledge.wordings):
        if open_guide.help_coming:
            return go_on(turn)
        return again_or_on(turn, first_line(turn), path="small_talk")
    if turn.state.pending == "country":
        return _no_such_country(turn)
    if _is_talk_elsewhere(turn, reading):
        return again_or_on(turn, first_line(turn), path="small_talk")
    if reading.outcome == "sure" and not cpr.hardly_asks(turn, reading):
        return None
    if open_guide.help_coming:
        return go_on(turn)
    return _unclear(turn, reading)


def _is_talk_elsewhere(turn: Turn, reading: Reading) -> bool:
    """Whether a message is talk in a language that we have no answers to talk in."""
    is_talk = reading.outcome == "sure" and reading.assessment.level is Level.CHAT
    return is_talk and turn.person.language != HOME


def no_new_danger(turn: Turn, reading: Reading) -> Decision | None:
    """The reply to what only the learned reader takes for an alarm, where it is none that is new:
    an answer, a fact, good news, or of no higher level and not plain. None where it is one."""
    state, found = turn.state, reading.assessment
    if state.guide is None or not state.level.escalates:
        return None
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    higher = found.level > state.level
    if not higher or len(fold(text).split()) <= PLAIN_DENIAL:
        steered = _steered(turn)
        if steered is not None:
            return steered
    if not higher:
        aside = asked_something(turn, reading)
        if aside is not None:
            return aside
    answered = answer_or_fact(turn, reading, calm=told.is_calm(text, found, known))
    if answered is not None or higher:
        return answered
    if label_of(found.level, found.kind) != state.guide.kind and found.confidence >= PLAIN_DANGER:
        return None
    heard = _as_told(turn, reading)
    if is_question(turn):
        return question_asked(turn, heard) or guide_again(turn, _no_answer(turn), path="question")
    if typed.is_small_talk(text, known):
        return again_or_on(turn, first_line(turn), path="small_talk")
    thanks = turn.scribe.phrase("told_noted")
    # Who tells something is there: CPR does not start for want of an answer.
    stays = state.guide.help_coming or state.guide.asked in ("", guide.CHEST_MOVES)
    noted = (guide_again if stays else again_or_on)(turn, thanks, path="told", reading=heard)
    return replace(noted, asks=True)


def answer_or_fact(turn: Turn, reading: Reading, *, calm: bool | None = None) -> Decision | None:
    """The guide's next step, or a fact noted, with the open question put again.

    `calm` says whether it may be a fact at all, where a reader took it for an alarm.
    """
    open_guide, text = turn.state.guide, turn.message.text
    known = turn.scribe.knowledge.wordings
    if open_guide is None:
        return None
    is_fact = told.is_fact(text, known) if calm is None else calm and told.is_fact(text, known)
    if is_fact and not told.tells_a_time(text, known):
        question = turn.scribe.question(open_guide.asked) if open_guide.asked else None
        if question is None or not typed.answer_id(text, question, known):
            return _noted(turn, open_guide, reading, "told_noted")
    well = told.is_good_news(text, known) or told.is_sign_of_life(text, known)
    well = well and calm is not False
    if not (well and _no_beside(turn, open_guide)):
        answered = guide_answer_in(turn, reading)
        if answered is not None:
            return answered
    if is_fact:
        return _noted(turn, open_guide, reading, "told_noted")
    if well:
        return _noted(turn, open_guide, reading, "told_good")
    return None


def _no_beside(turn: Turn, open_guide: GuideState) -> bool:
    """Whether a "no" beside good news leaves the question open: "no, she is awake"."""
    if not open_guide.asked:
        return False
    question = turn.scribe.question(open_guide.asked)
    known = turn.scribe.knowledge.wordings
    return typed.answer_id(turn.message.text, question, known) == guide.NOT_SURE


def _noted(turn: Turn, open_guide: GuideState, reading: Reading, key: str) -> Decision:
    """Thanks for a fact, and the open question once more. A time that no answer of the question
    for it names counts as the worse one."""
    said, known = turn.scribe.phrase(key), turn.scribe.knowledge.wordings
    if open_guide.asked in TIME_QUESTIONS and told.tells_a_time(turn.message.text, known):
        return guide_step(turn, open_guide, guide.NOT_SURE, before=said)
    return guide_again(turn, said, path="told", reading=_as_told(turn, reading))


def _as_told(turn: Turn, reading: Reading) -> Reading:
    """The reading as it is recorded: of no higher level than the open case, and a thought of
    suicide noted for the staff."""
    found, state = reading.assessment, turn.state
    if not found.level.escalates:
        return reading
    if found.level > state.level:
        found = replace(found, level=state.level, kind=state.kind)
    if found.level is Level.SUICIDE_CRISIS and found.level < state.level:
        found = replace(found, also=tuple(dict.fromkeys((found.kind, *found.also))))
    return replace(reading, assessment=found)


def _no_such_country(turn: Turn) -> Decision:
    """What was typed when asked for the country names none: the guide goes on without it."""
    state = replace(turn.state, pending="")
    turn = replace(turn, person=replace(turn.person, state=state))
    return guide_again(turn, turn.scribe.phrase("country_unknown"), path="country_unknown")


def _after_the_end(turn: Turn, open_guide: GuideState, reading: Reading) -> Decision | None:
    """When nothing is left to ask: "yes" means that help is on the way, and what nobody
    understands gets the closing words again, not what the bot can talk about."""
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    asks_for_help = turn.state.level is Level.EMERGENCY and not open_guide.help_coming
    if asks_for_help and typed.says_yes(text, known):
        return help_coming(turn)
    is_guess = reading.outcome == "unsure" and len(text.split()) < FEW_WORDS
    if typed.is_question(text, known) or not (is_guess or reading.outcome == "none"):
        return None
    again = guide_again(turn, first_line(turn), path="ended")
    return replace(again, path=NOT_UNDERSTOOD, asks=reading.assessment.asks)


def _steered(turn: Turn) -> Decision | None:
    """What is neither an answer nor a question: help is coming, "what now", a country, ..."""
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    if cpr.says_crew_took_over(turn):
        return crew_took_over(turn)
    if says_help_comes(turn):
        return help_coming(turn)
    if wordings.means(text, "cannot_call", known):
        return cannot_call(turn)
    if cpr.says_breathing_again(turn):
        return breathing_again(turn)
    if cpr.under_cpr(turn) and (typed.speaks_of_breath(text, known) or cpr.is_named(turn)):
        return cpr_goes_on(turn)
    if cpr.says_sign_of_life(turn):
        return look_at_breath(turn)
    if is_denial(turn):
        return denial(turn)
    if told.speaks_of_joke(text, known):
        return again_or_on(turn, first_line(turn), path="no_joke")
    if find_country(text, turn.scribe.knowledge.helplines):
        return country_told(turn)
    return go_on(turn) if typed.is_wholly(text, "go_on", known) else None


def asked_something(turn: Turn, reading: Reading) -> Decision | None:
    """What we say to what people ask while they wait ("should I give him coffee?"), or None.

    What answers the open question is that answer first, and what names a danger.
    """
    open_guide = turn.state.guide
    found = _asked(turn)
    if open_guide is None or found is None:
        return None
    if open_guide.asked:
        question = turn.scribe.question(open_guide.asked)
        known = turn.scribe.knowledge.wordings
        answer_id = typed.answer_id(turn.message.text, question, known)
        is_answer = answer_id not in ("", guide.NOT_SURE) and not is_question(turn)
        if is_answer or names_danger(_without_doubt(turn)):
            return None
    text = asked.answer_to(turn.scribe, found, turn.state.subject, cpr=open_guide.cpr)
    said = guide_again(turn, text, path="asked")
    return replace(said, path=(*said.path, found.id), asks=reading.assessment.asks)


def _without_doubt(turn: Turn) -> Turn:
    """The turn without words of doubt, which count as the worse answer: a question may hold one
    ("czy może pić?")."""
    doubt = turn.scribe.knowledge.wordings.groups.get("breath_in_doubt", ())
    words = [word for word in fold(turn.message.text).split() if word not in doubt]
    return replace(turn, message=replace(turn.message, text=" ".join(words)))


def _asked(turn: Turn) -> Asked | None:
    open_guide = turn.state.guide
    if open_guide is None:
        return None
    knowledge = turn.scribe.knowledge
    language = turn.person.language
    text, kind = turn.message.text, open_guide.kind
    return asked.asked_in(text, kind, knowledge, cpr=open_guide.cpr, language=language)


def cannot_go_on(turn: Turn, reading: Reading) -> Decision | None:
    """ "I'm tired, I can't go on" during CPR: the arms, or life itself? CPR first, then we ask,
    with the crisis line, and note it for the staff. None where a message is about nothing else
    than dying: that has a card of its own."""
    found, text = reading.assessment, turn.message.text
    known = turn.scribe.knowledge.wordings
    heard = _asked(turn)
    if heard is None or not heard.only_cpr or found.level is not Level.SUICIDE_CRISIS:
        return None
    if not cpr.under_cpr(turn) or typed.speaks_of_dying(text, known) or _is_about_arms(turn, found):
        return None
    scribe = turn.scribe
    also = tuple(dict.fromkeys((found.kind, *found.also)))
    noted = replace(reading, assessment=replace(found, also=also))
    state = replace(turn.state, pending=CPR_OR_SELF)
    asking = replace(turn, person=replace(turn.person, state=state))
    says = asked.answer_to(scribe, heard, turn.state.subject, cpr=True)
    text = f"{says}\n\n{scribe.phrase('cpr_or_self')}"
    said = guide_again(asking, text, path="cpr_or_self", reading=noted)
    buttons = (scribe.button("about_me", "crisis"), *said.reply.buttons)
    shown = replace(said.person.state, buttons=buttons)
    return replace(
        said,
        reply=replace(said.reply, buttons=buttons),
        person=replace(said.person, state=shown),
    )


def _is_about_arms(turn: Turn, found: Assessment) -> bool:
    """Whether a question about CPR only half sounds like suicide ("how long do i do this")."""
    heard, brief = _asked(turn), len(fold(turn.message.text).split()) <= BRIEF
    half_feared = not found.by_rule and found.confidence < LIKELY
    return brief and half_feared and heard is not None and heard.only_cpr


def means_self(turn: Turn) -> bool:
    """Whether the answer to "CPR, or yourself?" is that it is about the one who writes."""
    known = turn.scribe.knowledge.wordings
    asked_for = turn.state.pending == CPR_OR_SELF
    return asked_for and typed.is_wholly(turn.message.text, "about_me", known)


def _feels_well(turn: Turn, open_guide: GuideState, reading: Reading) -> Decision | None:
    """ "I'm OK" says that there are no signs, where the guide of an urgent case asks for them.

    It never answers what was asked of something else, how much was taken say.
    """
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    if turn.state.level is not Level.URGENT or not typed.is_wholly(text, "well", known):
        return None
    for question_id in turn.scribe.card(open_guide.kind).guide:
        if question_id in open_guide.done:
            continue
        for answer in turn.scribe.english.questions[question_id].answers:
            if FEELS_WELL in answer.words:
                asking = replace(open_guide, asked=question_id)
                return guide_step(turn, asking, answer.id, reading)
    return again_or_on(turn, first_line(turn), path="small_talk")


def below_cpr(turn: Turn, reading: Reading) -> Decision | None:
    """What is less than an emergency, and no rule saw, shows no card of its own during CPR.

    A thought of suicide in it is noted for the staff.
    """
    found = reading.assessment
    worn_out = cannot_go_on(turn, reading)
    if worn_out is not None:
        return worn_out
    if not cpr.under_cpr(turn) or found.by_rule or found.level >= Level.EMERGENCY:
        return None
    if found.level is Level.SUICIDE_CRISIS:
        also = tuple(dict.fromkeys((found.kind, *found.also)))
        reading = replace(reading, assessment=replace(found, also=also))
        if not _is_about_arms(turn, found):
            return cpr_goes_on(turn, reading)
    answered = asked_something(turn, reading) or guide_answer_in(turn, reading)
    return answered or cpr_goes_on(turn)


def question_asked(turn: Turn, reading: Reading) -> Decision | None:
    """None where the conversation has the answer, to which the guide's question is put again.

    Else what is asked may hold an answer ("does snoring count?"), or the call handler is
    the one to ask.
    """
    if reading.outcome == "sure" and not names_danger(turn):
        return None
    answered = guide_answer_in(turn, reading)
    if answered is not None:
        return answered
    return guide_again(turn, _no_answer(turn), path="question")


def _no_answer(turn: Turn) -> str:
    """That we have no answer, and who is the one to ask."""
    scribe = turn.scribe
    others = {Level.SUICIDE_CRISIS: "question_crisis", Level.URGENT: "question_urgent"}
    key = others.get(turn.state.level, "guide_question")
    return scribe.phrase(key) if key in scribe.book.phrases else first_line(turn)


def _unclear(turn: Turn, reading: Reading) -> Decision:
    """What is not understood counts as the worse answer, said openly; it raises no level.

    Where the readers half saw danger the decision says so: a human who took the chat over
    does not get it in place of the person's next step.
    """
    open_guide = turn.state.guide
    assert open_guide is not None
    if would_raise(turn, open_guide) and not open_guide.put_again:
        stepped = again_or_on(turn, first_line(turn), path="unclear")
    else:
        stepped = unheard(turn, open_guide, turn.scribe.phrase("guide_repeat"))
    return replace(stepped, path=NOT_UNDERSTOOD, asks=reading.assessment.asks)
