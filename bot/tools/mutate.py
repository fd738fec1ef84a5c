"""Messages as they really arrive: mistyped, mangled by phones, shouted, dictated."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence

from bot.tools.evaluate import Classify, Count
from bot.tools.labelled import Row

SHARE = 0.3  # of the words that a typo mutation changes

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    letter: "".join(row[near] for near in (place - 1, place + 1) if 0 <= near < len(row))
    for row in _ROWS
    for place, letter in enumerate(row)
}
LEET = str.maketrans("aeiost", "431057")
HOMOGLYPHS = str.maketrans("aeopcxyABEHKMOPCTX", "аеорсхуАВЕНКМОРСТХ")
EMOJI = ("😭", "🙏", "😰", "💊", "🆘", "😂")
ZERO_WIDTH = "\u200b"
SOUNDS_LIKE = {
    "their": "there", "there": "their", "they're": "there", "you're": "your", "your": "you're",
    "to": "two", "too": "to", "two": "to", "for": "four", "four": "for", "won": "one",
    "his": "he's", "he's": "his", "she's": "shes", "its": "it's", "it's": "its", "know": "no",
    "no": "know", "our": "are", "are": "our", "hear": "here", "here": "hear", "than": "then",
    "then": "than", "where": "wear", "been": "bean", "week": "weak", "weak": "week",
    "would": "wood", "by": "buy", "of": "have", "baclofen": "back lofen", "breathing": "breeding",
    "pills": "pils", "dose": "doze", "eight": "ate", "whole": "hole", "sleep": "sleet",
    "blue": "blew", "pump": "bump", "seizure": "caesar", "unconscious": "on conscious",
    "overdose": "over dose", "tablets": "tablet's", "lips": "lipps",
}  # fmt: skip

_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]")

Mutation = Callable[[str, random.Random], str]


def typos(text: str, dice: random.Random) -> str:
    """In 30 % of the words a swap, a drop, a double or a neighbouring key."""
    return _some_words(text, dice, _typo)


def _typo(word: str, dice: random.Random) -> str:
    places = [place for place, sign in enumerate(word) if _LETTERS.match(sign)]
    if len(places) < 3:
        return word
    place = dice.choice(places[1:])
    kind = dice.choice(("swap", "drop", "double", "neighbour"))
    if kind == "swap" and place - 1 in places:
        return word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "neighbour" and (near := NEIGHBOURS.get(word[place].lower())):
        return word[:place] + dice.choice(near) + word[place + 1 :]
    return word[:place] + word[place] + word[place:]


def curly_quotes(text: str, dice: random.Random) -> str:  # noqa: ARG001 - one signature
    """Apostrophes and quotes as a phone writes them."""
    return re.sub(r'"([^"]*)"', "“\\1”", text.replace("'", "’"))


def zero_width(text: str, dice: random.Random) -> str:
    """An invisible space inside 30 % of the words."""
    return _some_words(text, dice, lambda word, dice: _inside(word, ZERO_WIDTH, dice))


def homoglyphs(text: str, dice: random.Random) -> str:
    """Cyrillic letters of the same look in 30 % of the words."""
    return _some_words(text, dice, lambda word, _: word.translate(HOMOGLYPHS))


def leet(text: str, dice: random.Random) -> str:
    """Digits for letters in 30 % of the words."""
    return _some_words(text, dice, lambda word, _: word.translate(LEET))


def stretched(text: str, dice: random.Random) -> str:
    """A letter drawn out in 30 % of the words."""
    return _some_words(text, dice, _stretch)


def _stretch(word: str, dice: random.Random) -> str:
    places = [place for place, sign in enumerate(word) if _LETTERS.match(sign)]
    if not places:
        return word
    place = dice.choice(places)
    return word[:place] + word[place] * dice.randint(3, 5) + word[place + 1 :]


def joined(text: str, dice: random.Random) -> str:
    """Every fifth space is missing."""
    return "".join("" if sign == " " and dice.random() < 0.2 else sign for sign in text)


def split_words(text: str, dice: random.Random) -> str:
    """A space inside 20 % of the longer words."""
    return _some_words(
        text,
        dice,
        lambda word, dice: _inside(word, " ", dice) if len(word) >= 5 else word,
        share=0.2,
    )


def capitals(text: str, dice: random.Random) -> str:  # noqa: ARG001 - one signature
    """All capitals."""
    return text.upper()


def no_punctuation(text: str, dice: random.Random) -> str:  # noqa: ARG001 - one signature
    """No sign but letters, digits and spaces."""
    return " ".join(re.sub(r"[^\w\s]", "", text).split())


def emoji(text: str, dice: random.Random) -> str:
    """Two emoji in the middle."""
    words = text.split()
    for _ in range(2):
        words.insert(dice.randint(1, len(words)) if words else 0, dice.choice(EMOJI))
    return " ".join(words)


def dictated(text: str, dice: random.Random) -> str:
    """As speech recognition writes it: no signs, words that sound alike."""
    words = no_punctuation(text.replace("'", "\0"), dice).replace("\0", "'").lower().split()
    return " ".join(SOUNDS_LIKE.get(word, word) if dice.random() < 0.5 else word for word in words)


MUTATIONS: dict[str, Mutation] = {
    "typos": typos,
    "curly quotes": curly_quotes,
    "zero width": zero_width,
    "homoglyphs": homoglyphs,
    "leet": leet,
    "stretched": stretched,
    "joined": joined,
    "split": split_words,
    "capitals": capitals,
    "no punctuation": no_punctuation,
    "emoji": emoji,
    "dictated": dictated,
}


def mutate(text: str, name: str, *, seed: int = 0) -> str:
    """`text` under the mutation `name`; the same for the same text, name and seed."""
    dice = random.Random(zlib.crc32(f"{seed}/{name}/{text}".encode("utf-8", "surrogatepass")))
    return MUTATIONS[name](text, dice)


def recall(rows: Sequence[Row], classify: Classify, *, seed: int = 0) -> Iterator[str]:
    """How many of the rows that must escalate still do, unchanged and under each mutation.

    A crisis counts as found if it gets a crisis level, an urgent message if it escalates.
    """
    serious = [row for row in rows if row.level is not None and row.level.escalates]
    if not serious:
        return
    plain = _found(serious, classify, [row.text for row in serious])
    yield f"{'unchanged':<16}{100 * plain.share:6.1f} %  {plain.hits} of {plain.total}"
    for name in MUTATIONS:
        texts = [mutate(row.text, name, seed=seed) for row in serious]
        found = _found(serious, classify, texts)
        lost = 100 * (plain.share - found.share)
        yield f"{name:<16}{100 * found.share:6.1f} %  lost {lost:+.1f} points"


def _found(rows: Sequence[Row], classify: Classify, texts: Sequence[str]) -> Count:
    hits = 0
    for row, text in zip(rows, texts, strict=True):
        level = classify(text).level
        wanted = row.level is not None and row.level.is_crisis
        hits += level.is_crisis if wanted else level.escalates
    return Count(hits, len(rows))


def _some_words(
    text: str,
    dice: random.Random,
    change: Callable[[str, random.Random], str],
    *,
    share: float = SHARE,
) -> str:
    """`text` with about `share` of its words changed; spaces stay as they are."""
    return _WORD.sub(
        lambda found: change(found.group(), dice) if dice.random() < share else found.group(),
        text,
    )


def _inside(word: str, sign: str, dice: random.Random) -> str:
    if len(word) < 2:
        return word
    place = dice.randint(1, len(word) - 1)
    return word[:place] + sign + word[place:]
