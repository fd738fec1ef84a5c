"""Figures, possible misses and the regression set, in a terminal."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.core.casefilter import ALL, parse_query
from bot.core.escalation import Event
from bot.core.export import printable
from bot.core.figures import Figures, Share, false_alarms, figures, misses_per_1000
from bot.core.model import Level
from bot.core.pseudonyms import case_file
from bot.errors import BotError
from bot.store import Store
from bot.store.staff import OPERATOR
from bot.tools.desk import (
    CHANNEL,
    LevelName,
    OpenStore,
    Right,
    Who,
    as_somebody,
    console,
    granted,
    say,
    with_store,
)
from bot.tools.escalation_view import span
from bot.tools.rows import draw_rows


class By(StrEnum):
    """What figures are grouped by."""

    all = "all"
    level = "level"
    rule = "rule"
    language = "language"
    week = "week"
    day = "day"


def learning_commands(app: typer.Typer, open_store: OpenStore) -> None:
    """Adds `figures`, `misses`, `judge-miss` and `export-tests` to `app`."""
    for add in (_figures_command, _sample_commands, _tests_command):
        add(app, open_store)


def _figures_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command("figures")
    def figures_(
        by: Annotated[By, typer.Option(help="One line for each of these.")] = By.level,
        since: Annotated[str, typer.Option(help="From this date on, 2026-11-01.")] = "",
        before: Annotated[str, typer.Option(help="Up to this date.")] = "",
    ) -> None:
        """Counts, times to acknowledge, clocks missed, precision, misses, agreement."""
        words = (f"since:{since}" if since else "", f"before:{before}" if before else "")
        try:
            wanted = parse_query(" ".join(words), base=ALL)
        except ValueError as error:
            raise BotError(str(error)) from None

        async def show(store: Store) -> None:
            facts = await store.facts(wanted)
            _table(figures(facts, by.value))
            _totals(await store.samples.missed(), await store.agreement(wanted.since))
            worst = false_alarms(facts)[:5]
            if worst:
                rules = ", ".join(f"{each.group} ({each.verdicts['too_high']})" for each in worst)
                say(f"Rules with the most false alarms: {rules}.")

        with_store(open_store, show)


def _sample_commands(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def misses(
        limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 20,
        who: Who = OPERATOR,
    ) -> None:
        """Messages that were not escalated and wait for a reader; reading is logged."""

        async def show(store: Store) -> None:
            samples = await store.samples.list(limit=limit)
            await store.log(Event("viewed", {}, {"samples": len(samples)}), actor=who)
            for each in samples:
                text = "(redacted)" if each.text is None else " ".join(printable(each.text).split())
                told = f"{each.level.label} {each.topic or '-'}"
                say(f"{each.id} {_day(each.at)} {each.stratum} {told} {text}")
            if not samples:
                say("No samples wait.")

        as_somebody(open_store, who, "work", show)

    @app.command("judge-miss")
    def judge_miss(
        sample: Annotated[str, typer.Argument(help="The sample's id, as `misses` shows it.")],
        level: Annotated[LevelName, typer.Argument(help="What it should have been.")],
        topic: Annotated[str, typer.Option(help="The right topic.")] = "",
        right: Annotated[
            Right | None,
            typer.Option("--reply", help="Was the answer right? Left out: not judged."),
        ] = None,
        who: Who = OPERATOR,
    ) -> None:
        """Say what a message that was not escalated should have been."""

        async def judge(store: Store) -> None:
            named = Level.parse(level.value)
            judged = await store.samples.judge(
                sample,
                who,
                named,
                topic=topic,
                reply_was_right=right.value if right else "",
                channel=CHANNEL,
            )
            granted(judged)
            say("Judged.")

        as_somebody(open_store, who, "work", judge)


def _tests_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command("export-tests")
    def export_tests(
        into: Annotated[Path, typer.Argument(help="The file to write.")],
        who: Who = OPERATOR,
    ) -> None:
        """Writes reviewed messages as a case file, pseudonymised, for a person to read first."""

        async def write(store: Store) -> None:
            messages = await store.judged()
            after = {"rows": len(messages), "text": True, "format": "tests"}
            await store.log(Event("exported", {}, after), actor=who, channel=CHANNEL)
            into.write_text(case_file(messages), encoding="utf-8")
            say(f"{len(messages)} messages written to {into}. Read every line before using it.")

        as_somebody(open_store, who, "export_text", write)


def _table(groups: tuple[Figures, ...]) -> None:
    names = ("group", "cases", "median", "95 %", "clock missed", "undelivered", "reviewed")
    rows = [
        (
            each.group.replace("_", " "),
            str(each.count),
            _length(each.acknowledge_median),
            _length(each.acknowledge_p95),
            str(each.missed.count),
            str(each.delivery_failed.count),
            _percent(each.reviewed),
            _percent(each.precision),
            _interval(each.precision),
        )
        for each in groups
    ]
    draw_rows(console(), (*names, "precision", "95 % interval"), rows, flowing=("clock missed",))


def _totals(missed: tuple[int, int], agreement: float | None) -> None:
    estimate = misses_per_1000(*missed)
    if estimate is None:
        say(f"Misses per 1,000 messages: no estimate; {missed[0]} random samples are reviewed.")
    else:
        share, low, high = estimate
        say(f"Misses per 1,000 messages: {share:.1f} (95 % interval {low:.1f} to {high:.1f}).")
    told = "too few pairs" if agreement is None else f"{agreement:.2f}"
    say(f"Agreement of two readers (kappa): {told}.")


def _percent(share: Share) -> str:
    return "-" if share.value is None else f"{100 * share.value:.0f} %"


def _interval(share: Share) -> str:
    if share.interval is None:
        return "-"
    low, high = share.interval
    return f"{100 * low:.0f} to {100 * high:.0f} % of {share.total}"


def _length(length: timedelta | None) -> str:
    return "-" if length is None else span(length)


def _day(at: datetime) -> str:
    return at.date().isoformat()
