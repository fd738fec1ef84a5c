"""`baclofen-bot escalations`."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.core.model import Level
from bot.errors import BotError
from bot.store import Keys, Store
from bot.tools.escalations import escalations_app
from tests.escalation_values import RULES, an_entry

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, sqlite_template: Path, keys: Keys) -> Run:
    """Runs a command over a store with an urgent case, E-1001, and an emergency, E-1002."""
    (tmp_path / "bot.db").write_bytes(sqlite_template.read_bytes())

    async def open_store() -> Store:
        return await Store.open(f"sqlite:///{tmp_path}/bot.db", keys, rules=RULES)

    async def fill() -> None:
        store = await open_store()
        now = datetime.now(UTC)
        mild = an_entry(chat="tg:1", level=Level.URGENT, kind="drowsy", received_at=now)
        await store.record(mild)
        text = "he took\x1b[2J =fifteen"
        await store.record(an_entry(text=text, delivery_status="failed", received_at=now))
        await store.close()

    asyncio.run(fill())

    def run(*args: str) -> Result:
        return CliRunner().invoke(escalations_app(open_store), args)

    return run


def output(result: Result) -> str:
    assert result.exit_code == 0, result.exception
    return str(result.stdout)


def refusal(result: Result) -> str:
    assert isinstance(result.exception, BotError)
    return str(result.exception)


def test_the_list_begins_with_the_emergency(run: Run) -> None:
    lines = output(run("list")).splitlines()

    assert [line.split()[0] for line in lines] == ["number", "E-1002", "E-1001", "2"]
    assert "reply not delivered" in lines[1]


def test_a_filter_says_what_it_hides(run: Run) -> None:
    shown = output(run("list", "level:urgent"))

    assert "E-1002" not in shown
    assert "1 unacknowledged emergencies are not shown here." in shown


def test_a_wrong_filter_is_told(run: Run) -> None:
    assert "level:high" in refusal(run("list", "level:high"))


def test_an_empty_list_says_so(run: Run) -> None:
    assert "No cases." in output(run("list", "country:NZ"))


def test_a_case_shows_why_it_was_raised_and_covers_what_was_written(run: Run) -> None:
    shown = output(run("show", "E-1002"))

    assert "cannot_be_woken (trigger)" in shown
    assert "covered" in shown
    assert "fifteen" not in shown
    assert "viewed by" not in shown


def test_uncovering_a_case_is_logged_and_moves_no_cursor(run: Run) -> None:
    shown = output(run("show", "e1002", "--text", "--as", "ana"))

    assert "he took[2J =fifteen" in shown
    assert "\x1b" not in shown
    assert "viewed by ana cli" in shown


def test_no_such_case_is_told(run: Run) -> None:
    assert "E-9" in refusal(run("show", "E-9"))
    assert "not the number of a case" in refusal(run("ack", "nine"))
    assert "no such case" in refusal(run("ack", "9"))


def test_a_case_is_taken_judged_and_resolved_without_a_browser(run: Run) -> None:
    assert "E-1002 is acknowledged, ana's." in output(run("ack", "E-1002", "--as", "ana"))
    assert "ana's already" in refusal(run("ack", "E-1002", "--as", "ben"))
    assert "ben's" in output(run("assign", "E-1002", "ben", "--as", "ana"))
    assert "review it before it rests" in refusal(run("snooze", "E-1002", "2"))
    assert "Review E-1002 first" in refusal(run("resolve", "E-1002", "followed_up"))
    output(run("note", "E-1002", "=called back", "--as", "ben"))
    output(run("review", "E-1002", "urgent", "--reason", "was well", "--as", "ben"))
    assert "snoozed" in output(run("snooze", "E-1002", "2", "--as", "ben"))
    assert "acknowledged" in output(run("wake", "E-1002", "--as", "ben"))
    output(run("tag", "E-1002", "Call back"))
    assert "is resolved" in output(run("resolve", "E-1002", "followed_up", "--as", "ben"))

    shown = output(run("show", "E-1002", "--text"))
    for part in ("too_high", "called back", "was well", "call-back", "resolved followed_up"):
        assert part in shown


def test_a_case_can_be_let_go(run: Run) -> None:
    output(run("ack", "E-1001"))

    assert "E-1001 is new." in output(run("unassign", "E-1001"))


def test_an_export_has_a_row_a_case_and_no_text(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(output(run("export")))))

    assert [row["number"] for row in rows] == ["E-1002", "E-1001"]
    assert "text" not in rows[0]


def test_an_export_with_text_is_logged(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"

    output(run("export", "--text", "--format", "jsonl", "-o", str(file), "level:emergency"))

    (row,) = map(json.loads, file.read_text().splitlines())
    assert row["text"] == "he took\x1b[2J =fifteen"


def test_a_spreadsheet_gets_no_formula(run: Run) -> None:
    (row,) = csv.DictReader(io.StringIO(output(run("export", "--text", "E-1002"))))

    assert row["text"] == "he took[2J =fifteen"
