"""Reads the short typed replies that steer a conversation: yes, no, help is coming, ..."""

from __future__ import annotations

from bot.core.helplines import fold
from bot.core.knowledge import FollowUp, Wordings

MAX_WORDS_OF_A_REPLY = 14
TELLING = 4  # letters; shorter words such as "yes" answer only what was asked
_TURNS_ROUND = ("not", "no", "isnt", "never", "hasnt", "havent", "didnt", "wont", "if", "should")
_CAN_BE_TURNED = {"help_coming", "denial", "breathing_again"}
_STOPS_A_FOLLOW_UP = 9  # words; a longer question speaks for itself


def means(text: str, group: str, wordings: Wordings) -> bool:
    """Whether the reply says what the group of wordings says, un-negated.

    A negation just before the wording turns it round ("no ambulance is coming").
    """
    folded = f" {fold(text)} "
    return any(
        _stands_un_negated(folded, phrase, check=group in _CAN_BE_TURNED)
        for phrase in wordings.groups.get(group, ())
    )


def is_plain(text: str, group: str, wordings: Wordings) -> bool:
    """Whether a reply is a plain yes (or no), and nothing that speaks against it."""
    return _plainly(fold(text), group, wordings)


def is_no_alone(text: str, wordings: Wordings) -> bool:
    """Whether a reply is a "no" by itself, or begins with one that does not go on as "no one"."""
    folded = fold(text)
    first, *rest = folded.split() or [""]
    alone, goes_on = (wordings.groups.get(name, ()) for name in ("no_alone", "no_goes_on"))
    return folded in alone or (first in alone and not set(rest[:1]).intersection(goes_on))


def follow_up(text: str, topic: str, group: str, wordings: Wordings) -> FollowUp | None:
    """The follow-up that a short question means after an answer on `topic`, or None."""
    folded = fold(text)
    if not folded or len(folded.split()) > _STOPS_A_FOLLOW_UP:
        return None
    padded = f" {folded} "
    fitting = [
        (len(words), follow)
        for follow in wordings.follow_ups
        if topic in follow.after or group in follow.after
        for words in follow.words
        if f" {words} " in padded
    ]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None


def leans(text: str, wordings: Wordings) -> bool:
    """Whether a short message leans on what was said before ("and with wine?")."""
    return means(text, "leans", wordings)


def _plainly(folded: str, group: str, wordings: Wordings) -> bool:
    """Whether a reply is a plain yes or no: nothing else, or its first word is one."""
    known = wordings.groups.get(group, ())
    return folded in known or folded.split(" ", 1)[0] in known


def _stands_un_negated(padded: str, phrase: str, *, check: bool) -> bool:
    at = padded.find(f" {phrase} ")
    if at < 0:
        return False
    if not check:
        return True
    before = padded[:at].split()[-3:]
    return not any(word in _TURNS_ROUND for word in before)
