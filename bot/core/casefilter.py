"""Which cases a list shows, and the query text that says it.

A query is words of the form `name:value`, all of which must hold; a value may be several,
with commas between: `level:emergency,urgent is:unreviewed rule:resp_arrest
before:2026-11-01`. A number alone, `E-1042`, is that case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, get_args

from bot.core.escalation import AlertStatus, ReviewStatus, Status, Verdict, parse_number
from bot.core.model import Level

OPEN: tuple[Status, ...] = ("new", "acknowledged", "snoozed")
NOBODY = "nobody"
ME = "me"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What a case must be to be listed; "" and an empty tuple ask for nothing.

    `assignee` "nobody" asks for cases without one. `since` and `before` bound when the case
    began. `breached` asks for a missed clock, `repeated` for more than one message.
    """

    number: int | None = None
    statuses: tuple[Status, ...] = ()
    levels: tuple[Level, ...] = ()
    assignee: str = ""
    verdict: Verdict = ""
    review_statuses: tuple[ReviewStatus, ...] = ()
    alert_status: AlertStatus | None = None
    country: str = ""
    language: str = ""
    channel: str = ""
    kind: str = ""
    topic: str = ""
    rule: str = ""
    version: str = ""
    tag: str = ""
    since: datetime | None = None
    before: datetime | None = None
    breached: bool = False
    delivery_failed: bool = False
    repeated: bool = False


ALL = CaseFilter()
QUEUE = CaseFilter(statuses=OPEN)

# Name and query of each saved view, in the order of the menu.
VIEWS: Mapping[str, str] = {
    "Needs acknowledgement": "status:new",
    "Mine": "assignee:me is:open",
    "Needs review": "is:unreviewed",
    "Disagreements": "is:disputed",
    "Delivery failed": "is:undelivered",
    "Clock missed": "is:breached",
    "False alarms by rule": "verdict:too_high",
}


def parse_query(query: str, *, me: str = "", base: CaseFilter = ALL) -> CaseFilter:
    """`base`, narrowed by `query`. `me` is the staff id behind `assignee:me`.

    Raises ValueError with every word that cannot be read and what it may be instead.
    """
    wanted, problems = base, []
    for word in query.split():
        try:
            wanted = _narrowed(wanted, word, me)
        except ValueError as error:
            problems.append(f"{word}: {error}")
    if problems:
        raise ValueError("\n".join(problems))
    return wanted


def _narrowed(wanted: CaseFilter, word: str, me: str) -> CaseFilter:
    name, colon, value = word.partition(":")
    if not colon:
        number = parse_number(word)
        if number is None:
            raise ValueError("write name:value, such as level:emergency, or a number as E-1042.")
        return replace(wanted, number=number)
    if not value:
        raise ValueError("the value after the colon is missing.")
    if name == "assignee":
        return replace(wanted, assignee=me if value == ME and me else value)
    if name == "is":
        return replace(wanted, **_one_of(IS, value))
    field, read = _one_of(WORDS, name)
    return replace(wanted, **{field: read(value)})


def _one_of(known: Mapping[str, Any], word: str) -> Any:
    if word not in known:
        raise ValueError(f"'{word}' is not known; there are {', '.join(sorted(known))}.")
    return known[word]


def _chosen(*known: str) -> Callable[[str], tuple[str, ...]]:
    options = {each: each for each in known}
    return lambda value: tuple(_one_of(options, each) for each in value.split(","))


def _single(*known: str) -> Callable[[str], str]:
    options = {each: each for each in known if each}
    return lambda value: str(_one_of(options, value))


def _levels(value: str) -> tuple[Level, ...]:
    known = {level.label: level for level in Level}
    return tuple(_one_of(known, each) for each in value.split(","))


def _date(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("write the date as 2026-11-01, or with a time 2026-11-01T14:30.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# Each word of the query text: the field that it sets and how its value is read.
WORDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "status": ("statuses", _chosen(*get_args(Status))),
    "level": ("levels", _levels),
    "verdict": ("verdict", _single(*get_args(Verdict))),
    "review": ("review_statuses", _chosen(*get_args(ReviewStatus))),
    "alert": ("alert_status", _single(*get_args(AlertStatus))),
    "country": ("country", str.upper),
    "language": ("language", str.lower),
    "channel": ("channel", str.lower),
    "kind": ("kind", str),
    "topic": ("topic", str),
    "rule": ("rule", str),
    "version": ("version", str),
    "tag": ("tag", str.lower),
    "since": ("since", _date),
    "before": ("before", _date),
}

# What `is:` may ask for.
IS: Mapping[str, Mapping[str, Any]] = {
    "open": {"statuses": OPEN},
    "new": {"statuses": ("new",)},
    "resolved": {"statuses": ("resolved",)},
    "unassigned": {"assignee": NOBODY},
    "unreviewed": {"review_statuses": ("unreviewed", "needs_second")},
    "disputed": {"review_statuses": ("awaiting_resolution",)},
    "reviewed": {"review_statuses": ("reviewed",)},
    "breached": {"breached": True},
    "undelivered": {"delivery_failed": True},
    "unalerted": {"alert_status": "failed"},
    "repeated": {"repeated": True},
}
