"""Alarms: the card, and the first question of the guide after it."""

from __future__ import annotations

from dataclasses import replace

from bot.core import guide, typed
from bot.core.knowledge import label_of
from bot.core.model import (
    Assessment,
    Decision,
    Evidence,
    GuideState,
    Level,
    Reply,
)
from bot.core.replies import (
    CPR_CARD,
    Scribe,
    Subject,
    card_text,
)
from bot.core.turn import NOTHING_READ, Turn, decided, open_header
from bot.core.understand import Reading

STOPPED_AGAIN = "stopped_again"  # the rule of a breath that had come back and is gone once more
_ALWAYS_OTHER = {"unresponsive", "child", "breathing", "seizure"}


def escalation(turn: Turn, reading: Reading, *, path: str = "triage") -> Decision:
    """The card of a new alarm, then the guide. An open, higher alarm keeps its number first.

    While CPR is under way nothing comes before it: another need of the same person is noted
    for the crew, and the card stays that of CPR.
    """
    assessment = reading.assessment
    label = label_of(assessment.level, assessment.kind)
    subject = _subject(turn, reading)
    under_way = turn.state.guide is not None and turn.state.guide.cpr
    cpr = under_way or must_start_cpr(turn, reading)
    if cpr and assessment.level is Level.EMERGENCY and label != CPR_CARD:
        also = tuple(dict.fromkeys((assessment.kind, *assessment.also)))
        reading = replace(reading, assessment=replace(assessment, kind="breathing", also=also))
        label = CPR_CARD
    done = guide.still_done(turn.scribe, turn.state.guide)
    before = GuideState(kind=label, done=done, cpr=cpr)
    return with_card(turn, label, subject, reading=reading, path=(path, label), before=before)


def must_start_cpr(turn: Turn, reading: Reading) -> bool:
    """Whether a message plainly says that somebody else has no breath, and CPR is not begun."""
    found = reading.assessment
    if found.level is not Level.EMERGENCY or not found.by_rule or _subject(turn, reading) == "self":
        return False
    if turn.state.guide and turn.state.guide.cpr:
        return False
    return typed.says_no_breath(turn.message.text, turn.scribe.knowledge.wordings)


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


def with_card(
    turn: Turn,
    label: str,
    subject: Subject,
    *,
    reading: Reading,
    path: tuple[str, ...],
    before: GuideState,
    says: str = "",
) -> Decision:
    """A card with its guide. `before` is what the guide knows already.

    An alarm below the open one does not take the place of its guide: what is graver is asked
    first, under the card of the lower one.
    """
    scribe = turn.scribe
    card = scribe.card(label)
    was = turn.state.guide
    if was and was.cpr:
        subject = "other"  # whoever does CPR writes of somebody else
    cpr = before.cpr and subject != "self"
    asked = guide.start(scribe, card.label, subject, done=before.done, cpr=before.cpr)
    was_done = before.cpr_done or bool(was and was.cpr_done)
    asked = replace(asked, cpr_done=was_done, help_coming=before.help_coming)
    asks_of = subject
    state = turn.state
    is_under = state.level is Level.EMERGENCY and card.level is Level.URGENT
    shown = card_text(scribe, card, subject, cpr=cpr, says=says, is_under=is_under)
    if state.level > card.level:
        shown = f"{open_header(turn)}\n\n{shown}"
        if state.guide and state.guide.asked and not state.guide.help_coming:
            asked, asks_of = state.guide, state.subject
    if cpr and card.label != CPR_CARD:
        shown = f"{scribe.phrase('cpr_go_on')}\n\n{shown}"
    state = replace(
        state,
        level=max(state.level, card.level),
        kind=card.kind if card.level >= state.level else state.kind,
        subject=asks_of,
        escalated_at=turn.message.at or state.escalated_at,
        guide=asked,
        pending="",
    )
    texts = (shown, guide_text(scribe, asked, asks_of, with_card=True))
    decision = decided(turn, reading, Reply(texts, guide.buttons(scribe, asked)), state)
    return replace(decision, kind=card.kind, path=path)


def guide_text(
    scribe: Scribe, asked: GuideState, subject: Subject, *, with_card: bool = False
) -> str:
    """The guide's open question; under a card also how to get the number of one's country."""
    text = guide.question_text(scribe, asked, subject, with_card=with_card)
    if scribe.country_known or not with_card:
        return text
    return f"{text}\n{scribe.phrase('country_hint')}"


def breath_stopped(
    turn: Turn, reading: Reading = NOTHING_READ, *, rule: str = "no_breath"
) -> Decision:
    """Breath stopped, perhaps after it had come back (`rule` is STOPPED_AGAIN): the card of CPR,
    at once."""
    open_guide = turn.state.guide
    done = guide.still_done(turn.scribe, open_guide)
    before = GuideState(
        kind=CPR_CARD,
        done=done,
        cpr=True,
        cpr_done=rule == STOPPED_AGAIN,
        help_coming=open_guide is not None and open_guide.help_coming,
    )
    evidence = (Evidence(f"guide:{rule}", "trigger", 0, 0, "", "said in so many words"),)
    also = reading.assessment.also
    found = Assessment(Level.EMERGENCY, "breathing", 1.0, also=also, evidence=evidence)
    return with_card(
        turn,
        CPR_CARD,
        "other",
        reading=replace(reading, assessment=found, subject="other"),
        path=("guide", rule),
        before=before,
    )


def _subject(turn: Turn, reading: Reading) -> Subject:
    if turn.state.guide and turn.state.guide.cpr:
        return "other"
    known = turn.scribe.knowledge.wordings
    if reading.subject != "other" and typed.says_own_breath(turn.message.text, known):
        return "self"
    if reading.assessment.kind in _ALWAYS_OTHER and reading.subject != "self":
        return "other"
    return reading.subject or turn.state.subject
