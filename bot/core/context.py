"""Reads a message in the light of what was told before: "I see spiders" after "I stopped it"."""

from __future__ import annotations

from dataclasses import replace

from bot.core import typed
from bot.core.model import Evidence, Level
from bot.core.turn import Turn
from bot.core.understand import Reading

# What was told, in words that the readers know, by the open card.
TOLD = {"urgent/stopped": {"other": "She stopped baclofen", "": "I stopped baclofen"}}
SEVERE = {"stopping_danger", "severe_on_it"}  # the rules that see severe withdrawal


def read(turn: Turn) -> Reading:
    """The reading of the message; a graver one where what was told before makes it so.

    Fever alone is no emergency, and seeing things may be a dream: after baclofen was stopped
    they are signs of severe withdrawal.
    """
    text = turn.message.text
    alone = turn.reader.read(text)
    open_guide = turn.state.guide
    told = TOLD.get(open_guide.kind) if open_guide else None
    if told is None or alone.assessment.level >= Level.EMERGENCY:
        return alone
    if typed.is_question(text, turn.scribe.knowledge.wordings):
        return alone
    before = f"{told.get(turn.state.subject, told[''])}. "
    both = turn.reader.read(before + text)
    found = both.assessment
    new = tuple(
        moved for each in found.evidence if (moved := _moved(each, len(before))) is not None
    )
    severe = any(each.rule in SEVERE for each in new)
    if found.level is not Level.EMERGENCY or not severe:
        return alone
    assessment = replace(found, evidence=new)
    return replace(both, assessment=assessment, subject=alone.subject or turn.state.subject)


def _moved(evidence: Evidence, by: int) -> Evidence | None:
    """Evidence with its place in the message itself, or None where it is from before."""
    if evidence.kind != "trigger" or evidence.start < by:
        return None
    return replace(evidence, start=evidence.start - by, end=evidence.end - by)
