"""What `new` leaves for an editor to fill in, and how it is noticed when nobody did."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.content.intents import Placed
from bot.content.problems import Problems
from bot.content.yaml_text import Sheet

MARK = "FILL IN"
MEND = "write it, or delete the file"
# In an answer, where no person's message is meant, other marks of unfinished text count too.
_IN_ANSWERS = re.compile(rf"{MARK}|\b(?:TODO|TBD|FIXME|XXX)\b|(?i:\blorem ipsum\b)")


def check_filled(sheet: Sheet, key: str, text: str) -> None:
    """Reports what stands in a text of ours only until it is written."""
    found = _IN_ANSWERS.search(text)
    if found:
        said = f"'{key}' is not written yet ('{found.group()}'); {MEND}"
        sheet.report(sheet.place_of(key, found.group()), "unfilled", said)


def check_examples_filled(placed: Iterable[Placed], problems: Problems) -> None:
    """Reports messages that are only the note where messages should stand."""
    for item in placed:
        if is_unfilled(item):
            said = f"no message of a person ('{item.example.text[:40]}'); {MEND}"
            problems.add(item.path, item.place, "unfilled", said)


def is_unfilled(item: Placed) -> bool:
    """Whether this is the note that `new` left, and no message."""
    return MARK in item.example.text
