"""`baclofen-bot escalations reply`, `leave` and `undo`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.core.actions import Acknowledge
from bot.core.model import DeliveryStatus
from bot.errors import BotError
from bot.store import Keys, Store
from bot.store.records import CaseFile
from bot.takeover import Takeover
from bot.tools.replying import Replies, reply_commands
from tests.escalation_values import RULES, an_entry
from tests.reading import knowledge

T = TypeVar("T")
TEMPLATES = Replies(knowledge(), free=False)
FREE = Replies(knowledge(), free=True)


class Desk:
    """A case, E-1001, that is ana's, and the commands over its store."""

    def __init__(self, folder: Path, template: Path, keys: Keys) -> None:
        self._url = f"sqlite:///{folder}/bot.db"
        self._keys = keys
        (folder / "bot.db").write_bytes(template.read_bytes())
        self.ask(self._fill)

    async def _open(self) -> Store:
        return await Store.open(self._url, self._keys, rules=RULES)

    async def _fill(self, store: Store) -> None:
        await store.staff.add("ana", "Ana", "reviewer", by="system")
        await store.staff.add("ben", "Ben", "reviewer", by="system")
        await store.staff.add("edi", "Edi", "editor", by="system")
        await store.record(an_entry(received_at=datetime.now(UTC)))
        await store.act(1001, Acknowledge("ana"))

    def ask(self, question: Callable[[Store], Awaitable[T]]) -> T:
        async def go() -> T:
            store = await self._open()
            try:
                return await question(store)
            finally:
                await store.close()

        return asyncio.run(go())

    def run(self, allowed: Replies | None, *args: str, answer: str = "") -> Result:
        app = typer.Typer()
        reply_commands(app, self._open, lambda: allowed, wait_s=0.1)
        return CliRunner().invoke(app, args, input=answer)

    @property
    def file(self) -> CaseFile:
        found = self.ask(lambda store: store.show(1001))
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path, keys: Keys) -> Desk:
    return Desk(tmp_path, sqlite_template, keys)


def refusal(result: Result) -> str:
    assert isinstance(result.exception, BotError), result.output
    return str(result.exception)


def test_without_a_text_the_approved_ones_are_listed_and_nothing_is_sent(desk: Desk) -> None:
    result = desk.run(TEMPLATES, "reply", "E-1001", "--as", "ana")

    assert "safe_now: " in result.output
    assert "call 999" in result.output
    assert desk.file.talk == ()


def test_a_reply_is_shown_first_and_sent_only_when_confirmed(desk: Desk) -> None:
    args = ("reply", "E-1001", "--template", "safe_now", "--as", "ana")

    refused = desk.run(TEMPLATES, *args, answer="n\n")
    assert "A person from the support team writes to you." in refused.output
    assert "Nothing was sent." in refused.output
    assert desk.file.talk == ()
    sent = desk.run(TEMPLATES, *args, answer="y\n")

    assert "On its way" in sent.output
    [line] = desk.file.talk
    assert line.author == "ana"
    assert "Are you safe right now?" in (line.text or "")


def test_the_running_bot_delivers_at_its_next_look_what_was_written_here(desk: Desk) -> None:
    desk.run(FREE, "reply", "E-1001", "--text", "I am with you", "--yes", "--as", "ana")
    got: list[tuple[str, str]] = []

    async def send(chat: str, text: str) -> DeliveryStatus:
        got.append((chat, text))
        return "sent"

    async def look(store: Store) -> None:
        takeover = Takeover(lambda: store, knowledge(), {"tg": send}, free=True)
        await takeover.look()
        await takeover.look()

    desk.ask(look)

    [(chat, text)] = got
    assert chat == "tg:4711"
    assert "I am with you" in text
    [line] = desk.file.talk
    assert line.delivery_status == "sent"
    assert "reply_sent" in [each.event.type for each in desk.file.events]


def test_leaving_is_told_to_the_person(desk: Desk) -> None:
    desk.run(FREE, "reply", "E-1001", "--text", "I am with you", "--yes", "--as", "ana")

    result = desk.run(FREE, "leave", "E-1001", "--as", "ana")
    other = desk.run(FREE, "leave", "E-1001", "--as", "ben")

    assert "On its way" in result.output
    assert "has left this chat" in (desk.file.talk[-1].text or "")
    assert "Nobody has taken over" in refusal(other)


@pytest.mark.parametrize(
    ("allowed", "args", "told"),
    [
        (None, ("--template", "safe_now", "--as", "ana"), "STAFF_REPLIES is off"),
        (TEMPLATES, ("--text", "take two", "--as", "ana"), "choose an approved text"),
        (TEMPLATES, ("--template", "nonsense", "--as", "ana"), "no approved text 'nonsense'"),
        (FREE, ("--template", "safe_now", "--text", "x", "--as", "ana"), "not both"),
        (FREE, ("--text", "hello", "--as", "ben"), "Only the owner"),
        (FREE, ("--text", "hello"), "Only the owner"),
        (FREE, ("--text", "hello", "--as", "edi"), "may not write to people"),
    ],
    ids=["off", "own words", "no such text", "two texts", "not the owner", "operator", "editor"],
)
def test_what_may_not_be_sent_is_not_sent(
    desk: Desk, allowed: Replies | None, args: tuple[str, ...], told: str
) -> None:
    assert told in refusal(desk.run(allowed, "reply", "E-1001", *args, "--yes"))
    assert desk.file.talk == ()


def test_a_person_who_was_forgotten_cannot_be_written_to(desk: Desk) -> None:
    desk.ask(lambda store: store.forget("tg:4711"))

    result = desk.run(FREE, "reply", "E-1001", "--text", "hello", "--yes", "--as", "ana")

    assert "not kept" in refusal(result)


def test_what_was_just_done_is_taken_back_and_by_nobody_else(desk: Desk) -> None:
    other = desk.run(None, "undo", "E-1001", "--as", "ben")
    own = desk.run(None, "undo", "E-1001", "--as", "ana")

    assert "Only what you did" in refusal(other)
    assert own.output == "E-1001 is new again.\n"
    assert desk.file.case.status == "new"
