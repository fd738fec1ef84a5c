"""Typo repair: unknown words turned into the nearest words that we know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.core.text import Token, Utterance, render
from bot.core.words import Lexicon

SHORTEST = 4  # letters: shorter words have too many neighbours
FAR_FROM = 6  # letters: from here on two slips are forgiven
JOINED_FROM = 6  # letters: the shortest word that we try to split
LONGEST_JOIN = 24  # letters
UNSURE, FOREIGN = 0.55, 0.35  # shares of known words: below, it may be another language


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
    rank = {word: place for place, word in enumerate(ordered)}
    known = frozenset(ordered) | lexicon.common | frozenset(expansions)
    slips: dict[str, list[str]] = {}
    starts: dict[tuple[str, int], list[str]] = {}
    joins = [key for key in expansions if len(key) >= SHORTEST and key.isalpha()]
    for word in (*ordered, *(key for key in joins if key not in rank)):
        if len(word) < 3 or not _repairable(word):
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

    Joined words are split and split words joined when the result is known. In a message
    with few known words only the nearest corrections are made; in one with hardly any,
    which is in another language, none.
    """
    tokens = utterance.tokens
    unknown = [not _knows(token.word, vocabulary) for token in tokens]
    if not any(unknown):
        return utterance
    share = _known_share(tokens, unknown)
    if share < FOREIGN:
        return utterance
    careful = share < UNSURE
    mended: list[Token] = []
    place = 0
    while place < len(tokens):
        joined = _joined(tokens, place, unknown, vocabulary)
        if joined is not None:
            mended.append(joined)
            place += 2
            continue
        token = tokens[place]
        words = (
            _mended(token.word, vocabulary, careful=careful) if unknown[place] else (token.word,)
        )
        mended.extend(replace(token, word=word) for word in words)
        place += 1
    text = render(mended, utterance.questions)
    return Utterance(utterance.raw, text, tuple(mended), utterance.questions)


def _known_share(tokens: tuple[Token, ...], unknown: list[bool]) -> float:
    """The share of known words among those of three letters or more; 1 in a short message."""
    long = [
        not_known for token, not_known in zip(tokens, unknown, strict=True) if len(token.word) > 2
    ]
    return 1 - sum(long) / len(long) if len(long) > 3 else 1.0


def correction(word: str, vocabulary: Vocabulary, *, careful: bool = False) -> str:
    """The nearest known word: one slip away, or two from six letters; "" for none.

    With `careful`, only one slip in a word of five letters or more.
    """
    if len(word) < (SHORTEST + 1 if careful else SHORTEST) or not _repairable(word):
        return ""
    near = {found for key in (word, *_less_one(word)) for found in vocabulary.slips.get(key, ())}
    if len(word) == SHORTEST:
        near = {other for other in near if not _other_letter(word, other)}
    best = min((_cost(word, other, vocabulary) for other in near), default=(9, 0, ""))
    if best[0] <= 1:
        return best[2]
    if careful or len(word) < FAR_FROM:
        return ""
    return _far(word, vocabulary)


def _other_letter(word: str, other: str) -> bool:
    """Whether one letter was taken for another: among short words that is mostly another word."""
    return len(word) == len(other) and sorted(word) != sorted(other)


def _cost(word: str, other: str, vocabulary: Vocabulary) -> tuple[int, int, str]:
    distance = OSA.distance(word, other, score_cutoff=2)
    kept_ends = (word[0] != other[0]) + (word[-1] != other[-1])
    return (distance, vocabulary.rank[other] + 4000 * kept_ends, other)


def _far(word: str, vocabulary: Vocabulary) -> str:
    """The best known word two slips away that has the same first letter."""
    found: list[tuple[float, int, str]] = []
    for length in range(max(len(word) - 2, FAR_FROM - 1), len(word) + 3):
        choices = vocabulary.starts.get((word[0], length), ())
        for other, distance, _ in process.extract(
            word, choices, scorer=OSA.distance, score_cutoff=2, limit=5
        ):
            found.append((distance, vocabulary.rank[other], other))
    return min(found)[2] if found else ""


def _mended(word: str, vocabulary: Vocabulary, *, careful: bool) -> tuple[str, ...]:
    """What an unknown word stands for: one slip, then joined words, then two slips."""
    near = correction(word, vocabulary, careful=True) or (
        correction(word, vocabulary) if len(word) < FAR_FROM and not careful else ""
    )
    if near:
        return vocabulary.expansions.get(near, (near,))
    parts = _split(word, vocabulary)
    if parts:
        return tuple(w for part in parts for w in vocabulary.expansions.get(part, (part,)))
    far = correction(word, vocabulary, careful=careful)
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
    if place + 1 >= len(tokens) or not (unknown[place] or unknown[place + 1]):
        return None
    first, second = tokens[place], tokens[place + 1]
    whole = first.word + second.word
    if first.sentence != second.sentence or len(whole) < 5 or whole not in vocabulary.rank:
        return None
    if whole in vocabulary.expansions:
        return None
    return replace(first, word=whole, end=second.end)


def _knows(word: str, vocabulary: Vocabulary) -> bool:
    return len(word) < 3 or word in vocabulary.known or not word.isalpha()


def _repairable(word: str) -> bool:
    return word.isalpha()


def _less_one(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}
