"""What people ask or tell while help is on its way, and what we can say to it.

"Should I give him coffee?", "she is being sick", "I'm tired, can I stop?": each has an answer
that the steps of the cards hold. Only what has none goes to the call handler.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import OSA

from bot.core.helplines import fold
from bot.core.knowledge import Asked, Knowledge
from bot.core.replies import Scribe, Subject, cpr_steps

GAP = 3  # words that may stand between two parts of a wording
SPELT_LOOSELY = 6  # letters; from here on one slip is forgiven
MAX_WORDS = 25  # a longer message tells more than it asks


def asked_in(
    text: str, kind: str, knowledge: Knowledge, *, cpr: bool = False, language: str = "en"
) -> Asked | None:
    """What a message asks or tells under the card `kind`, or None: nothing that we know of.

    It may be asked in English or in `language`; the one of the longest wording counts. Some are
    known only while CPR is under way (`cpr`).
    """
    words = fold(text).split()
    if not words or len(words) > MAX_WORDS:
        return None
    own = knowledge.books[language].asked if language in knowledge.books else {}
    fitting = [
        (length, asked)
        for asked in knowledge.books["en"].asked.values()
        if _fits(asked, kind, cpr=cpr)
        and (length := max(_longest(words, asked), _longest(words, own.get(asked.id, asked))))
    ]
    return max(fitting, key=lambda found: found[0])[1] if fitting else None


def answer_to(scribe: Scribe, asked: Asked, subject: Subject, *, cpr: bool = False) -> str:
    """What we say to it: to the patient, to a helper, or to somebody who does CPR."""
    own = scribe.book.asked.get(asked.id, asked)
    says = own.says_self if subject == "self" and own.says_self else own.says
    if cpr:
        says = own.says_cpr
    text = scribe.fill(says) if says else ""
    if asked.shows_cpr:
        text = f"{text}\n{cpr_steps(scribe)}".strip()
    return f"{scribe.phrase('cpr_go_on')}\n{text}".strip() if cpr else text


def _fits(asked: Asked, kind: str, *, cpr: bool) -> bool:
    if asked.only_cpr:
        return cpr
    return cpr or not asked.cards or kind in asked.cards


def _longest(words: Sequence[str], asked: Asked) -> int:
    """How many parts the longest wording has that stands in the words, or 0."""
    return max((len(wording) for wording in asked.wordings if _stands(words, wording)), default=0)


def _stands(words: Sequence[str], wording: Sequence[tuple[str, ...]]) -> bool:
    """Whether the parts of a wording stand in the words in order, near to each other."""
    ends = [
        end for start in range(len(words)) for end in _ends(words, start, wording[0])
    ]  # where each way to read the first part ends
    for part in wording[1:]:
        ends = [
            after
            for end in dict.fromkeys(ends)
            for start in range(end, min(end + GAP + 1, len(words)))
            for after in _ends(words, start, part)
        ]
    return bool(ends)


def _ends(words: Sequence[str], start: int, part: Sequence[str]) -> list[int]:
    """Where the alternatives of a part end that begin at `start`."""
    found = []
    for alternative in part:
        spelt = alternative.split()
        written = words[start : start + len(spelt)]
        if len(written) == len(spelt) and all(map(_same, written, spelt)):
            found.append(start + len(spelt))
    return found


def _same(written: str, meant: str) -> bool:
    if written == meant:
        return True
    loose = len(meant) >= SPELT_LOOSELY and len(written) >= SPELT_LOOSELY - 1
    return loose and written[:1] == meant[:1] and OSA.distance(written, meant, score_cutoff=1) <= 1
