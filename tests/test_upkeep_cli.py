"""`baclofen-bot staff`, `audit`, `keys` and `privacy`, and figures in a terminal."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.core.model import Level, Versions
from bot.core.sampling import Sample
from bot.errors import BotError, StoreMissing
from bot.store import Keys, Retention, Spool, Store
from bot.store.staff import StaffMember
from bot.tools.escalations import escalations_app
from bot.tools.staff_cli import staff_app
from bot.tools.upkeep_cli import StorePlace, audit_app, keys_app, privacy_app
from tests.escalation_values import NOW, RULES, TEXT, an_entry


class Desk:
    """A store in a folder, and the commands over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = StorePlace(
            f"sqlite:///{folder}/bot.db",
            f"sqlite:///{folder}/bot-work.db",
            folder / "keys",
            folder,
        )
        root = typer.Typer()
        root.add_typer(escalations_app(self.open))
        root.add_typer(staff_app(self.open))
        root.add_typer(audit_app(self.open))
        root.add_typer(keys_app(lambda: self.place))
        root.add_typer(privacy_app(self.open, lambda: Retention(texts=timedelta(0))))
        self.root = root

    async def open(self) -> Store:
        keys, _ = Keys.load_or_create(self.place.keys_file)
        return await Store.open(self.place.database, keys, rules=RULES)

    def run(self, *args: str, said: str = "") -> Result:
        return CliRunner().invoke(self.root, args, input=said)

    def ok(self, *args: str, said: str = "") -> str:
        result = self.run(*args, said=said)
        assert result.exit_code == 0, result.exception
        return str(result.stdout)

    def refused(self, *args: str) -> str:
        result = self.run(*args)
        assert isinstance(result.exception, BotError), result.output
        return str(result.exception)

    def do(self, act: Callable[[Store], Awaitable[object]]) -> object:
        async def run() -> object:
            store = await self.open()
            try:
                return await act(store)
            finally:
                await store.close()

        return asyncio.run(run())


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path) -> Desk:
    (tmp_path / "bot.db").write_bytes(sqlite_template.read_bytes())
    made = Desk(tmp_path)
    made.do(lambda store: store.record(an_entry()))
    return made


# ---- staff -------------------------------------------------------------------------


def test_an_account_is_added_with_a_password_that_is_shown_once(desk: Desk) -> None:
    shown = desk.ok("staff", "add", "ana", "lead", "--name", "Ana")

    password = shown.split("shown only now: ")[1].strip()
    assert "ana: lead, active." in shown
    signed_in = desk.do(lambda store: store.staff.sign_in("ana", password))
    assert isinstance(signed_in, StaffMember)
    assert password not in desk.ok("staff", "list")


def test_an_account_is_changed_without_a_browser(desk: Desk) -> None:
    desk.ok("staff", "add", "lea", "admin")
    desk.ok("staff", "add", "ana", "reviewer", "--password-stdin", said="a long password\n")

    assert "ana: lead" in desk.ok("staff", "role", "ana", "lead")
    assert "on duty as number 1" in desk.ok("staff", "duty", "ana", "1")
    desk.ok("staff", "telegram", "ana", "4242")
    desk.ok("staff", "password", "ana")
    desk.ok("staff", "sign-out", "ana")
    assert "kept out" in desk.ok("staff", "off", "ana")
    assert "active" in desk.ok("staff", "on", "ana")
    assert "4242" in desk.ok("staff", "list")
    assert "last admin" in desk.refused("staff", "off", "lea")
    assert "no such person" in desk.refused("staff", "duty", "nobody", "1")


def test_a_second_factor_is_put_in_force_by_its_code(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ok("staff", "add", "ana", "lead")
    secret = pyotp.random_base32()
    monkeypatch.setattr(pyotp, "random_base32", lambda: secret)

    shown = desk.ok("staff", "totp", "ana", said=pyotp.TOTP(secret).now() + "\n")

    assert secret in shown
    assert "password code" in desk.ok("staff", "list")
    desk.ok("staff", "totp", "ana", "--off")


# ---- the history -------------------------------------------------------------------


def test_a_history_that_holds_says_its_last_hash(desk: Desk) -> None:
    shown = desk.ok("audit", "verify")

    assert "The history holds: 1 events." in shown
    kept = shown.split("Last hash: ")[1].split()[0]
    desk.ok("escalations", "ack", "E-1001")
    assert "holds" in desk.ok("audit", "verify", "--expect", kept)


def test_a_history_with_a_flipped_byte_is_broken(desk: Desk) -> None:
    desk.ok("escalations", "ack", "E-1001")
    path = desk.folder / "bot.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = path.read_bytes()
    assert data.count(b'"assignee": "operator"') == 1
    path.write_bytes(data.replace(b'"assignee": "operator"', b'"assignee": "operatos"'))

    assert desk.refused("audit", "verify") == (
        "The history is broken at event 2: its contents were changed."
    )


def test_a_history_that_was_rewritten_whole_lacks_the_hash_that_was_kept(desk: Desk) -> None:
    assert "rewritten" in desk.refused("audit", "verify", "--expect", "0" * 63 + "1")


# ---- keys --------------------------------------------------------------------------


def test_the_history_is_read_by_leads_and_narrowed(desk: Desk) -> None:
    desk.ok("staff", "add", "lea", "lead")
    desk.ok("staff", "add", "ana", "reviewer")
    desk.ok("escalations", "show", "E-1001", "--text", "--as", "ana")

    shown = desk.ok("audit", "list", "--actor", "ana", "--case", "E-1001", "--as", "lea")
    none = desk.ok("audit", "list", "--type", "exported")
    refused = desk.refused("audit", "list", "--as", "ana")

    [line] = [each for each in shown.splitlines() if "ana" in each]
    assert line.split()[3:] == ["ana", "viewed", "E-1001", "cli"]
    assert "Nothing is like that." in none
    assert "may not read the history" in refused
    assert "is not the number of a case" in desk.refused("audit", "list", "--case", "x")


def test_keys_are_rotated_and_the_old_one_is_dropped(desk: Desk) -> None:
    old = desk.place.keys_file.read_text()

    assert "Restart" in desk.ok("keys", "rotate")
    assert desk.place.keys_file.read_text().count("\ntext ") == 2
    assert "gone" in desk.ok("keys", "finish")

    assert desk.place.keys_file.read_text().count("\ntext ") == 1
    assert TEXT in desk.ok("escalations", "show", "E-1001", "--text")
    desk.place.keys_file.write_text(old)
    assert "key" in desk.refused("escalations", "list")


def test_an_old_key_stays_while_records_wait_under_it(desk: Desk) -> None:
    spool = Spool(desk.place.var, Keys.load(desk.place.keys_file))
    asyncio.run(spool.keep(an_entry(update_id="2")))
    desk.ok("keys", "rotate")

    assert "spool" in desk.refused("keys", "finish")
    assert desk.place.keys_file.read_text().count("\ntext ") == 2


# ---- privacy -----------------------------------------------------------------------


def test_a_person_is_forgotten_and_the_command_says_what_stays(desk: Desk) -> None:
    shown = desk.ok("privacy", "forget", "tg:4711")

    assert "Forgotten: 1 messages in 1 cases. What stays:" in shown
    assert "(redacted)" in desk.ok("escalations", "show", "E-1001", "--text")
    assert "Nothing is known" in desk.ok("privacy", "forget", "tg:0")


def test_a_person_is_forgotten_by_their_case_and_the_history_says_who_did_it(desk: Desk) -> None:
    desk.ok("staff", "add", "boss", "admin")
    desk.ok("staff", "add", "ana", "lead")

    refused = desk.refused("privacy", "forget", "E-1001", "--as", "ana")
    shown = desk.ok("privacy", "forget", "E-1001", "--as", "boss")

    assert "may not manage people" in refused
    assert "Forgotten: 1 messages in 1 cases." in shown
    assert "redacted by boss cli" in desk.ok("escalations", "show", "E-1001")
    assert "There is no case E-9" in desk.refused("privacy", "forget", "E-9")


def test_retention_runs_on_command(desk: Desk) -> None:
    now = desk.ok("privacy", "redact")

    assert now.startswith("Redacted: ")


# ---- figures and learning ----------------------------------------------------------


def test_figures_are_shown_with_their_uncertainty(desk: Desk) -> None:
    for reader in ("ana", "ben"):
        desk.ok("staff", "add", reader, "reviewer")
        desk.ok("escalations", "review", "E-1001", "urgent", "--reply", "yes", "--as", reader)

    shown = desk.ok("escalations", "figures")

    assert "emergency" in shown
    assert "0 to 79 % of 1" in shown
    assert "no estimate; 0 random samples" in shown
    assert "cannot_be_woken (1)" in shown
    assert "2026-11" in desk.refused("escalations", "figures", "--since", "monday")


def test_possible_misses_are_read_and_judged(desk: Desk) -> None:
    sample = Sample(
        chat="tg:1",
        update_id="1",
        at=NOW,
        text="i feel\x1b[2J odd",
        level=Level.INFO,
        topic="side_effects",
        language="en",
        stratum="random",
        sampling_weight=100,
        versions=Versions("1", "2", "3"),
    )
    desk.do(lambda store: store.samples.add(sample))

    shown = desk.ok("escalations", "misses")
    assert "random info side_effects i feel[2J odd" in shown
    desk.ok("escalations", "judge-miss", shown.split()[0], "urgent", "--reply", "partly")

    assert "No samples wait." in desk.ok("escalations", "misses")
    assert "no such sample" in desk.refused("escalations", "judge-miss", "x", "urgent")


def test_reviewed_messages_are_written_for_the_regression_set(desk: Desk) -> None:
    for reader in ("ana", "ben"):
        desk.ok("staff", "add", reader, "reviewer")
        desk.ok("escalations", "review", "E-1001", "emergency", "--reply", "yes", "--as", reader)

    assert "1 messages" in desk.ok("escalations", "export-tests", str(desk.folder / "cases.yml"))

    assert f"  emergency/unresponsive: |\n    {TEXT}\n" in (desk.folder / "cases.yml").read_text()


# ---- no store yet ------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        "escalations list",
        "escalations show E-1001",
        "escalations ack E-1001",
        "escalations export",
        "escalations figures",
        "escalations misses",
        "staff list",
        "staff role ana lead",
        "audit verify",
        "privacy redact",
        "privacy forget tg:1",
    ],
)
def test_without_a_store_a_command_says_where_it_looked_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: str
) -> None:
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))

    result = CliRunner().invoke(app, args.split())

    assert isinstance(result.exception, StoreMissing)
    assert f"There is no store yet: looked for the file {tmp_path}/var/bot.db" in str(
        result.exception
    )
    assert list(tmp_path.iterdir()) == []


def test_the_first_account_makes_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))

    added = CliRunner().invoke(app, ["staff", "add", "ana", "admin"])

    assert added.exit_code == 0, added.exception
    assert "ana" in CliRunner().invoke(app, ["staff", "list"]).stdout


@pytest.mark.anyio
async def test_a_database_without_tables_is_no_store_and_stays_empty(
    empty_url: str, keys: Keys
) -> None:
    for _ in range(2):
        with pytest.raises(StoreMissing, match="There is no store yet"):
            await Store.open(empty_url, keys, create=False)
    await (await Store.open(empty_url, keys)).close()
    await (await Store.open(empty_url, keys, create=False)).close()


# ---- who acts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "told"),
    [("zoe", "no account 'zoe'"), ("ana", "ana is reviewer and may not manage people")],
)
def test_only_an_admin_or_the_operator_changes_accounts(desk: Desk, who: str, told: str) -> None:
    desk.ok("staff", "add", "ana", "reviewer")

    assert told in desk.refused("staff", "add", "ben", "lead", "--as", who)
    assert "ben" not in desk.ok("staff", "list")


def test_no_account_is_called_like_the_operator(desk: Desk) -> None:
    assert "Take a name" in desk.refused("staff", "add", "operator", "admin")
