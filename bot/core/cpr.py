"""What a message says of CPR that is under way or was: breath is back, or gone; help is here."""

from __future__ import annotations

from bot.core import told, typed
from bot.core.model import Level
from bot.core.policy import Policy
from bot.core.turn import Turn
from bot.core.understand import Reading

PLAIN_TOPIC = Policy().sure  # less, and a topic is first by a margin only


def under_cpr(turn: Turn) -> bool:
    """Whether CPR is under way."""
    return turn.state.guide is not None and turn.state.guide.cpr


def says_crew_took_over(turn: Turn) -> bool:
    """Whether the crew is there while CPR is under way."""
    known = turn.scribe.knowledge.wordings
    return under_cpr(turn) and typed.says_crew_took_over(turn.message.text, known)


def says_stopped_again(turn: Turn) -> bool:
    """Whether breath that came back after CPR stopped once more."""
    open_guide, known = turn.state.guide, turn.scribe.knowledge.wordings
    if open_guide is None or not open_guide.cpr_done or open_guide.cpr:
        return False
    return typed.says_breath_stopped_again(turn.message.text, known)


def says_breathing_again(turn: Turn) -> bool:
    """Whether breath came back while CPR is under way."""
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    if not under_cpr(turn) or typed.is_question(text, known):
        return False
    return typed.says_breathing_again(text, known)


def says_sign_of_life(turn: Turn) -> bool:
    """Whether the patient moved or coughed while CPR is under way, or somebody talks or sits up,
    who may be another one: the breath must be looked at, and until it is there CPR goes on."""
    text, known = turn.message.text, turn.scribe.knowledge.wordings
    if not under_cpr(turn):
        return False
    return told.is_sign_of_life(text, known) or told.is_good_news(text, known)


def hardly_asks(turn: Turn, reading: Reading) -> bool:
    """Whether the topic that a message under CPR is taken for is a mere guess: with "neighbour is
    coming to help me" nobody wants a list of helplines."""
    likeliest = max((one.score for one in reading.candidates), default=0.0)
    return under_cpr(turn) and likeliest < PLAIN_TOPIC


def is_named(turn: Turn) -> bool:
    """Whether a message is "CPR" by one of its names, and nothing else."""
    return typed.is_wholly(turn.message.text, "cpr_named", turn.scribe.knowledge.wordings)


def says_no_breath(turn: Turn, language: str) -> bool:
    """Whether who helps in an open emergency says in another language that breath is gone.

    The rules know fewer words there than in English; these are plain, so CPR starts at once.
    """
    open_guide, known = turn.state.guide, turn.scribe.knowledge.wordings
    if open_guide is None or open_guide.cpr or turn.state.level is not Level.EMERGENCY:
        return False
    is_english = language in ("", "en") and turn.person.language == "en"
    if is_english or turn.state.subject == "self" or "?" in turn.message.text:
        return False
    return typed.says_no_breath(turn.message.text, known)
