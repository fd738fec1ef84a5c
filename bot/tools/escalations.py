"""`baclofen-bot escalations`: the queue and everything that staff do with it, in a terminal."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.core import actions
from bot.core.actions import Outcome
from bot.core.casefilter import ALL, QUEUE, CaseFilter, parse_query
from bot.core.escalation import Event, parse_number
from bot.core.export import case_row, csv_lines, jsonl_lines
from bot.core.model import Level
from bot.core.roles import may
from bot.errors import BotError
from bot.store import Store
from bot.store.staff import OPERATOR
from bot.store.timeline import texts
from bot.tools.desk import (
    CHANNEL,
    COMMAND,
    LevelName,
    OpenStore,
    Right,
    Who,
    as_somebody,
    checked,
    console,
    say,
    with_store,
)
from bot.tools.escalation_view import case_view, list_view
from bot.tools.learning import learning_commands
from bot.tools.replying import reply_commands

Number = Annotated[str, typer.Argument(help="The case, such as E-1042.")]
Query = Annotated[
    list[str] | None,
    typer.Argument(help="What to list, such as: level:emergency is:unreviewed rule:resp_arrest"),
]


class ResolutionName(StrEnum):
    """How a case can end."""

    reviewed_no_action = "reviewed_no_action"
    followed_up = "followed_up"
    emergency_services_contacted = "emergency_services_contacted"
    false_alarm = "false_alarm"
    test = "test"
    could_not_reach = "could_not_reach"


class Format(StrEnum):
    """What an export is written as."""

    csv = "csv"
    jsonl = "jsonl"


def escalations_app(
    open_store: OpenStore, reasons: Callable[[], Mapping[str, str]] = dict
) -> typer.Typer:
    """The commands, over the store that `open_store` opens. `reasons` tells what rules mean."""
    app = typer.Typer(
        name="escalations",
        help="Escalations: list, read, take, judge, resolve and export them.",
        no_args_is_help=True,
    )
    _list_command(app, open_store)
    _show_command(app, open_store, reasons)
    for add in (
        _export_command,
        _owning_commands,
        _resting_commands,
        _tag_command,
        _resolve_command,
        _judging_commands,
        learning_commands,
    ):
        add(app, open_store)
    reply_commands(app, open_store)
    return app


def _list_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command("list")
    def list_(
        query: Query = None,
        limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
        every: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    ) -> None:
        """The queue: unacknowledged emergencies, then by level, the longest waiting first."""
        wanted = _wanted(query, ALL if every or query else QUEUE)

        async def show(store: Store) -> None:
            cases = await store.list(wanted, limit=limit)
            hidden = await store.hidden_emergencies(wanted)
            total = await store.count(wanted)
            list_view(console(), cases, total=total, hidden=hidden, now=datetime.now(UTC))

        with_store(open_store, show)


def _show_command(
    app: typer.Typer, open_store: OpenStore, reasons: Callable[[], Mapping[str, str]]
) -> None:
    @app.command()
    def show(
        number: Number,
        text: Annotated[
            bool, typer.Option("--text", help="Uncover what people wrote; that is logged.")
        ] = False,
        who: Who = OPERATOR,
    ) -> None:
        """One case: why it was raised, what was answered, notes, reviews and history."""

        async def read(store: Store) -> None:
            if text:
                checked(await store.act(_number(number), actions.View(who), channel=CHANNEL))
            file = await store.show(_number(number))
            if file is None:
                raise BotError(f"There is no case {number}.")
            case_view(console(), file, covered=not text, reasons=reasons())

        as_somebody(open_store, who, "read", read)


def _export_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def export(
        query: Query = None,
        form: Annotated[Format, typer.Option("--format", help="csv or jsonl.")] = Format.csv,
        into: Annotated[
            Path | None, typer.Option("--output", "-o", help="A file; without it, the output.")
        ] = None,
        text: Annotated[
            bool, typer.Option("--text", help="With what people wrote; leads only, logged.")
        ] = False,
        who: Who = OPERATOR,
    ) -> None:
        """Writes one row a case. Without what people wrote, unless --text is given."""
        wanted = _wanted(query, ALL)

        async def write(store: Store) -> None:
            rows = [row async for row in _rows(store, wanted, text=text)]
            after = {"rows": len(rows), "text": text, "format": form.value}
            await store.log(Event("exported", {}, after), actor=who, channel=CHANNEL)
            lines = csv_lines(rows, text=text) if form is Format.csv else jsonl_lines(rows)
            if into is None:
                sys.stdout.writelines(lines)
                return
            with into.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
            sys.stderr.write(f"{len(rows)} cases written to {into}.\n")

        as_somebody(open_store, who, "export_text" if text else "export", write)


def _owning_commands(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def ack(number: Number, who: Who = OPERATOR) -> None:
        """Take a case: you become its owner and the alerts stop."""
        _act(open_store, number, actions.Acknowledge(who))

    @app.command()
    def assign(
        number: Number,
        to: Annotated[str, typer.Argument(help="Whose it is from now on.")],
        who: Who = OPERATOR,
    ) -> None:
        """Hand a case over."""
        _act(open_store, number, actions.Assign(who, to))

    @app.command()
    def unassign(number: Number, who: Who = OPERATOR) -> None:
        """Let go of a case; it is new again."""
        _act(open_store, number, actions.Unassign(who))


def _resting_commands(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def snooze(
        number: Number,
        hours: Annotated[float, typer.Argument(min=0.01, max=24 * 30, help="For so long.")],
        who: Who = OPERATOR,
    ) -> None:
        """Let a case rest for some hours."""
        _act(open_store, number, actions.Snooze(who, datetime.now(UTC) + timedelta(hours=hours)))

    @app.command()
    def wake(number: Number, who: Who = OPERATOR) -> None:
        """End the rest of a case."""
        _act(open_store, number, actions.Wake(who))


def _tag_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def tag(
        number: Number,
        tags: Annotated[list[str] | None, typer.Argument(help="All labels; none clears.")] = None,
        who: Who = OPERATOR,
    ) -> None:
        """Set the labels of a case."""
        _act(open_store, number, actions.Tag(who, tuple(tags or ())))


def _resolve_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def resolve(
        number: Number,
        resolution: Annotated[ResolutionName, typer.Argument(help="How it ended.")],
        unreviewed: Annotated[
            bool, typer.Option("--without-review", help="Nobody judged it; that is counted.")
        ] = False,
        who: Who = OPERATOR,
    ) -> None:
        """Close a case. Review it first."""
        _act(open_store, number, actions.Resolve(who, resolution.value, unreviewed=unreviewed))


def _judging_commands(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def note(
        number: Number,
        body: Annotated[str, typer.Argument(help="The note, or - to read it from the input.")],
        who: Who = OPERATOR,
    ) -> None:
        """Add a private note. Notes are never sent to the person."""
        said = sys.stdin.read() if body == "-" else body

        async def add(store: Store) -> Outcome:
            return await store.add_note(_number(number), who, said, channel=CHANNEL)

        _told(as_somebody(open_store, who, "work", add))

    @app.command()
    def review(
        number: Number,
        level: Annotated[LevelName, typer.Argument(help="What it should have been.")],
        right: Annotated[Right, typer.Option("--reply", help="Was the reply right?")],
        topic: Annotated[str, typer.Option(help="The right topic.")] = "",
        reason: Annotated[str, typer.Option(help="Why.")] = "",
        decide: Annotated[
            bool, typer.Option("--decide", help="As a lead: settles a disagreement.")
        ] = False,
        who: Who = OPERATOR,
    ) -> None:
        """Judge a case. Whether the bot was right follows from the two levels."""

        async def add(store: Store) -> Outcome:
            return await store.add_review(
                _number(number),
                who,
                Level.parse(level.value),
                topic=topic,
                reply_was_right=right.value,
                reason=reason,
                is_authoritative=decide,
                channel=CHANNEL,
            )

        _told(as_somebody(open_store, who, "settle" if decide else "work", add))


def _act(open_store: OpenStore, number: str, action: actions.Action) -> None:
    async def do(store: Store) -> Outcome:
        if isinstance(action, actions.Assign):
            await _can_work(store, action.to)
        return await store.act(_number(number), action, channel=CHANNEL)

    _told(as_somebody(open_store, action.actor, "work", do))


async def _can_work(store: Store, to: str) -> None:
    """See that a case may be given to `to`. Raises BotError."""
    member = await store.staff.find(to)
    if to == OPERATOR or (member is not None and member.active and may(member.role, "work")):
        return
    staff = [each for each in await store.staff.all() if each.active and may(each.role, "work")]
    names = ", ".join(each.id for each in staff) or "nobody yet"
    raise BotError(
        f"'{to}' is nobody who works on cases. You can hand it to: {names}. "
        f"'{COMMAND} staff add NAME reviewer' makes an account."
    )


def _wanted(query: list[str] | None, base: CaseFilter) -> CaseFilter:
    try:
        return parse_query(" ".join(query or ()), base=base)
    except ValueError as error:
        raise BotError(str(error)) from None


def _number(text: str) -> int:
    number = parse_number(text)
    if number is None:
        raise BotError(f"'{text}' is not the number of a case; write it as E-1042.")
    return number


async def _rows(
    store: Store, wanted: CaseFilter, *, text: bool
) -> AsyncIterator[dict[str, object]]:
    async for case in store.export(wanted):
        row = case_row(case)
        if text:
            row.update(texts(await store.show(case.id)))
        yield row


def _told(outcome: Outcome) -> None:
    case = checked(outcome)
    owner = f", {case.assignee}'s" if case.assignee else ""
    say(f"{case.label} is {case.status}{owner}.")
