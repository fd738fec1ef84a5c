"""Helplines from responses/helplines.yml, and emergency numbers for every other region."""

from __future__ import annotations

import itertools
import re

from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.shortnumberinfo import SUPPORTED_SHORT_REGIONS

from bot.content.yaml_text import Sheet
from bot.core.helplines import fold
from bot.core.knowledge import CountryLines, Helplines, Line

_NUMBER = re.compile(r"^[+*#(]?\d[\d\s\-()]{0,18}\d(?: ext\. \d+| \([^\d)]+\))?$")
_TEXT_WAY = re.compile(r"\d{3}")
# The order in which a fallback number is preferred: responses/helplines.yml, meta,
# phonenumbers_fallback, suggested_order.
_PREFERRED = ("112", "911", "999", "000", "111")
_FALLBACK_SHOWN = 4


def helplines_from(sheet: Sheet, countries: Sheet) -> Helplines:
    """Every country's lines: listed ones, and the fallback for all other regions."""
    names = _names(countries)
    known = {iso: entry.text("name") for iso, entry in _entries(countries)}
    found = {
        iso: _country(iso, country, known.get(iso, iso))
        for iso, country in _entries(sheet.sub("countries", required=True))
    }
    for iso in sorted(SUPPORTED_SHORT_REGIONS):
        if iso not in found:
            found[iso] = CountryLines(
                iso, known.get(iso, iso), _fallback_numbers(iso), listed=False
            )
    return Helplines(
        checked=sheet.sub("meta").text("checked", required=True),
        countries=found,
        names={name: iso for name, iso in names.items() if iso in found},
        places={name: iso for name, iso in _places(countries).items() if iso in found},
    )


def _entries(sheet: Sheet) -> tuple[tuple[str, Sheet], ...]:
    return tuple((key, sheet.sub(key)) for key in sheet.table.items)


def _names(countries: Sheet) -> dict[str, str]:
    names: dict[str, str] = {}
    for iso, entry in _entries(countries):
        entry.only("name", "also", "places")
        for name in (entry.text("name", required=True), *entry.text("also").split(",")):
            if fold(name):
                names.setdefault(fold(name), iso)
    return names


def _places(countries: Sheet) -> dict[str, str]:
    return {
        fold(place): iso
        for iso, entry in _entries(countries)
        for place in entry.text("places").split(",")
        if fold(place)
    }


def _country(iso: str, sheet: Sheet, name: str) -> CountryLines:
    sheet.only(
        "name", "emergency", "suicide", "poison", "drug_alcohol", "medical_advice", "note",
        "confidence", "source",
    )  # fmt: skip
    emergency = sheet.sub("emergency", required=True)
    number = emergency.text("number", required=True)
    also = emergency.texts("also")
    for shown in (number, *also):
        _check_number(emergency, "number", shown)
    return CountryLines(
        iso=iso,
        name=sheet.text("name", default=name),
        emergency=(number,) if number else (),
        emergency_also=also,
        emergency_note=emergency.text("note"),
        suicide=_lines(sheet, "suicide"),
        poison=_lines(sheet, "poison"),
        drug_alcohol=_lines(sheet, "drug_alcohol"),
        medical_advice=_lines(sheet, "medical_advice"),
        note=sheet.text("note"),
    )


def _lines(sheet: Sheet, key: str) -> tuple[Line, ...]:
    return tuple(_line(row) for row in sheet.rows(key))


def _line(row: Sheet) -> Line:
    row.only("name", "number", "also", "text", "chat", "hours", "note", "languages")
    number, text, chat = row.text("number"), row.text("text"), row.text("chat")
    if number:
        _check_number(row, "number", number)
    if text and not _TEXT_WAY.search(text):
        row.report(row.place("text"), "phone-number", f"'{text}' names no number to text")
    if not (number or text or chat):
        row.report(row.table.place, "shape", "a line needs a number, a text way or a chat site")
    return Line(
        name=row.text("name", required=True),
        number=number,
        also=row.texts("also"),
        text=text,
        chat=chat,
        hours=row.text("hours"),
        note=row.text("note"),
        languages=row.texts("languages"),
    )


def _check_number(sheet: Sheet, key: str, number: str) -> None:
    digits = re.sub(r"\D", "", number)
    if not _NUMBER.match(number) or not 2 <= len(digits) <= 15:
        sheet.report(
            sheet.place(key),
            "phone-number",
            f"'{number}' is no phone number; write digits with spaces or hyphens only",
        )


def _fallback_numbers(iso: str) -> tuple[str, ...]:
    """The numbers to show for a region that we have no checked list for.

    The data does not say whether police, fire or ambulance answers, so several are shown
    where none of the widest is among them.
    """
    candidates = _candidates(iso)
    best = next((number for number in _PREFERRED if number in candidates), "")
    return (best,) if best else candidates[:_FALLBACK_SHOWN]


def _candidates(iso: str) -> tuple[str, ...]:
    """Every number that the short-number data takes for an emergency number of a region."""
    metadata = PhoneMetadata.short_metadata_for_region(iso)
    described = metadata.emergency if metadata else None
    if described is None or not described.national_number_pattern:
        return ()
    general = metadata.general_desc if metadata else None
    lengths = described.possible_length or (general.possible_length if general else ()) or ()
    pattern = re.compile(described.national_number_pattern)
    # Longer numbers are looked at only where there is no short one (Namibia's 10111).
    usual = [length for length in lengths if 2 <= length <= 4] or [5]
    return tuple(
        number
        for length in usual
        for number in map("".join, itertools.product("0123456789", repeat=length))
        if pattern.fullmatch(number)
    )
