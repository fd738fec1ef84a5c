"""Numbers, and the country that a person says."""

from __future__ import annotations

import pytest

from bot.core.decide import Content
from bot.core.helplines import country_lines, fill, find_country


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Canada", "CA"),
        ("I'm in Canada", "CA"),
        ("im in the uk", "GB"),
        ("We live in New Zealand.", "NZ"),
        ("my daughter in South Africa took something", "ZA"),
        ("I am in London", "GB"),
        ("from Texas", "US"),
        ("USA!!", "US"),
        ("estoy en España", "ES"),
        ("ik ben in Nederland", "NL"),
        ("jestem w Polsce", "PL"),
        ("я в Украине", "UA"),
    ],
)
def test_a_country_that_is_said_is_known(content: Content, text: str, iso: str) -> None:
    assert find_country(text, content.knowledge.helplines) == iso


@pytest.mark.parametrize(
    "text",
    [
        "chad took my pills",
        "can you help us",
        "he sat next to us",
        "i had turkey for dinner",
        "hola, necesito ayuda",
        "my name is Georgia and I am scared",
        "I gave ten to Jordan and he wont wake up",
        "",
        "it hurts in my back",
    ],
)
def test_no_country_is_guessed(content: Content, text: str) -> None:
    assert find_country(text, content.knowledge.helplines) == ""


def test_every_country_has_an_emergency_number_or_is_said_to_have_none(content: Content) -> None:
    countries = content.knowledge.helplines.countries

    assert len(countries) >= 241
    without = [iso for iso, lines in countries.items() if not lines.emergency]
    assert set(without) <= {"GN"}, without
    assert all(lines.emergency for lines in countries.values() if lines.listed)


def test_no_forbidden_number_is_shown(content: Content) -> None:
    """The list stands in responses/helplines.yml under do_not_list."""
    forbidden = {"8882630631", "18002738255", "18005990019", "0379568144"}
    shown = {
        "".join(char for char in line.number if char.isdigit())
        for lines in content.knowledge.helplines.countries.values()
        for line in (*lines.suicide, *lines.poison, *lines.drug_alcohol, *lines.medical_advice)
    }

    assert shown.isdisjoint(forbidden)


def test_hours_are_shown_unless_a_line_is_always_open(content: Content) -> None:
    book = content.knowledge.books["en"]
    countries = content.knowledge.helplines.countries
    limited = [
        lines
        for lines in countries.values()
        if lines.suicide and lines.suicide[0].hours not in {"", "24/7"}
    ]

    assert limited
    for lines in limited:
        assert lines.suicide[0].hours in fill("{crisis_line}", lines, book, extra={}).text


def test_a_missing_line_has_a_plain_fallback(content: Content) -> None:
    book = content.knowledge.books["en"]
    albania = country_lines(content.knowledge.helplines, "AL")

    filled = fill("{crisis_line}. Call {poison_centre}.", albania, book, extra={})

    assert filled.text == "A crisis line (findahelpline.com). Call a pharmacist or doctor."
