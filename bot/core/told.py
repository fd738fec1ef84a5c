"""What people tell under an open case that is no new danger: a fact, good news, a joke.

"She is 14", "60 kg", "he took it at 3", "he is sitting up now": the learned reader takes such
for alarms, since alarms are full of them. Wordings of every language decide here; what they do
not wholly explain is left to the readers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core import typed
from bot.core.helplines import fold
from bot.core.knowledge import Wordings
from bot.core.model import Assessment, Level
from bot.core.wordings import MAX_WORDS_OF_A_REPLY, means

CHILD = 12  # years; a number up to here may be the age of a child, for whom any tablet is much
_CLAUSES = re.compile(r"[,.;:!?\n،؛。।]+")
_NUMBER = re.compile(r"(\d+)(\D*)")


def is_fact(text: str, wordings: Wordings, *, plainly: bool = False) -> bool:
    """Whether a message tells nothing but an age, a weight, a time, an illness or a relation.

    `plainly` asks for more than a number, which may be one of tablets. Where something was
    taken a number has to belong to a time or an age.
    """
    words = fold(text).split()
    if not words or len(words) > MAX_WORDS_OF_A_REPLY or "?" in text:
        return False
    tells = _group(wordings, "fact_tells") | _group(wordings, "fact_times")
    took, is_ = _group(wordings, "fact_took"), _group(wordings, "fact_is")
    counts = _group(wordings, "fact_count")
    known = tells | took | is_ | counts | _group(wordings, "fact_words")
    if not all(word in known or _is_amount(word, tells) for word in words):
        return False
    if took.intersection(words) and not _numbers_belong(words, tells, wordings):
        return False
    told = any(word in tells or _is_amount(word, tells, bare=False) for word in words)
    numbered = any(word.isdecimal() for word in words)
    return told or (numbered and (not plainly or bool(is_.intersection(words))))


def _numbers_belong(words: Sequence[str], tells: set[str], wordings: Wordings) -> bool:
    """Whether each number has a unit behind it or stands after an "at"."""
    at, counts = _group(wordings, "fact_at"), _group(wordings, "fact_count")
    return all(
        bool(tells.intersection(words[place + 1 : place + 2]))
        or bool(at.intersection(words[max(place - 1, 0) : place]))
        for place, word in enumerate(words)
        if word.isdecimal() or word in counts
    )


def tells_a_time(text: str, wordings: Wordings) -> bool:
    """Whether a fact names a time of the day or how long ago it was."""
    times = _group(wordings, "fact_times")
    return any(word in times or _is_amount(word, times, bare=False) for word in fold(text).split())


def may_be_a_child(text: str) -> bool:
    """Whether a number in the message may be the age of a child."""
    numbers = (_NUMBER.match(word) for word in fold(text).split())
    return any(found is not None and int(found[1]) <= CHILD for found in numbers)


def is_good_news(text: str, wordings: Wordings) -> bool:
    """Whether somebody is said, plainly, to be up, awake or talking, and nothing worse beside."""
    return _says_well(text, "good_news", wordings)


def is_sign_of_life(text: str, wordings: Wordings) -> bool:
    """Whether somebody is said to move, cough or open the eyes: that alone is no breath."""
    return _says_well(text, "sign_of_life", wordings)


def claims_joke(text: str, wordings: Wordings) -> bool:
    """Whether a clause of the message plainly says that it was a joke or a false alarm."""
    return any(
        means(clause, "joke", wordings)
        and not means(clause, "no_joke", wordings)
        and not set(fold(clause).split()) & _group(wordings, "joke_turned")
        for clause in _CLAUSES.split(text)
    )


def speaks_of_joke(text: str, wordings: Wordings) -> bool:
    """Whether a message says of a joke that it was, or was not, one."""
    return means(text, "joke", wordings) or means(text, "no_joke", wordings)


def is_calm(text: str, found: Assessment, wordings: Wordings) -> bool:
    """Whether what the learned reader took for an alarm is a fact or good news.

    An age that may be a child's stays an alarm where the reader thought of a child.
    """
    if is_fact(text, wordings, plainly=True):
        of_child = found.level is Level.EMERGENCY and found.kind == "child"
        return not (of_child and may_be_a_child(text))
    return is_good_news(text, wordings) or is_sign_of_life(text, wordings)


def _says_well(text: str, group: str, wordings: Wordings) -> bool:
    words = fold(text).split()
    if len(words) > MAX_WORDS_OF_A_REPLY or "?" in text or typed.is_question(text, wordings):
        return False
    spoils = _group(wordings, "breath_is_bad") | _group(wordings, "breath_in_doubt")
    spoils |= _group(wordings, "not_well")
    if spoils.intersection(words) or means(text, "not_sure", wordings):
        return False
    return means(text, group, wordings)


def _is_amount(word: str, units: set[str], *, bare: bool = True) -> bool:
    """Whether a word is a number, alone or with its unit: 14, 60kg, 3pm."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        return False
    return found[2] in units if found[2] else bare


def _group(wordings: Wordings, name: str) -> set[str]:
    return set(wordings.groups.get(name, ()))
