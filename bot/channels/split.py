"""Splits a long text into messages: between paragraphs, lines, sentences or words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import takewhile

TELEGRAM_LIMIT = 4096  # UTF-16 code units, https://core.telegram.org/bots/api#sendmessage

_PARAGRAPH = re.compile(r"\n\s*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
# A space between two parts of a number is no place to break: "116 123", "(02) 8524 1078".
_WORD = re.compile(r"(?<![\d)\s])\s+|\s+(?![\s\d(+])")
_BREAKS = (_PARAGRAPH, _LINE, _SENTENCE, _WORD)
_NUMBER = re.compile(r"[+(]?\d[\d ().-]*\d")
_JOINERS = "\u200d\ufe0e\ufe0f"


def length(text: str) -> int:
    """The length of `text` as Telegram counts it, in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def split(text: str, limit: int = TELEGRAM_LIMIT) -> tuple[str, ...]:
    """`text` as messages of at most `limit` units each, in order; none of them is blank.

    A line with a digit in it stays whole if a message can hold it. A number always does.
    """
    return tuple(_pieces(text.strip(), limit))


def _pieces(text: str, limit: int) -> Iterator[str]:
    while length(text) > limit:
        cut = _cut(text, _reach(text, limit), limit)
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    if text:
        yield text


def _reach(text: str, limit: int) -> int:
    """How many characters of `text` one message can hold."""
    units = 0
    for index, character in enumerate(text):
        units += length(character)
        if units > limit:
            return index
    return len(text)


def _cut(text: str, reach: int, limit: int) -> int:
    """The best place to cut: a good one in the second half, else the last one, else any."""
    places = [_last(text, pattern, reach, limit) for pattern in _BREAKS]
    good = [place for place in places if place > reach // 2]
    if good:
        return good[0]
    return max(places) or _hard(text, reach)


def _last(text: str, pattern: re.Pattern[str], reach: int, limit: int) -> int:
    """The end of the last allowed break within reach, or 0."""
    near = takewhile(lambda match: match.start() <= reach, pattern.finditer(text))
    ends = (match.end() for match in near)
    return max((end for end in ends if not _in_numbered_line(text, end, limit)), default=0)


def _in_numbered_line(text: str, place: int, limit: int) -> bool:
    """Whether a cut at `place` would break a line that has a number and fits a message."""
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place - 1)
    line = text[start : len(text) if end < 0 else end]
    return bool(start < place < start + len(line)) and length(line) <= limit and _has_digit(line)


def _has_digit(line: str) -> bool:
    return any(character.isdigit() for character in line)


def _hard(text: str, reach: int) -> int:
    """A cut where no break is: before a number, at a space, or between two characters."""
    for number in _NUMBER.finditer(text[: reach + 40]):
        if 0 < number.start() < reach < number.end():
            return number.start()
    place = text.rfind(" ", 1, reach)
    if place > 0:
        return place
    place = reach
    while place > 1 and _joins(text, place):
        place -= 1
    return place if place > 1 else reach


def _joins(text: str, place: int) -> bool:
    """Whether the character at `place` is drawn together with the one before it."""
    return (
        unicodedata.combining(text[place]) > 0
        or text[place] in _JOINERS
        or text[place - 1] == "\u200d"
    )
