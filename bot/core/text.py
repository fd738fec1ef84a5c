"""One way of reading what people type: plain words, each with its place in the message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.words import Lexicon

# A Telegram message holds at most 4,096 characters; of a longer text we read both ends.
HEAD = 8_000  # characters
TAIL = 4_000  # characters

# Letters of other alphabets that look like Latin ones.
LOOKALIKES = str.maketrans(
    "авсԁеһіјкӏмнոорԛѕтυνхуԝαβεικορτχѡɑɡı",
    "abcdehijklmhnopqstuvxywabeikoptxwagi",
)
# Cyrillic and Greek letters that pass for Latin ones in a word of nothing else.
LOOKALIKE_LETTERS = frozenset("ансԁеһіјӏорԛѕхуԝαιορν")
JUNK = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
# Letters that Unicode does not take apart into a Latin letter and a mark.
SPECIAL = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"}
SPECIAL |= {"’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'", "ʹ": "'", "′": "'", "＇": "'"}
SPECIAL |= {"–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "…": ".", "\u0640": ""}
SPECIAL |= {
    "؟": "?",
    "،": ",",
    "؛": ".",
    "।": ".",
    "॥": ".",
    "۔": ".",
    "。": ".",
    "？": "?",
    "×": "x",
}

MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
MARKS += (
    "\u0900-\u0963\u0970-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd\u0f71-\u0f84\u102b-\u103e\u17b6-\u17d3"
)
LETTER = rf"(?:[^\W_]|[{MARKS}])"
TOKEN = re.compile(
    r"(?P<half>(?<![\d/])1/[234](?![\d/]))"
    r"|(?P<number>\d+(?:[.,]\d+)+)"
    rf"|(?P<acronym>(?:(?<!\w)[a-z]\.)+[a-z]\b)"
    rf"|(?P<word>[^\W_](?:{LETTER}|[@$](?=\w)|'(?=\w)|\*+(?=[a-z]))*)"
    rf"|(?P<question>[.!]*\?[?!.]*)"
    rf"|(?P<stop>[.!\n\r;|]+)"
    rf"|(?P<pause>(?<!\w)-+(?!\w)|[,:()]|--+)"
    rf"|(?P<sign>[^\w\s])"
)
AMOUNT = re.compile(r"(\d+)([a-z]+)$")
TIMES = re.compile(r"(x)(\d+)$")
STRETCH = re.compile(r"([^\W\d_])\1{2,}")
LEET = str.maketrans("0134578@$", "oieastbas")
LEET_L = str.maketrans("0134578@$", "oleastbas")


@dataclass(frozen=True, slots=True)
class Token:
    """One word as it is compared. `start` and `end` are offsets into the raw message.

    `sentence` and `clause` count sentences and clauses from 0. Words that stand for one
    written word (can not, for can't) share its offsets.
    """

    word: str
    start: int
    end: int
    sentence: int
    clause: int = 0


@dataclass(frozen=True, slots=True)
class Utterance:
    """A message as the readers see it.

    `text` is the tokens with plain punctuation, and reading it again gives the same text.
    `questions` are the numbers of the sentences that end in a question mark.
    """

    raw: str
    text: str
    tokens: tuple[Token, ...]
    questions: tuple[int, ...] = ()


def normalise(raw: str, lexicon: Lexicon) -> Utterance:
    """The message in plain words: lower case, no accents, one form for each contraction.

    Total for any string. Of a text longer than HEAD + TAIL characters only both ends are
    read, so the work is bounded.
    """
    folded, places = _fold(raw, lexicon)
    tokens: list[Token] = []
    questions: list[int] = []
    sentence = clause = 0
    paused = stopped = False  # Whether a clause, or a sentence, ended after the last word.
    for match in TOKEN.finditer(folded):
        kind, written = match.lastgroup, match.group()
        if kind == "pause":
            paused = True
            continue
        if kind in ("question", "stop"):
            if kind == "question" and tokens and not stopped:
                questions.append(sentence)
            stopped = True
            continue
        words = _read(str(kind), written, lexicon)
        if not words:
            continue
        if tokens:
            sentence += stopped
            clause += stopped or paused
        paused = stopped = False
        start, end = places[match.start()], places[match.end() - 1] + 1
        tokens.extend(Token(word, start, end, sentence, clause) for word in words)
    return Utterance(raw, render(tokens, questions), tuple(tokens), tuple(questions))


def render(tokens: list[Token] | tuple[Token, ...], questions: list[int] | tuple[int, ...]) -> str:
    """The words with plain punctuation: a comma between clauses, a stop after a sentence."""
    parts: list[str] = []
    before: Token | None = None
    for token in tokens:
        if before is not None:
            parts.append(_mark(before, token, questions))
        parts.append(token.word)
        before = token
    if before is not None and before.sentence in questions:
        parts.append("?")
    return "".join(parts)


def _mark(before: Token, token: Token, questions: list[int] | tuple[int, ...]) -> str:
    if before.sentence != token.sentence:
        return "? " if before.sentence in questions else ". "
    return ", " if before.clause != token.clause else " "


# ---- characters --------------------------------------------------------------------


def _fold(raw: str, lexicon: Lexicon) -> tuple[str, range | list[int]]:
    """The text in lower case and plain letters, and for each of its characters the place
    in `raw` that it came from."""
    if len(raw) <= HEAD + TAIL and raw.isascii() and not JUNK.search(raw):
        return raw.lower(), range(len(raw))
    letters: list[str] = []
    places: list[int] = []
    for place in _kept_places(len(raw)):
        _fold_one(raw[place], place, letters, places)
    return _latin_words("".join(letters), lexicon), places


def _kept_places(length: int) -> Iterator[int]:
    if length <= HEAD + TAIL:
        return iter(range(length))
    return iter((*range(HEAD), *range(length - TAIL, length)))


def _fold_one(sign: str, place: int, letters: list[str], places: list[int]) -> None:
    if sign.isascii() and sign >= " ":
        letters.append(sign.lower())
        places.append(place)
        return
    if JUNK.match(sign):
        return
    for part in _plain(sign):
        if not unicodedata.combining(part):
            letters.append(part)
            places.append(place)
        elif letters and not letters[-1].isascii():
            _join_mark(part, place, letters, places)


def _plain(sign: str) -> str:
    """One character, folded: lower case, compatibility forms resolved, Latin accents off."""
    if sign in SPECIAL:
        return SPECIAL[sign]
    if sign in FRACTIONS:
        return FRACTIONS[sign]
    lowered = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sign).casefold())
    apart = unicodedata.normalize("NFKD", lowered)
    folded = apart if apart[:1].isascii() else lowered
    return "".join(SPECIAL.get(part, part) for part in folded if not JUNK.match(part))


FRACTIONS = {"½": " half ", "¼": " quarter ", "¾": " three quarters "}


def _join_mark(mark: str, place: int, letters: list[str], places: list[int]) -> None:
    """Put a mark on the letter before it, as й from и and its breve.

    Stress marks and Arabic vowel signs fall away.
    """
    joined = unicodedata.normalize("NFC", letters[-1] + mark)
    if len(joined) == 1:
        letters[-1] = joined
    elif not ("\u0300" <= mark <= "\u036f" or "\u064b" <= mark <= "\u0670"):
        letters.append(mark)
        places.append(place)


def _latin_words(text: str, lexicon: Lexicon) -> str:
    """Lookalike letters turned Latin in words that are otherwise Latin.

    A word of lookalikes only ("сор") turns too when the message has Latin words (or emoji
    that stand for some) and no genuine word of that alphabet.
    """
    if text.isascii():
        return text
    foreign = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    genuine = any(_genuine(word) for word in foreign)
    latin = any("a" <= sign <= "z" or sign in lexicon.emoji for sign in text)

    def turn(match: re.Match[str]) -> str:
        word = match.group()
        if word.isascii():
            return word
        mixed = any("a" <= letter <= "z" for letter in word)
        whole = latin and not genuine and all(letter in LOOKALIKE_LETTERS for letter in word)
        return word.translate(LOOKALIKES) if mixed or whole else word

    return re.sub(r"[^\W\d_]+", turn, text)


def _genuine(word: str) -> bool:
    has_latin = any("a" <= letter <= "z" for letter in word)
    return not has_latin and any(letter not in LOOKALIKE_LETTERS for letter in word)


# ---- words -------------------------------------------------------------------------


def _read(kind: str, written: str, lexicon: Lexicon) -> tuple[str, ...]:
    """The words that one written token stands for."""
    if kind == "word" and written in lexicon.common and written not in lexicon.slang:
        return (written,)
    if kind == "half":
        return ({"2": "half", "3": "third", "4": "quarter"}[written[-1]],)
    if kind == "number":
        return (_number(written),)
    if kind == "sign":
        return lexicon.emoji.get(written, ())
    word = written.replace(".", "") if kind == "acronym" else written
    return _words(word, lexicon)


def _stands(part: str, lexicon: Lexicon) -> bool:
    """Whether letters beside digits are a word of their own, as in "missed4doses"."""
    return part in lexicon.units or (len(part) > 1 and lexicon.knows(part))


def _number(written: str) -> str:
    """1,000 and 1.000.000 without their dividers; 2,5 with a point."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+|\d+(?:[.,]\d+){2,}", written):
        return re.sub(r"[.,]", "", written)
    return written.replace(",", ".")


def _words(word: str, lexicon: Lexicon) -> tuple[str, ...]:
    if word in lexicon.slang:
        return lexicon.slang[word]
    if word in lexicon.common:
        return (word,)
    if "'" in word:
        return _apostrophe(word, lexicon)
    if word in lexicon.contractions:
        return lexicon.contractions[word]
    if word.endswith("in") and word + "g" in lexicon.common:
        return (word + "g",)  # doin, sayin
    if word.isalpha() and not STRETCH.search(word):
        return (word,)
    return _settled(_mend(word, lexicon), word, lexicon)


def _settled(words: tuple[str, ...], written: str, lexicon: Lexicon) -> tuple[str, ...]:
    """What mending made, read again until it stays as it is: mending one thing may uncover
    another, and a text that was read once must read the same twice."""
    return tuple(
        plain
        for word in words
        for plain in ((word,) if word == written else _reread(word, len(written), lexicon))
    )


def _reread(word: str, longest: int, lexicon: Lexicon) -> tuple[str, ...]:
    if len(word) > longest:  # Slang and emoji stand for more words; those are plain.
        return (word,)
    return tuple(
        plain
        for match in TOKEN.finditer(word)
        for plain in _read(str(match.lastgroup), match.group(), lexicon)
    )


def _apostrophe(word: str, lexicon: Lexicon) -> tuple[str, ...]:
    bare = word.replace("'", "")
    stem, _, tail = word.rpartition("'")
    stem = stem.replace("'", "")
    if stem.endswith("n") and tail == "t" and bare in lexicon.contractions:
        return lexicon.contractions[bare]
    if word in lexicon.contractions:
        return lexicon.contractions[word]
    if tail in TAILS:
        return (*_words(stem, lexicon), TAILS[tail])
    if tail == "s":
        verb = ("is",) if stem in IS_AFTER else ()
        return (*_words(stem, lexicon), *verb)
    return _words(bare, lexicon)


TAILS = {"m": "am", "re": "are", "ll": "will", "ve": "have", "d": "had"}
# After these words an 's is "is"; after a noun it may be "of" and says nothing.
IS_AFTER = frozenset(
    {"he", "she", "it", "that", "this", "there", "here", "what", "who", "where", "how", "when"}
)


def _mend(word: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Leet, stretched and starred words, and numbers with their unit."""
    amount = AMOUNT.match(word)
    if amount and amount.group(2) in lexicon.units and word[0] != "0":
        return (amount.group(1), *_again(amount.group(2), lexicon))
    times = TIMES.match(word)
    if times:
        return (times.group(1), times.group(2))
    word = _unstretch(word, lexicon)
    if "*" in word:
        word = _unstar(word, lexicon)
    if not word.isalpha() and re.search(r"[a-z]", word):
        return _unleet(word, lexicon)
    return _again(word, lexicon)


def _again(word: str, lexicon: Lexicon) -> tuple[str, ...]:
    if word in lexicon.contractions:
        return lexicon.contractions[word]
    return lexicon.slang.get(word, (word,))


def _unstretch(word: str, lexicon: Lexicon) -> str:
    if not STRETCH.search(word):
        return word
    twice, once = STRETCH.sub(r"\1\1", word), STRETCH.sub(r"\1", word)
    return twice if lexicon.knows(twice) and not lexicon.knows(once) else once


def _unstar(word: str, lexicon: Lexicon) -> str:
    """k*ll -> kill, su*cide -> suicide, where one letter makes a known word."""
    stars = re.sub(r"\*+", "*", word)
    for letter in "iuaeohcr":
        if lexicon.knows(filled := stars.replace("*", letter)):
            return filled
    return stars.replace("*", "")


def _unleet(word: str, lexicon: Lexicon) -> tuple[str, ...]:
    for table in (LEET, LEET_L):
        plain = _unstretch(word.translate(table), lexicon)
        if lexicon.knows(plain) or (plain.endswith("in") and plain + "g" in lexicon.common):
            return _words(plain, lexicon)
    apart = tuple(re.findall(r"[a-z]+|\d+", word))
    if len(apart) > 1 and all(part.isdigit() or _stands(part, lexicon) for part in apart):
        return tuple(plain for part in apart for plain in _again(part, lexicon))
    amount = AMOUNT.match(word)
    if amount:
        return (amount.group(1), *_words(amount.group(2), lexicon))
    inside = re.search(r"[a-z][0-9@$]+[a-z]", word)
    if inside:
        plain = _unstretch(word.translate(LEET), lexicon)
        # What is left of a number at its ends is told apart, as it would be on its own.
        return (plain,) if plain in {word} or plain.isalpha() else _unleet(plain, lexicon)
    parts = [part for part in re.split(r"[@$*]+", word) if part]
    if parts == [word]:
        return (word,)
    return tuple(plain for part in parts for plain in _words(part, lexicon))
