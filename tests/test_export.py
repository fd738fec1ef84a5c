"""Cases as rows, and text made safe for a terminal and a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.export import COLUMNS, case_row, cell, csv_lines, jsonl_lines, printable
from tests.escalation_values import TEXT, a_case

# The columns as they were first published; a change breaks somebody's spreadsheet.
PUBLISHED = [
    *("number", "level", "kind", "topic", "also", "status", "resolution", "resolved_unreviewed"),
    *("channel", "country", "country_source", "language", "signals", "top_rule"),
    *("delivery_failed", "alert_status", "sla_status", "assignee", "created_at"),
    *("acknowledged_at", "acknowledged_by", "acknowledge_due_at", "review_due_at"),
    *("first_response_at", "resolved_at", "resolved_by", "review_status", "reviewed_level"),
    *("verdict", "tags", "redacted", "previous_id", "id", "engine_version", "content_version"),
    "dataset_version",
]


def test_the_columns_are_stable() -> None:
    assert list(COLUMNS[: len(PUBLISHED)]) == PUBLISHED


def test_a_row_has_no_text_and_no_key_of_the_chat() -> None:
    row = case_row(a_case(subject_key="secret"))

    assert tuple(row) == COLUMNS
    assert "secret" not in str(row)
    assert TEXT not in str(row)
    assert (row["number"], row["level"], row["created_at"]) == (
        "E-1042",
        "emergency",
        "2026-11-23T12:00:00+00:00",
    )


def test_csv_reads_back() -> None:
    lines = csv_lines([{**case_row(a_case(tags=("a", "b"))), "text": 'He said\n"=1"'}], text=True)

    names, row = csv.reader(io.StringIO("".join(lines)))

    found = dict(zip(names, row, strict=True))
    assert (found["tags"], found["text"], found["redacted"]) == ("a b", 'He said\n"=1"', "no")


def test_jsonl_is_one_object_a_line() -> None:
    (line,) = jsonl_lines([{**case_row(a_case()), "text": "two\nlines é"}])

    assert line.count("\n") == 1
    assert json.loads(line)["text"] == "two\nlines é"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_is_never_a_formula(start: str) -> None:
    assert cell(f"{start}cmd|' /C calc'!A0")[0] not in "=+-@\t\r"


@given(st.text())
def test_no_text_makes_a_formula(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[2Jb", "a[2Jb"),
        ("a\x07\x00\x9bb", "ab"),
        ("\u202eabc\u2066\u200f", "abc"),
        ("line\r\nline\ttab", "line\nline\ttab"),
        ("🆘 é 你", "🆘 é 你"),
    ],
)
def test_nothing_moves_the_cursor_or_turns_the_writing(text: str, expected: str) -> None:
    assert printable(text) == expected
