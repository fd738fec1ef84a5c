"""What a message says of CPR that is under way or was: breath is back, or gone; help is here."""

from __future__ import annotations

from bot.core import typed
from bot.core.model import Level
from bot.core.turn import Turn


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
    return (
        under_cpr(turn)
        and not typed.is_question(text, known)
        and typed.says_breathing_again(text, known)
    )


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
