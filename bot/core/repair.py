"""Typo repair: unknown words turned into the nearest words that we know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from bot.core.text import Token, Utterance, render
from bot.core.words import Lexicon

SHORTEST = 3  # letters: shorter words have too many neighbours
FAR_FROM = 6  # letters: from here on two slips are forgiven
JOINED_FROM = 5  # letters: the shortest word that we try to split
LONGEST_JOIN = 24  # letters
# Shares of a message's longer words: so many that are not even near a known one, or so many
# that are not known, make it a message in another language.
FOREIGN, UNSURE = 0.4, 0.8
MESSAGE_LENGTH = 4  # words: a shorter one tells nothing of its language


# The only words that three letters are mended to, and that two slips of a key rarely hide.
TINY_WORDS = frozenset(
    {"the", "and", "for", "you", "not", "can", "was", "had", "has", "his", "her", "him", "she"}
    | {"are", "but", "one", "all", "who", "how", "why", "now", "dad", "mum", "mom", "son", "out"}
    | {"off", "get", "got", "did", "two", "ten", "six", "my", "is", "in", "it", "he", "to", "of"}
    | {"so", "me", "on", "up", "at", "be", "do", "no", "we", "if", "a", "i", "with", "that"}
    | {"took", "this", "have", "just", "been", "from", "them", "wont", "cant", "dont", "hes"}
    | {"shes", "isnt", "and", "blue", "any", "day", "old", "help", "wake", "die", "pill"}
)
# Letters that are no words: one alone was cut off from the word after it.
STRAY = frozenset("bcdefghjklopqstvz")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in ROWS
    for place, letter in enumerate(row)
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known words, indexed so that the nearest one is found quickly.

    `rank` gives each word that may be a correction its importance, 0 first. `slips` maps a
    word less one letter (and the word itself) to the corrections it may stand for; `starts`
    maps a first letter and a length to corrections, for words two slips away.
    """

    known: frozenset[str]
    rank: Mapping[str, int]
    slips: Mapping[str, tuple[str, ...]]
    starts: Mapping[tuple[str, int], tuple[str, ...]]
    expansions: Mapping[str, tuple[str, ...]]


def vocabulary_from(words: Iterable[str], lexicon: Lexicon) -> Vocabulary:
    """The vocabulary of our own words (most important first) and the lexicon's."""
    expansions = {**lexicon.slang, **lexicon.contractions}
    ordered = dict.fromkeys(w for w in (*words, *lexicon.plain) if w.isalpha())
    ours = set(lexicon.common)
    ordered = dict.fromkeys(sorted(ordered, key=lambda word: word not in ours))
    rank = {word: place for place, word in enumerate(ordered)}
    known = frozenset(ordered) | lexicon.common | frozenset(expansions)
    slips: dict[str, list[str]] = {}
    starts: dict[tuple[str, int], list[str]] = {}
    joins = [key for key in expansions if len(key) >= SHORTEST and key.isalpha()]
    for word in (*ordered, *(key for key in joins if key not in rank)):
        if len(word) < 3:
            continue
        rank.setdefault(word, len(rank))
        for key in {word, *_less_one(word)}:
            slips.setdefault(key, []).append(word)
        if len(word) >= FAR_FROM - 1:
            starts.setdefault((word[0], len(word)), []).append(word)
    return Vocabulary(
        known=known,
        rank=rank,
        slips={key: tuple(found) for key, found in slips.items()},
        starts={key: tuple(found) for key, found in starts.items()},
        expansions=expansions,
    )


def repair(utterance: Utterance, vocabulary: Vocabulary) -> Utterance:
    """The utterance with unknown words mended; known words stay as they are.

    Joined words are split and split words joined when the result is known. A message of
    which few words are known or nearly known is in another language and stays as it is.
    """
    tokens = utterance.tokens
    unknown = [not _knows(token.word, vocabulary) for token in tokens]
    if not any(unknown) or _is_foreign(tokens, unknown, vocabulary):
        return utterance
    mended: list[Token] = []
    place = 0
    while place < len(tokens):
        joined = _joined(tokens, place, unknown, vocabulary)
        if joined is not None:
            mended.append(joined)
            place += 2
            continue
        token = tokens[place]
        words = _mended(token.word, vocabulary) if unknown[place] else (token.word,)
        mended.extend(replace(token, word=word) for word in words)
        place += 1
    text = render(mended, utterance.questions)
    return Utterance(utterance.raw, text, tuple(mended), utterance.questions)


def correction(word: str, vocabulary: Vocabulary) -> str:
    """The nearest known word: one slip away, or two from six letters; "" for none."""
    return _near(word, vocabulary) or _far(word, vocabulary)


def _is_foreign(tokens: tuple[Token, ...], unknown: list[bool], vocabulary: Vocabulary) -> bool:
    """Whether too few of the longer words are known or one slip from a known one."""
    long = [place for place, token in enumerate(tokens) if len(token.word) > 2]
    if len(long) < MESSAGE_LENGTH:
        return False
    odd = [tokens[place].word for place in long if unknown[place]]
    if len(odd) <= FOREIGN * len(long):
        return False
    strange = sum(not (_near(word, vocabulary) or _split(word, vocabulary)) for word in odd)
    return strange > FOREIGN * len(long) or len(odd) > UNSURE * len(long)


def _near(word: str, vocabulary: Vocabulary) -> str:
    """The best known word one slip away, or ""."""
    if len(word) < SHORTEST or not word.isalpha():
        return ""
    near = {found for key in (word, *_less_one(word)) for found in vocabulary.slips.get(key, ())}
    if len(word) < 5:
        near = {other for other in near if not _other_letter(word, other)}
    if len(word) < 4:
        near &= TINY_WORDS
    ranked = ((OSA.distance(word, other, score_cutoff=1), other) for other in near)
    close = [(_unlikeness(word, other, vocabulary), other) for far, other in ranked if far <= 1]
    return min(close)[1] if close else ""


def _far(word: str, vocabulary: Vocabulary) -> str:
    """The best known word two slips away that has the same first letter, or ""."""
    if len(word) < FAR_FROM or not word.isalpha():
        return ""
    found: list[tuple[float, str]] = []
    for length in range(max(len(word) - 2, FAR_FROM - 1), len(word) + 3):
        choices = vocabulary.starts.get((word[0], length), ())
        for other, _, _ in process.extract(
            word, choices, scorer=OSA.distance, score_cutoff=2, limit=8
        ):
            found.append((_unlikeness(word, other, vocabulary), other))
    return min(found)[1] if found else ""


def _unlikeness(word: str, other: str, vocabulary: Vocabulary) -> float:
    """How unlikely it is that `word` was meant to be `other`, from 0: letters, keys, rank.

    Swapped, doubled and neighbouring keys are the slips that fingers make.
    """
    finger = 0.0 if _is_finger_slip(word, other) else 0.06
    rare = min(vocabulary.rank[other], 20_000) / 200_000
    return 1 - JaroWinkler.similarity(word, other) + finger + rare


def _is_finger_slip(word: str, other: str) -> bool:
    if len(word) == len(other):
        wrong = [(a, b) for a, b in zip(word, other, strict=True) if a != b]
        if len(wrong) == 2:
            return wrong[0] == wrong[1][::-1]
        return len(wrong) == 1 and wrong[0][1] in NEIGHBOURS.get(wrong[0][0], "")
    longer, shorter = sorted((word, other), key=len, reverse=True)
    return any(
        longer[i] == longer[i + 1] and longer[:i] + longer[i + 1 :] == shorter
        for i in range(len(longer) - 1)
    )


def _other_letter(word: str, other: str) -> bool:
    """Whether one letter was taken for another that is not beside it on the keyboard: among
    short words that is mostly another word."""
    return len(word) == len(other) and not _is_finger_slip(word, other)


def _mended(word: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What an unknown word stands for: one slip, then joined words, then two slips."""
    parts = _split(word, vocabulary)
    near = _near(word, vocabulary)
    if near and not (parts and all(part in TINY_WORDS for part in parts)):
        return vocabulary.expansions.get(near, (near,))
    if parts:
        return tuple(w for part in parts for w in vocabulary.expansions.get(part, (part,)))
    far = _far(word, vocabulary)
    return vocabulary.expansions.get(far, (far,)) if far else (word,)


def _split(word: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Joined words taken apart into the fewest known ones: wontwakeup -> wont wake up."""
    if not JOINED_FROM <= len(word) <= LONGEST_JOIN or not word.isascii():
        return ()
    best: list[tuple[int, tuple[str, ...]] | None] = [(0, ())] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - 14), end):
            before, part = best[start], word[start:end]
            if before is None or not _may_be_part(part, vocabulary):
                continue
            cost = before[0] + 10 + (6 if len(part) < 3 else 0)
            now = best[end]
            if now is None or cost < now[0]:
                best[end] = (cost, (*before[1], part))
    whole = best[-1]
    if whole is None or len(whole[1]) > 6:
        return ()
    return whole[1] if len(whole[1]) * 2 <= len(word) else ()


def _may_be_part(part: str, vocabulary: Vocabulary) -> bool:
    if len(part) == 1:
        return part in "ai"
    if len(part) == 2:
        return part in SHORT_PARTS
    return part in vocabulary.known


SHORT_PARTS = frozenset(
    {"am", "an", "as", "at", "be", "by", "do", "go", "he", "if", "im", "in", "is", "it", "me"}
    | {"my", "no", "of", "off", "on", "or", "so", "to", "up", "us", "we"}
)


def _joined(
    tokens: tuple[Token, ...], place: int, unknown: list[bool], vocabulary: Vocabulary
) -> Token | None:
    """This word and the next as one, when that is a known word and one of them is not."""
    if place + 1 >= len(tokens):
        return None
    first, second = tokens[place], tokens[place + 1]
    stray = (
        len(first.word) == 1 and first.word in STRAY and not (place and _digit(tokens[place - 1]))
    )
    if not (stray or unknown[place] or unknown[place + 1]):
        return None
    whole = first.word + second.word
    if first.sentence != second.sentence or len(whole) < 5 or not whole.isalpha():
        return None
    if whole not in vocabulary.rank and not stray and len(whole) > FAR_FROM:
        whole = _near(whole, vocabulary)
    if whole not in vocabulary.rank or whole in vocabulary.expansions:
        return None
    return replace(first, word=whole, end=second.end)


def _digit(token: Token) -> bool:
    return token.word[0].isdigit()


def _knows(word: str, vocabulary: Vocabulary) -> bool:
    return len(word) < 3 or word in vocabulary.known or not word.isalpha()


def _less_one(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}
