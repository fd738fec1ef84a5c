"""Cases as rows for a table, and text made safe for a terminal and for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.core.escalation import Case
from bot.core.plain import to_plain

# The columns of an export, in order. Names and order are kept; new ones come at the end.
COLUMNS = (
    "number",
    "level",
    "kind",
    "topic",
    "also",
    "status",
    "resolution",
    "resolved_unreviewed",
    "channel",
    "country",
    "country_source",
    "language",
    "signals",
    "top_rule",
    "delivery_failed",
    "alert_status",
    "sla_status",
    "assignee",
    "created_at",
    "acknowledged_at",
    "acknowledged_by",
    "acknowledge_due_at",
    "review_due_at",
    "first_response_at",
    "resolved_at",
    "resolved_by",
    "review_status",
    "reviewed_level",
    "verdict",
    "tags",
    "redacted",
    "previous_id",
    "id",
    "engine_version",
    "content_version",
    "dataset_version",
)
TEXT_COLUMN = "text"  # what raised the case
TALK_COLUMN = "conversation"  # and all that was said around it
FORMULA = tuple("=+-@\t\r")
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Row = Mapping[str, Any]


def case_row(case: Case) -> dict[str, Any]:
    """`case` as a row: without any text of the person and without the key of their chat."""
    data = to_plain(case)
    versions = data.pop("versions")
    data["engine_version"] = versions["engine"]
    data["content_version"] = versions["content"]
    data["dataset_version"] = versions["helplines"]
    data["number"] = case.label
    return {name: _utc(data[name]) if name.endswith("_at") else data[name] for name in COLUMNS}


def jsonl_lines(rows: Iterable[Row]) -> Iterator[str]:
    """Each row as a line of JSON."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def csv_lines(rows: Iterable[Row], *, text: bool = False) -> Iterator[str]:
    """The names of the columns and then each row as lines of CSV, defused."""
    names = (*COLUMNS, TEXT_COLUMN, TALK_COLUMN) if text else COLUMNS
    yield _csv_line(names)
    for row in rows:
        yield _csv_line([cell(row.get(name)) for name in names])


def cell(value: object) -> str:
    """`value` for a spreadsheet, which must not take it for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    text = printable(str(value))
    return f"'{text}" if text.startswith(FORMULA) else text


def printable(text: str) -> str:
    """`text` without what moves a cursor, rings or turns the direction of writing.

    Line ends and tabs stay.
    """
    kept = text.replace("\r\n", "\n")
    return "".join(each for each in kept if each in "\n\t" or not _is_control(each))


def _is_control(character: str) -> bool:
    return character in BIDI or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def _utc(value: str | None) -> str | None:
    if value is None:
        return None
    return datetime.fromisoformat(value).astimezone(UTC).isoformat(timespec="seconds")


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
