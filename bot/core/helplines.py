"""Puts the right numbers into curated text, and reads a country from what a person says."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.core.knowledge import Book, CountryLines, Helplines, Line

UNKNOWN = CountryLines(iso="", name="")
ALWAYS_OPEN = "24/7"

_NO_LETTER = re.compile(r"[^\w\u0900-\u097f]|_")
_SIGNS_KEPT = 10_000  # signs whose folding is remembered

# Words after which a country's name says where somebody is.
_PLACED = r"(?:in|for|from|near|at|to|visiting|en|em|au|aux|aus|uit|w|z|в|из|у|з)"
_BARE = re.compile(
    r"^(?:i am |im |we are |were |i live |it is |its |my country is |country |estoy |je suis "
    r"|ich bin |ik ben |sono |jestem |estou |я )*(?:in |from |en |em |w |в |у |aus |uit |au )?"
)
_MAX_WORDS = 4  # of a country's name
# What "for" must stand beside: "numbers for Ireland", not "a card for Georgia".
_NUMBERS = re.compile(r"\b(?:numbers?|helplines?|hotlines?|crisis line|ambulance)\b")
# First names, too: "I gave ten to Jordan".
_NAMES_TOO = frozenset(("chad", "georgia", "jordan"))


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its numbers in place, and which numbers it shows."""

    text: str
    numbers: tuple[str, ...]


class _Folding(dict[int, int | None]):
    """What becomes of each sign, for `str.translate`: a space for what is no letter, nothing for
    accents. The vowel signs of Devanagari are letters and stay."""

    def __missing__(self, code: int) -> int | None:
        sign = chr(code)
        devanagari = "\u0900" <= sign <= "\u097f"
        folded: int | None = ord(" ") if _NO_LETTER.match(sign) else code
        if unicodedata.combining(sign) and not devanagari:
            folded = None
        if len(self) < _SIGNS_KEPT:
            self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Lower case, no accents, words divided by single spaces; other scripts are kept."""
    plain = text.replace("’", "").replace("'", "").lower()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
    return " ".join(plain.translate(_FOLDING).split())


def country_lines(helplines: Helplines, iso: str) -> CountryLines:
    """The lines of a country, or those of "unknown" where nothing is known."""
    return helplines.countries.get(iso, UNKNOWN)


def find_country(text: str, helplines: Helplines) -> str:
    """The ISO code of the country that the text says somebody is in, or "".

    A name counts when the text is nothing but that name ("Canada", "I'm in Canada"), or
    after a word of place inside a sentence. Never guessed from language.
    """
    return country_alone(text, helplines) or _placed_country(fold(text[:2000]), helplines)


def country_alone(text: str, helplines: Helplines) -> str:
    """The ISO code of the country where a text says that somebody is there and nothing else, or
    ""."""
    bare = _BARE.sub("", fold(text[:2000])).removesuffix(" please")
    if len(bare.split()) > _MAX_WORDS:
        return ""
    return helplines.names.get(bare) or helplines.places.get(bare) or ""


def _placed_country(folded: str, helplines: Helplines) -> str:
    words = folded.split()
    for index, word in enumerate(words[:-1]):
        if not re.fullmatch(_PLACED, word):
            continue
        if word == "for" and not _NUMBERS.search(folded):
            continue
        for size in range(_MAX_WORDS, 0, -1):
            name = " ".join(words[index + 1 : index + 1 + size])
            known = helplines.names.get(name) or helplines.places.get(name)
            if (known and len(name) > 2) or (known and size == 1 and name in {"uk", "us", "nz"}):
                if name == "us" and word in {"to", "for", "from", "near", "at"}:
                    continue  # "next to us" is no country
                if name in _NAMES_TOO and word == "to":
                    continue
                return known
    return ""


def fill(template: str, lines: CountryLines, book: Book, *, extra: dict[str, str]) -> Filled:
    """The template with every placeholder replaced, and the numbers it now shows.

    Unknown placeholders are left out by the content check, so they cannot occur here.
    """
    values = {**_values(lines, book), **extra}
    numbers: list[str] = []

    def replaced(match: re.Match[str]) -> str:
        key = match.group(1)
        numbers.extend(_numbers(key, lines))
        value = values.get(key, "")
        return _capital(value) if _starts_sentence(template, match.start()) else value

    return Filled(re.sub(r"\{(\w+)\}", replaced, template).strip(), tuple(dict.fromkeys(numbers)))


def directory(lines: CountryLines, book: Book) -> str:
    """All lines of one country, one a row, the ambulance first."""
    rows = [
        book.lines["emergency_name"].format(
            country=lines.name or lines.iso, emergency=emergency(lines, book)
        )
    ]
    if lines.emergency_note:
        rows.append(f"({lines.emergency_note})")
    for line in (*lines.suicide[:2], *lines.poison[:1], *lines.drug_alcohol[:1]):
        rows.append(describe(line, book))
    rows += [describe(line, book) for line in lines.medical_advice[:1]]
    return "\n".join(dict.fromkeys(rows))


def emergency(lines: CountryLines, book: Book) -> str:
    """The number to call for an ambulance, or the widest ones where none is known."""
    if not lines.emergency:
        return book.lines["emergency_unknown"]
    return " / ".join(lines.emergency)


def emergency_short(lines: CountryLines, book: Book) -> str:
    """The number where it is repeated: the widest ones without what is said beside them."""
    if not lines.emergency and "emergency_unknown_short" in book.lines:
        return book.lines["emergency_unknown_short"]
    return emergency(lines, book)


def describe(line: Line, book: Book) -> str:
    """A line in words: "Samaritans on 116 123", with its hours unless always open. A name that
    holds the number ("NHS 111") is enough."""
    ways = []
    if line.number and line.number in line.name.split():
        ways.append(line.name)
    elif line.number:
        ways.append(book.lines["line_at"].format(name=line.name, number=line.number))
    if line.text:
        ways.append(line.text if ways else f"{line.name}: {line.text}")
    if not ways:
        ways.append(f"{line.name}: {line.chat}")
    shown = f", {book.lines['or']} ".join(ways)
    if line.hours and line.hours != ALWAYS_OPEN:
        shown += f" ({line.hours})"
    return shown


def _starts_sentence(template: str, place: int) -> bool:
    before = template[:place].rstrip(" ")
    return not before or before[-1] in "\n.?!" or before.endswith(("\n-", "\n- "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _values(lines: CountryLines, book: Book) -> dict[str, str]:
    number = emergency(lines, book)

    def first(of: tuple[Line, ...], missing: str) -> str:
        return describe(of[0], book) if of else book.lines[missing]

    return {
        "emergency": number,
        "emergency_short": emergency_short(lines, book),
        "crisis_line": first(lines.suicide, "crisis_none"),
        "poison_centre": first(lines.poison, "poison_none"),
        "nurse_line": first(lines.medical_advice, "nurse_none"),
        "drug_line": first(lines.drug_alcohol, "drug_none"),
        "country": lines.name,
    }


def _numbers(key: str, lines: CountryLines) -> tuple[str, ...]:
    """The numbers that a placeholder shows, for the record."""
    of = {
        "crisis_line": lines.suicide,
        "poison_centre": lines.poison,
        "nurse_line": lines.medical_advice,
        "drug_line": lines.drug_alcohol,
    }
    if key in ("emergency", "emergency_short"):
        return lines.emergency or ("112", "911")
    return tuple(line.number or line.text for line in of.get(key, ())[:1])
