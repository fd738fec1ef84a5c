"""Turns a plain reply into safe HTML: paragraphs, lists, and numbers that can be tapped."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import groupby

from markupsafe import Markup, escape

# A phone number by its looks: seven digits or more, in groups, perhaps with "+" or "(02)".
_LONG = r"(?<![\w+])(?:\+|\()?\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)"
# A short one is one only where it is said to be: "call 112", "112 or 911", "text 988";
# and not where it measures something: "call within 24 hours".
_MEASURE = r"(?: |-)?(?:hours?|hrs?|h|min|minutes?|days?|weeks?|times|m?g|ml|am|pm)\b"
_SHORT = (
    r"(?<![\w.,/+-])\*?(?:\d{3} \d{3}|\d{2,6})(?![\w/%]|[.,-]\d)"
    rf"(?!{_MEASURE}| tablets| pills)"
)
_SAID = re.compile(
    r"\b(call|calling|dial|ring|phone|tel|telephone|text|sms)\b[\w\s:'’]*$", re.IGNORECASE
)
# Or where it ends a line of a list of numbers: "Ambulance: 999", "Samaritans on 116 123".
_LISTED = re.compile(r"(?::|\bon) $")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ALSO = re.compile(r"^(?:,|\s|or|and|and/or|then)+$", re.IGNORECASE)
_BY_TEXT = re.compile(r"\b(?:text|sms)\b[^.;:!?\n]*$", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:[-•*]|(\d{1,2})[.)])\s+(?=\S)")


def rich_text(text: str, numbers: Collection[str] = ()) -> Markup:
    """`text` as HTML, a `div` a paragraph and in it a `p` a line, or a list.

    Phone numbers become links: those in `numbers`, and all that look like one.
    """
    blocks = (block for block in re.split(r"\n\s*\n", text.strip()) if block.strip())
    return Markup("").join(_block(block, numbers) for block in blocks)


def tappable(text: str, numbers: Collection[str] = ()) -> Markup:
    """One line of text as HTML in which phone numbers are `tel:` links."""
    html, end, linked_to = Markup(""), 0, -1
    for match in _pattern(numbers).finditer(text):
        if not _is_phone(text, match, numbers, linked_to):
            continue
        html += escape(text[end : match.start()]) + _link(match.group(), text[: match.start()])
        end = linked_to = match.end()
    return html + escape(text[end:])


def _pattern(numbers: Collection[str]) -> re.Pattern[str]:
    known = sorted((number for number in numbers if number[-1:].isdigit()), key=len, reverse=True)
    exact = (rf"(?<![\w+]){re.escape(number)}(?!\w)" for number in known)
    return re.compile("|".join((*exact, _LONG, _SHORT)))


def _is_phone(text: str, match: re.Match[str], numbers: Collection[str], linked_to: int) -> bool:
    number, before = match.group(), text[: match.start()]
    if number in numbers or sum(map(str.isdigit, number)) >= 7:
        return True
    ends_line = not text[match.end() :].strip(" .") and not _YEAR.fullmatch(number)
    if ends_line and (not before.strip() or _LISTED.search(before)):
        return True
    between = text[linked_to : match.start()] if linked_to >= 0 else "no link yet"
    return bool(_SAID.search(before) or _ALSO.match(between))


def _link(number: str, before: str) -> Markup:
    scheme = "sms" if _BY_TEXT.search(before) else "tel"
    digits = re.sub(r"[^\d+*]", "", number)
    return Markup('<a href="{}:{}">{}</a>').format(scheme, digits, number)


def _block(block: str, numbers: Collection[str]) -> Markup:
    lines = [line for line in block.split("\n") if line.strip()]
    inner = (_lines(kind, list(group), numbers) for kind, group in groupby(lines, _kind))
    return Markup("<div>{}</div>").format(Markup("").join(inner))


def _kind(line: str) -> str:
    item = _ITEM.match(line)
    if not item:
        return "p"
    return "ol" if item.group(1) else "ul"


def _lines(kind: str, lines: list[str], numbers: Collection[str]) -> Markup:
    if kind == "p":
        return Markup("").join(
            Markup("<p>{}</p>").format(tappable(line.strip(), numbers)) for line in lines
        )
    return Markup("<{0}>{1}</{0}>").format(Markup(kind), Markup("").join(_items(lines, numbers)))


def _items(lines: list[str], numbers: Collection[str]) -> Iterator[Markup]:
    for line in lines:
        number = (item := _ITEM.match(line)) and item.group(1)
        value = Markup(' value="{}"').format(number) if number else Markup("")
        yield Markup("<li{}>{}</li>").format(value, tappable(_ITEM.sub("", line, 1), numbers))
