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
from rich.console import Console
from typer.testing import CliRunner, Result

from bot.core.actions import Tag
from bot.core.escalation import Case
from bot.core.model import Level
from bot.core.roles import Role
from bot.errors import BotError
from bot.store import Keys, Store
from bot.tools.escalation_view import list_view
from bot.tools.escalations import escalations_app
from tests.escalation_values import MINUTE, RULES, an_entry, an_exchange

Run = Callable[..., Result]
STAFF: dict[str, Role] = {
    "ana": "reviewer", "ben": "reviewer", "lea": "lead", "edi": "editor", "old": "reviewer",
}  # fmt: skip


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
        said = an_exchange(said="hi\x1b[2J there", received_at=now - MINUTE)
        await store.record(
            an_entry(text=text, delivery_status="failed", received_at=now, before=(said,))
        )
        for name, role in STAFF.items():
            await store.staff.add(name, name.title(), role, by="system")
        await store.staff.set_active("old", False, by="system")
        await store.close()

    asyncio.run(fill())

    def run(*args: str) -> Result:
        app = escalations_app(open_store, lambda: {"cannot_be_woken": "Somebody cannot be woken."})
        return CliRunner().invoke(app, args)

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


def test_a_case_shows_what_was_said_around_it_once_it_is_uncovered(run: Run) -> None:
    covered = output(run("show", "E-1002"))
    shown = output(run("show", "E-1002", "--text"))

    assert "Before the alarm\n  2 messages (covered" in covered
    assert "hi" not in covered.split()
    assert shown.index("hi[2J there") < shown.index("Lay them on their side.")
    assert shown.index("the bot (sent)") < shown.index("he took")
    assert "\x1b" not in shown


def test_a_case_shows_why_it_was_raised_and_covers_what_was_written(run: Run) -> None:
    shown = output(run("show", "E-1002"))

    assert "because Somebody cannot be woken (cannot_be_woken)" in shown
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
    output(run("review", "E-1002", "urgent", "--reply", "yes", "--reason", "ok", "--as", "ben"))
    assert "snoozed" in output(run("snooze", "E-1002", "2", "--as", "ben"))
    assert "acknowledged" in output(run("wake", "E-1002", "--as", "ben"))
    output(run("tag", "E-1002", "Call back"))
    assert "is resolved" in output(run("resolve", "E-1002", "followed_up", "--as", "ben"))

    shown = output(run("show", "E-1002", "--text"))
    for part in (
        "too high",
        "called back",
        "urgent (too high)",
        "call-back",
        "resolved, followed up",
    ):
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


@pytest.mark.parametrize(
    ("args", "told"),
    [
        pytest.param(("ack", "E-1001", "--as", "zoe"), "no account 'zoe' (there are: ", id="none"),
        pytest.param(("ack", "E-1001", "--as", "zoe"), "staff add NAME reviewer", id="how"),
        pytest.param(("note", "E-1001", "x", "--as", "old"), "staff on old", id="kept out"),
        pytest.param(("show", "E-1001", "--as", "edi"), "edi is editor", id="editor reads"),
        pytest.param(("tag", "E-1001", "x", "--as", "edi"), "may not work", id="editor works"),
        pytest.param(("export", "--as", "ana"), "a lead may", id="reviewer exports"),
        pytest.param(
            ("review", "E-1001", "info", "--reply", "no", "--decide", "--as", "ana"),
            "may not settle",
            id="reviewer settles",
        ),
        pytest.param(("misses", "--as", "zoe"), "no account 'zoe'", id="misses"),
        pytest.param(("assign", "E-1001", "zoe"), "hand it to: ana, ben, lea.", id="to nobody"),
        pytest.param(("assign", "E-1001", "edi"), "nobody who works on cases", id="to an editor"),
    ],
)
def test_who_acts_is_an_account_that_may(run: Run, args: tuple[str, ...], told: str) -> None:
    assert told in refusal(run(*args))


def test_without_a_name_the_operator_of_the_machine_acts(run: Run) -> None:
    assert "E-1001 is acknowledged, operator's." in output(run("ack", "E-1001"))
    assert "acknowledged by operator cli" in output(run("show", "E-1001"))


def test_whether_the_reply_was_right_is_never_taken_for_granted(run: Run) -> None:
    result = run("review", "E-1001", "urgent")

    assert result.exit_code == 2
    assert "--reply" in result.output


def test_a_closed_case_has_no_clock_and_nothing_is_due(run: Run) -> None:
    output(run("ack", "E-1002"))
    output(run("resolve", "E-1002", "test", "--without-review"))

    shown = output(run("show", "E-1002"))

    assert "acknowledged in time" in shown
    for part in ("due", "never", "; by "):
        assert part not in shown


@pytest.mark.parametrize("width", [30, 50, 80, 100, 200])
def test_no_word_of_a_list_is_cut_however_narrow_the_terminal(
    width: int, tmp_path: Path, sqlite_template: Path, keys: Keys
) -> None:
    tags = ("call-back-tomorrow", "interpreter-needed")

    async def listed() -> tuple[Case, ...]:
        (tmp_path / "bot.db").write_bytes(sqlite_template.read_bytes())
        store = await Store.open(f"sqlite:///{tmp_path}/bot.db", keys, rules=RULES)
        case = await store.record(an_entry(level=Level.SUICIDE_CRISIS, kind="suicide_crisis"))
        await store.act(case.id, Tag("ana", tags))
        cases = await store.list()
        await store.close()
        return cases

    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    list_view(console, asyncio.run(listed()), total=1, hidden=0, now=datetime.now(UTC))

    shown = out.getvalue()
    for word in ("E-1001", "suicide", "crisis", "cannot_be_woken", *tags):
        assert word in shown
    assert "…" not in shown
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
