"""Messages without names, numbers and places, for the regression set.

No rule finds every name, least of all one in small letters. What comes out of here is for a
person to read before anybody else sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.core.model import Level

PEOPLE = ("Alex", "Sam", "Robin", "Kim", "Jo", "Chris")
PLACE = "Smalltown"

# What is written with a capital and is nobody's name.
NO_NAMES = """a ambulance baclofen lioresal gablofen lyflex ozobax valium xanax tylenol advil nhs
er ed gp a&e icu ms od mg ok omg i i'm im i've i'd i'll january february march april may june july
august september october november december monday tuesday wednesday thursday friday saturday
sunday god jesus christmas easter english french spanish german"""
CAPITALISED = frozenset(NO_NAMES.split())
EXACT = (
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "someone@example.org"),
    (re.compile(r"\bhttps?://\S+|\bwww\.\S+", re.I), "https://example.org"),
    (re.compile(r"(?<!\w)@\w{3,}"), "@someone"),
    (re.compile(r"\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b"), "1/1/2000"),
    # A telephone number or a patient's number; amounts have fewer digits.
    (re.compile(r"(?<!\w)\+?\d(?:[ ./()-]{0,2}\d){6,}(?!\w)"), "5550100"),
    (re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"), "AB1 2CD"),
    (
        re.compile(
            r"\b\d{1,5}[a-z]? (?:[A-Z][a-z]+ )+(?:St|Street|Rd|Road|Ave|Avenue|Lane|Ln|Drive|Dr)\b"
        ),
        "1 Example Street",
    ),
)
TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Nurse)\.? [A-Z][\w'-]+")
PLACED = re.compile(r"\b(in|near|from|at|to) ((?:[A-Z][\w'-]+)(?: [A-Z][\w'-]+)*)")
NAMED = re.compile(r"\b(name(?:'s| is)|called|name:) ([A-Za-z][\w'-]+)", re.I)
CAPITAL = re.compile(r"(?<![\w'-])[A-Z][a-z][\w'-]*")


@dataclass(frozen=True, slots=True)
class Judged:
    """A message as a reader judged it. `kind` is that of the case, `topic` the reader's."""

    text: str
    level: Level
    kind: str
    topic: str
    language: str = "en"

    @property
    def label(self) -> str:
        """The label of the case file, or "" where the reader named no topic."""
        if self.level is Level.SUICIDE_CRISIS:
            return self.level.label
        if self.level.escalates:
            return f"{self.level.label}/{self.kind or 'other'}"
        if self.level is Level.OUT_OF_SCOPE:
            return f"{self.level.label}/{self.topic or 'everyday'}"
        return self.topic


def pseudonymise(text: str) -> str:
    """`text` with stand-ins for names, long numbers, addresses and places. Amounts stay."""
    for pattern, stand_in in EXACT:
        text = pattern.sub(stand_in, text)
    text = TITLED.sub("Dr Robin", text)
    text = PLACED.sub(_placed, text)
    stand_ins: dict[str, str] = {}
    text = NAMED.sub(lambda found: f"{found[1]} {_person(found[2], stand_ins)}", text)
    return CAPITAL.sub(lambda found: _capital(found, stand_ins), text)


def case_file(messages: Iterable[Judged]) -> str:
    """The messages as a file like those of `tests/cases`, one a line under its label.

    Those without a label come first, as remarks: somebody has to name their topic.
    """
    by_label: dict[str, list[str]] = {}
    for message in messages:
        line = " ".join(pseudonymise(message.text).split())
        if line and line not in by_label.setdefault(message.label, []):
            by_label[message.label].append(line)
    unnamed = by_label.pop("", [])
    remarks = [f"# no topic: {line}" for line in unnamed]
    return "\n".join([*HEADER, *remarks, *_blocks(by_label)]) + "\n"


HEADER = (
    "# Read every line before it is used: a name, a place or a number may be left.",
    "who: People whose messages staff reviewed",
    "style: hard",
    "messages:",
)


def _blocks(by_label: Mapping[str, list[str]]) -> Iterable[str]:
    for label in sorted(by_label):
        yield f"  {label}: |"
        yield from (f"    {line}" for line in by_label[label])


def _placed(found: re.Match[str]) -> str:
    if found[2].lower() in CAPITALISED:
        return found[0]
    return f"{found[1]} {PLACE}"


def _capital(found: re.Match[str], stand_ins: dict[str, str]) -> str:
    word = found[0]
    before = found.string[: found.start()].rstrip()
    begins = not before or before[-1] in ".!?:\n\"'("
    known = word.lower().removesuffix("'s") in CAPITALISED
    if known or begins or word in (*PEOPLE, PLACE, "Dr", "Example", "Street"):
        return word
    return _person(word, stand_ins)


def _person(name: str, stand_ins: dict[str, str]) -> str:
    return stand_ins.setdefault(name.lower(), PEOPLE[len(stand_ins) % len(PEOPLE)])
