"""`baclofen-bot audit`, `keys` and `privacy`: the history, the keys, and what is taken away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bot.core.escalation import parse_number
from bot.errors import BotError
from bot.store import Keys, Retention, Spool, Store
from bot.store.audit import Verified
from bot.store.history import HistoryLine
from bot.store.records import Forgotten
from bot.store.staff import OPERATOR
from bot.tools.desk import CHANNEL, COMMAND, OpenStore, Who, as_somebody, console, say, with_store
from bot.tools.rows import draw_rows
from bot.work import renew


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where the store's parts are."""

    database: str
    work: str
    keys_file: Path
    var: Path


def audit_app(open_store: OpenStore) -> typer.Typer:
    """`audit verify` and `audit list`."""
    app = typer.Typer(name="audit", help="The history of escalations.", no_args_is_help=True)

    @app.callback()
    def audit() -> None:
        """The history of escalations, a chain that shows whether it was altered."""

    @app.command()
    def verify(
        expect: Annotated[
            str, typer.Option(help="A last hash that was kept elsewhere; it must be in the chain.")
        ] = "",
    ) -> None:
        """Checks the whole chain. Keep the last hash it prints somewhere else."""

        async def check(store: Store) -> tuple[Verified, bool]:
            return await store.verify_audit(), not expect or await store.has_event(expect)

        found, holds_expected = with_store(open_store, check)
        if found.broken_at is not None:
            raise BotError(f"The history is broken at event {found.broken_at}: {found.problem}.")
        if not holds_expected:
            raise BotError("The history was rewritten: the hash you kept is not in it.")
        say(f"The history holds: {found.events} events. Last hash: {found.hash}")
        say(
            "This shows tampering inside the database. Whoever can rewrite all of it can make "
            "a new chain: keep the last hash elsewhere and give it with --expect."
        )

    _history_command(app, open_store)
    return app


def _history_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command("list")
    def list_(
        actor: Annotated[str, typer.Option(help="Only what they did.")] = "",
        type_: Annotated[str, typer.Option("--type", help="Only these, such as viewed.")] = "",
        case: Annotated[str, typer.Option(help="Only of this case, E-1042.")] = "",
        before: Annotated[int | None, typer.Option(help="Only before this event.")] = None,
        limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
        who: Who = OPERATOR,
    ) -> None:
        """The history, the newest first: who did what, when, and where."""
        number = parse_number(case) if case else None
        if case and number is None:
            raise BotError(f"'{case}' is not the number of a case; write it as E-1042.")

        async def read(store: Store) -> None:
            lines = await store.history.page(
                actor=actor, type_=type_, number=number, before=before, limit=limit
            )
            rows = [_cells(line) for line in lines]
            if not rows:
                say("Nothing is like that.")
                return
            draw_rows(console(), ("no.", "when", "who", "what", "case", "by way of"), rows)

        as_somebody(open_store, who, "audit", read)


def _cells(line: HistoryLine) -> tuple[str, ...]:
    record = line.record
    label = f"E-{line.number}" if line.number else ""
    at = record.at.strftime("%Y-%m-%d %H:%M:%S")
    return str(record.seq), at, record.actor, record.event.type, label, record.channel


def keys_app(place: Callable[[], StorePlace]) -> typer.Typer:
    """`keys rotate` and `keys finish`."""
    app = typer.Typer(name="keys", help="The encryption keys.", no_args_is_help=True)

    @app.command()
    def rotate() -> None:
        """Puts a new key in front: what is written from the next start on is under it."""
        where = place()
        Keys.load(where.keys_file).rotated().save(where.keys_file)
        say(
            f"{where.keys_file} has a new first key. Restart every process of the bot, then run "
            f"'{COMMAND} keys finish'. Back the file up."
        )

    @app.command()
    def finish() -> None:
        """Puts everything under the first key and drops the others."""
        where = place()
        keys = Keys.load(where.keys_file)
        if not Spool(where.var, keys).is_empty:
            raise BotError("Records wait in the spool; start the bot until they are handed over.")

        newest = keys.newest_only()
        # With the newest alone it raises KeyMissing, and keeps the old keys, when a process
        # still writes with one.
        for ring in (keys, newest):
            opened = partial(Store.open, where.database, ring, create=False)
            with_store(opened, lambda store: store.reencrypt())
            renew(where.work, ring)
        newest.save(where.keys_file)
        say("Everything is under the first key; the others are gone from the file.")

    return app


def privacy_app(open_store: OpenStore, retention: Callable[[], Retention]) -> typer.Typer:
    """`privacy forget` and `privacy redact`."""
    app = typer.Typer(name="privacy", help="Taking away what people wrote.", no_args_is_help=True)

    @app.command()
    def forget(
        chat: Annotated[
            str, typer.Argument(help="The chat id with its channel, tg:12345, or a case, E-1042.")
        ],
        who: Who = OPERATOR,
    ) -> None:
        """Takes away all that is known of a person, as /forget does; the history says who did."""

        async def take_away(store: Store) -> Forgotten:
            number = None if ":" in chat else parse_number(chat)
            case = None if number is None else await store.find(number)
            if number is not None and case is None:
                raise BotError(f"There is no case E-{number}.")
            return await store.forget_for(who, case or chat, channel=CHANNEL)

        done = as_somebody(open_store, who, "manage", take_away)
        if not done.known:
            say("Nothing is known of that chat.")
            return
        say(f"Forgotten: {done.messages} messages in {done.cases} cases. What stays:")
        for line in done.stays:
            say(f"- {line}")

    @app.command()
    def redact() -> None:
        """Takes away what is older than the settings allow, as the bot does every hour."""
        done = with_store(open_store, lambda store: store.redact_due(retention()))
        say(
            f"Redacted: {done.messages} messages, {done.notes} notes and reasons, "
            f"{done.samples} samples. Deleted: {done.people} conversations, {done.cases} cases, "
            f"{done.events} events."
        )

    return app
