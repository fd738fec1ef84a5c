"""What the readers together make of one message; the readers themselves come in content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.core.model import Assessment, Candidate

Outcome = Literal["sure", "unsure", "none"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One message, understood.

    `candidates` are topics, best first. `outcome` says whether the first one is the answer
    ("sure"), one of at most three is ("unsure"), or none is; `alternatives` are the others that
    a sure answer is not sure enough to hide. `outside` is the class of a
    message that is out of scope: `pet`, `other_medicine`, `everyday`, ...
    `language` is the language of the message where it is plain, or "".
    """

    assessment: Assessment
    candidates: tuple[Candidate, ...] = ()
    outcome: Outcome = "none"
    alternatives: tuple[Candidate, ...] = ()
    subject: Literal["", "self", "other"] = ""
    outside: str = ""
    shortened: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """What each reader sees in a message, side by side, for `explain`."""

    normalised: str
    signals: tuple[str, ...]
    labels: tuple[str, ...]
    nearest: tuple[str, ...]
    scopes: tuple[str, ...]


class Reader(Protocol):
    """Reads a message: total, deterministic, without I/O."""

    def read(self, text: str) -> Reading:
        """The reading of any string."""
        ...

    def detail(self, text: str) -> Detail:
        """What each reader sees in a message."""
        ...
