"""The lexicon: what the text readers know about words, built from `intents/<lang>/words.yml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

VOWELS = frozenset("aeiou")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words as data. Keys are lower case, without accents and without apostrophes.

    `contractions` and `slang` map one written word to the words it stands for; `emoji`
    maps a sign to words; `numbers` maps a number word to its value; `units` are the letters
    that may stick to a number (10mg, 20s, 3x); `fillers` are words that phrases skip,
    `stoppers` those that no gap may hold (not, never, but); `common` are words that are
    spelt rightly, with their regular inflections; `plain` are those that were written in
    the list itself; `forms` maps a base word to its irregular forms; `amounts` names the
    groups of words by which amounts are read.
    """

    contractions: Mapping[str, tuple[str, ...]]
    slang: Mapping[str, tuple[str, ...]]
    emoji: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, float]
    units: frozenset[str]
    fillers: frozenset[str]
    stoppers: frozenset[str]
    common: frozenset[str]
    plain: tuple[str, ...]
    forms: Mapping[str, tuple[str, ...]]
    amounts: Mapping[str, frozenset[str]]

    def knows(self, word: str) -> bool:
        """Whether `word` is spelt rightly as far as the lexicon can tell."""
        return word in self.common or word in self.contractions or word in self.slang

    def value(self, word: str) -> float | None:
        """The number that `word` stands for in digits or letters, or None."""
        if word in self.numbers:
            return self.numbers[word]
        if word[:1].isdigit() and len(word) < 8:
            return _float(word)
        return None

    def forms_of(self, word: str) -> tuple[str, ...]:
        """The word and all its forms, regular ones included: wake, wakes, woke, ..."""
        irregular = self.forms.get(word, ())
        return tuple(dict.fromkeys((word, *irregular, *inflections(word))))


def lexicon_from(*files: Mapping[str, Any]) -> Lexicon:
    """The lexicon that the mappings read from the `words.yml` of each language describe.

    A file has the keys `contractions`, `slang`, `emoji`, `numbers` and `irregular`
    (mappings of text to text), `units`, `fillers`, `stoppers` and `common` (blocks of words
    divided by white space) and `amounts` (a mapping of group to block). A key that is missing
    counts as empty; where two files name the same word, the first one counts.
    """
    data = _merged(files)
    contractions = _word_map(data, "contractions")
    slang = _word_map(data, "slang")
    emoji = _word_map(data, "emoji")
    numbers = {str(key): float(value) for key, value in (data.get("numbers") or {}).items()}
    forms = _word_map(data, "irregular")
    fillers = frozenset(_words(data, "fillers"))
    plain = tuple(dict.fromkeys(_words(data, "common")))
    produced = [
        word for table in (contractions, slang, emoji) for ws in table.values() for word in ws
    ]
    listed = {*plain, *fillers, *numbers, *produced}
    common = frozenset(
        form for word in listed for form in (word, *forms.get(word, ()), *inflections(word))
    )
    return Lexicon(
        contractions=contractions,
        slang=slang,
        emoji=emoji,
        numbers=numbers,
        units=frozenset(_words(data, "units")),
        fillers=fillers,
        stoppers=frozenset(_words(data, "stoppers")),
        common=common,
        plain=plain,
        forms=forms,
        amounts={
            name: frozenset(_flat(words).split())
            for name, words in (data.get("amounts") or {}).items()
        },
    )


def inflections(word: str) -> tuple[str, ...]:
    """The regular English forms of a word, without the word: stop -> stops, stopped, stopping.

    It knows no parts of speech, so it also makes words that nobody says; they do no harm
    where a word is only compared with what was written.
    """
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return ()
    if word.endswith("e"):
        return (word + "s", word + "d", word[:-1] + "ing")
    if word.endswith("y") and word[-2] not in VOWELS:
        return (word[:-1] + "ies", word[:-1] + "ied", word + "ing")
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return (word + "es", word + "ed", word + "ing")
    stem = word + word[-1] if _doubles(word) else word
    return (word + "s", stem + "ed", stem + "ing")


def _doubles(word: str) -> bool:
    """Whether the last letter doubles before -ed and -ing: stop, pump's cousin tip, not wait."""
    last, before, first = word[-1], word[-2], word[-3]
    one_vowel = before in VOWELS and first not in VOWELS
    return one_vowel and last not in VOWELS and last not in "wxyr" and len(word) <= 5


def _merged(files: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for data in files:
        for key, value in data.items():
            if isinstance(value, Mapping):
                merged[key] = _both(merged.get(key) or {}, value)
            else:
                merged[key] = f"{merged.get(key, '')} {_flat(value)}"
    return merged


def _both(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two mappings as one; blocks of words under the same key are added up."""
    both = dict(first)
    for key, value in second.items():
        both[key] = (
            f"{both[key]} {value}" if key in both and "\n" in str(value) else both.get(key, value)
        )
    return both


def _words(data: Mapping[str, Any], key: str) -> list[str]:
    return _flat(data.get(key) or "").split()


def _flat(value: str | Iterable[str]) -> str:
    return value if isinstance(value, str) else " ".join(value)


def _word_map(data: Mapping[str, Any], key: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(str(words).split()) for name, words in (data.get(key) or {}).items()}


def _float(word: str) -> float | None:
    try:
        return float(word.replace(",", "."))
    except ValueError:
        return None
