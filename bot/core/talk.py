"""Ordinary conversation: answers, "did you mean", the grey zone, and what the bot can do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

from bot.core import typed, wordings
from bot.core.alarm import escalation
from bot.core.asked import asked_in
from bot.core.guiding import country_told, denial
from bot.core.helplines import country_alone, fold
from bot.core.knowledge import kind_of
from bot.core.model import (
    Assessment,
    Button,
    Candidate,
    Decision,
    Evidence,
    Level,
    Reply,
)
from bot.core.replies import (
    CPR_CARD,
    answer_texts,
    country_buttons,
    cpr_steps,
    more_text,
    topic_button,
    topic_buttons,
)
from bot.core.turn import NOTHING_READ, Turn, calm, is_denial
from bot.core.understand import Reading

OFFERS = 3
OFFERED_BESIDE = 2  # another question
OWN_REPLY = {"pet", "other_medicine", "other_health"}  # classes with words of their own
BRIEF = 6  # words; a reply this short to "Are you thinking about dying?" is an answer to it
ABOUT_PLACES = ("denies_place", "tells_place", "asks_numbers")  # groups of wordings
COUNTRY = "change_country_or_language"
SHORT = 7  # words; a message this short may lean on the topic before it


def conversation(turn: Turn, reading: Reading) -> Decision:
    """An answer, a "did you mean", or what the bot can do; with an open crisis's number first."""
    text = turn.message.text
    if _tells_country(turn, reading):
        return country_told(turn)
    if turn.state.level.escalates and is_denial(turn):
        return denial(turn)
    answered = _answers_now(turn, reading)
    if answered:
        return answered
    leaned = _leaning_on(turn, reading)
    if leaned:
        someone = wordings.means(text, "someone_else", turn.scribe.knowledge.wordings)
        return topic(turn, leaned, reading, someone_else=someone, path=("follow_up", leaned))
    if reading.assessment.asks:
        return _asks_now(turn, reading)
    if reading.outcome == "sure":
        first = reading.candidates[0].topic
        # In an open crisis its own buttons are enough.
        others = () if turn.state.level.escalates else reading.alternatives
        return topic(turn, first, reading, others=others, path=("match",))
    if reading.outcome == "unsure":
        return _did_you_mean(turn, reading)
    return _nothing_fits(turn, reading)


def _tells_country(turn: Turn, reading: Reading) -> bool:
    """Whether a message is there to say whose numbers are wanted."""
    sure = reading.candidates[0].topic if reading.outcome == "sure" else ""
    return bool(turn.named) and (turn.state.pending == "country" or sure in ("", COUNTRY))


def only_names_a_place(turn: Turn, reading: Reading, *, known: bool) -> bool:
    """Whether a place is named in a message about something else ("will it rain in Bristol"):
    its writer may be anywhere, and would later get the wrong numbers. Where another country is
    `known`, a question about a place does not change it either. In doubt a place counts."""
    if not (reading.outside or known) or reading.assessment.asks or turn.state.level.escalates:
        return False
    text, knowledge = turn.message.text, turn.scribe.knowledge
    if turn.state.pending == "country" or country_alone(text, knowledge.helplines):
        return False
    said = {group for group in ABOUT_PLACES if wordings.means(text, group, knowledge.wordings)}
    wants_it = reading.outcome == "sure" and reading.candidates[0].topic == COUNTRY
    return "denies_place" in said or not (wants_it or said)


def how_cpr_is_done(turn: Turn) -> Decision | None:
    """The steps of CPR for who asks for them while no emergency is open, or None."""
    scribe, text = turn.scribe, turn.message.text
    if turn.state.level.escalates or not typed.names_cpr(text, scribe.knowledge.wordings):
        return None
    found = asked_in(text, "", scribe.knowledge, language=turn.person.language)
    if found is None or not found.shows_cpr:
        return None
    buttons = (
        scribe.button("yes_now", f"now:{CPR_CARD}"),
        scribe.button("not_now", "not_now"),
        scribe.button("emergency", "emergency"),
    )
    state = replace(turn.state, pending=f"now:{CPR_CARD}")
    reply = Reply((f"{scribe.phrase('cpr_how')}\n{cpr_steps(scribe)}",), buttons)
    read = replace(NOTHING_READ, assessment=Assessment(Level.INFO, confidence=1.0))
    return replace(calm(turn, read, reply, state, path=("cpr_asked",)), asks=True)


def topic(
    turn: Turn,
    topic_id: str,
    reading: Reading = NOTHING_READ,
    *,
    someone_else: bool = False,
    others: tuple[Candidate, ...] = (),
    path: tuple[str, ...] = (),
) -> Decision:
    """The curated answer of a topic; `others` are offered beneath one that may be the wrong
    one."""
    scribe = turn.scribe
    found = scribe.book.answers.get(topic_id) or scribe.english.answers[topic_id]
    text = answer_texts(scribe, found, someone_else=someone_else)
    texts = (text, scribe.phrase("or_this")) if others else (text,)
    buttons = topic_buttons(scribe, found, tuple(other.topic for other in others))
    pending = "offer" if others else ""
    if topic_id == COUNTRY:
        buttons, pending = (*country_buttons(scribe), buttons[-1]), "country"
    chat = found.group == "bot"
    state = replace(turn.state, topic=turn.state.topic if chat else topic_id, pending=pending)
    level = Level.CHAT if chat else Level.INFO
    read = replace(reading, assessment=replace(reading.assessment, level=level, kind=""))
    decision = calm(turn, read, Reply(texts, buttons), state, path=path)
    return replace(decision, topic=topic_id, offers=others)


def more(turn: Turn, topic_id: str) -> Decision:
    """The longer part of an answer, with its sources."""
    scribe = turn.scribe
    found = scribe.english.answers[topic_id]
    related = tuple(topic_button(scribe, other) for other in found.see_also[:OFFERS])
    reply = Reply((more_text(scribe, found),), (*related, scribe.button("emergency", "emergency")))
    read = replace(NOTHING_READ, assessment=Assessment(Level.INFO, confidence=1.0))
    state = replace(turn.state, topic=topic_id)
    return replace(calm(turn, read, reply, state, path=("more",)), topic=topic_id)


def _asks_now(turn: Turn, reading: Reading) -> Decision:
    """The grey zone: the best answer we have, and "Is this happening now?", or of a suicide
    crisis "Are you thinking about dying?"."""
    scribe = turn.scribe
    label = reading.assessment.kind
    buttons: tuple[Button, ...] = (
        scribe.button("yes_now", f"now:{label}"),
        scribe.button("not_now", "not_now"),
    )
    despair = label == Level.SUICIDE_CRISIS.label
    texts = [scribe.phrase("asks_crisis" if despair else "asks_now")]
    state = replace(turn.state, pending=f"now:{label}")
    topic_id, offers = "", reading.candidates[:OFFERED_BESIDE]
    if reading.outcome == "sure" and reading.candidates:
        topic_id = reading.candidates[0].topic
        found = scribe.english.answers[topic_id]
        texts.append(answer_texts(scribe, found))
        state, offers = replace(state, topic=topic_id), ()
    buttons += tuple(topic_button(scribe, offer.topic) for offer in offers)
    read = replace(reading, assessment=replace(reading.assessment, kind=""))
    reply = Reply(tuple(texts), (*buttons, scribe.button("emergency", "emergency")))
    decision = calm(turn, read, reply, state, path=("asks_now", label))
    return replace(decision, topic=topic_id, asks=True, offers=offers)


def _answers_now(turn: Turn, reading: Reading) -> Decision | None:
    """What follows from a reply to the grey zone's question, or None if it is none.

    Not being sure counts as the worse answer. Asked about dying, so does all that is brief and
    neither a no nor a question of its own: "sometimes", "not yet", "dont tell my mum".
    """
    before, _, label = turn.state.pending.partition(":")
    if before != "now":
        return None
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    despair = label == Level.SUICIDE_CRISIS.label
    is_no = wordings.is_no_alone if despair else partial(wordings.is_plain, group="no")
    if is_no(text, wordings=known):
        return not_now(turn)
    unsure = any(typed.is_wholly(text, group, known) for group in ("not_sure", "says_little"))
    brief = despair and len(text.split()) <= BRIEF and reading.outcome != "sure"
    yes = wordings.is_plain(text, "yes", known)
    return happens_now(turn, label) if yes or unsure or brief else None


def happens_now(turn: Turn, label: str) -> Decision:
    """The grey zone was an alarm: its card, then the guide."""
    level = Level.parse(label.partition("/")[0])
    evidence = (Evidence("asked:now", "trigger", 0, 0, "", "said that it happens now"),)
    found = Assessment(level, kind_of(label), 1.0, evidence=evidence)
    # Who answers for a friend is asked in the guide; most answer for themselves.
    subject: Literal["", "self"] = "self" if level is Level.SUICIDE_CRISIS else ""
    return escalation(turn, Reading(found, subject=subject), path="asked:now")


def not_now(turn: Turn) -> Decision:
    """The grey zone was none: thanks, and the way back."""
    buttons = (turn.scribe.button("ask", "ask"), turn.scribe.button("emergency", "emergency"))
    reply = Reply((turn.scribe.phrase("not_now_reply"),), buttons)
    state = replace(turn.state, pending="")
    return calm(turn, NOTHING_READ, reply, state, path=("not_now",))


def _did_you_mean(turn: Turn, reading: Reading) -> Decision:
    scribe = turn.scribe
    offers = reading.candidates[:OFFERS]
    buttons = (
        *(topic_button(scribe, offer.topic) for offer in offers),
        scribe.button("none_of_these", "none"),
        scribe.button("emergency", "emergency"),
    )
    read = replace(reading, assessment=replace(reading.assessment, level=Level.INFO, kind=""))
    state = replace(turn.state, pending="offer")
    reply = Reply((scribe.phrase("did_you_mean"),), buttons)
    decision = calm(turn, read, reply, state, path=("did_you_mean",))
    return replace(decision, offers=offers)


def _nothing_fits(turn: Turn, reading: Reading) -> Decision:
    scribe = turn.scribe
    known = scribe.knowledge.wordings
    key = reading.outside if reading.outside in OWN_REPLY else "out_of_scope"
    if turn.state.pending == "offer" and wordings.means(turn.message.text, "none_of_these", known):
        return none_of_these(turn)
    if not reading.outside or reading.outside == "nonsense":
        key = "fallback"
    text = scribe.phrase(key)
    if reading.shortened:
        text = f"{scribe.phrase('long_message')}\n{text}"
    buttons = (
        scribe.button("emergency", "emergency"),
        scribe.button("crisis", "crisis"),
        topic_button(scribe, "what_is_baclofen"),
        topic_button(scribe, "find_help"),
    )
    read = replace(
        reading, assessment=replace(reading.assessment, level=Level.OUT_OF_SCOPE, kind="")
    )
    return calm(turn, read, Reply((text,), buttons), turn.state, path=("none", key))


def _leaning_on(turn: Turn, reading: Reading) -> str:
    """The topic of a short message that leans on the answer before it, or ""."""
    before = turn.state.topic
    topics = turn.scribe.knowledge.topics
    if not before:
        return ""
    known = turn.scribe.knowledge.wordings
    text = turn.message.text
    short = len(fold(text).split()) <= SHORT
    leans = wordings.leans(text, known)
    if short and leans and wordings.means(text, "someone_else", known):
        return before
    found = wordings.follow_up(text, before, topics[before], known)
    if found and (reading.outcome != "sure" or leans):
        return found.goes_to
    if not short or reading.outcome == "sure":
        return ""
    if not leans:
        return ""
    same_group = [c for c in reading.candidates if topics.get(c.topic) == topics[before]]
    return same_group[0].topic if same_group else ""


def none_of_these(turn: Turn) -> Decision:
    """None of the offered questions fits: other ways on, and who to talk to."""
    scribe = turn.scribe
    buttons = (
        topic_button(scribe, "find_help"),
        scribe.button("crisis", "crisis"),
        scribe.button("emergency", "emergency"),
    )
    reply = Reply((scribe.phrase("none_of_these_reply"),), buttons)
    return calm(turn, NOTHING_READ, reply, replace(turn.state, pending=""), path=("none_of_these",))
