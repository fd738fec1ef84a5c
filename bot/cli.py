"""The commands. Builds everything and hands it over; imports late, so that each starts fast."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from bot.errors import BotError, ContentError
from bot.logs import log_to_stderr
from bot.settings import Settings, read_settings
from bot.tools.progress import progress_bar

KEPT = ("escalations", "staff", "audit", "keys", "privacy")  # the groups of `bot.tools.kept`
REVIEW_EVERY = timedelta(days=182)


class Commands(TyperGroup):
    """All commands. Those over the store are imported when they are asked for: it takes a
    second, and somebody may wait for a first answer."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the help."""
        return [*super().list_commands(ctx), *KEPT]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        if cmd_name not in KEPT:
            return super().get_command(ctx, cmd_name)
        from bot.tools.kept import commands

        return typer.main.get_group(commands()[cmd_name])


app = typer.Typer(
    cls=Commands,
    name="baclofen-bot",
    help="A support chat bot about baclofen: answers, notices emergencies, keeps a record.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Runs a command; an error of ours becomes one clear text and exit code 1."""
    try:
        app()
    except* BotError as group:
        for error in _single(group):
            Console(stderr=True, highlight=False).print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)
    except* KeyboardInterrupt:
        sys.exit(130)


def _single(group: BaseExceptionGroup[BotError]) -> Iterator[BotError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _single(error)
        else:
            yield error


@app.command()
def run() -> None:
    """Starts the web chat, and Telegram where BOT_TOKEN is set."""
    from bot.running import serve
    from bot.startup import alone_at_the_terminal

    settings = read_settings()
    log_to_stderr(settings)
    with alone_at_the_terminal():
        try:
            asyncio.run(serve(settings, content=lambda: _content(settings), say=print_line))
        except KeyboardInterrupt:
            print_line("\nStopped.")


@app.command()
def chat(
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="JSON Lines in, JSON Lines out, for scripts.")
    ] = False,
) -> None:
    """Chat in the terminal; with --jsonl, whole conversations for scripts.

    In, one JSON object a line: "chat" (any id; its state is kept), "text" or "button" (a label),
    and optionally "country" (ISO code).

    Out, one a line: "chat", "level" (of the conversation), "kind", "topic", "replies" (texts) and
    "buttons" (labels).
    """
    settings = read_settings()
    if jsonl:
        from bot.tools.classify import InputError, talk_lines

        _print_json(talk_lines(sys.stdin, _content(settings)), InputError)
        return
    from bot.running import talk_in_terminal

    logging.disable(logging.WARNING)
    asyncio.run(talk_in_terminal(settings, content=lambda: _content(settings)))


@app.command()
def classify(
    file: Annotated[str, typer.Argument(help="A file of JSON Lines, or - for the input.")] = "-",
) -> None:
    """Reads messages as JSON Lines and prints a verdict for each, in the same order.

    In, one JSON object a line: "text", and optionally "id" (given back) and "country" (ISO code).

    Out, one a line: "id", "level", "kind", "topic", "confidence" (0 to 1), "asks" (whether the
    reply asks if it happens now), "offers" (topics), "reasons" (each with "rule", "start", "end"
    and "text") and "first_line" of the reply.
    """
    from bot.tools.classify import InputError, classify_lines

    content = _content(read_settings())
    if file == "-":
        _print_json(classify_lines(sys.stdin, content), InputError)
        return
    with _opened(file) as lines:
        _print_json(classify_lines(lines, content), InputError)


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="The message.")],
    country: Annotated[str, typer.Option(help="ISO code of the person's country.")] = "",
) -> None:
    """Shows how a message is read, and the reply."""
    from bot.tools.explain import explain as show

    show(Console(), text, _content(read_settings()), country=country)


@app.command()
def check() -> None:
    """Checks all content; every problem at once, at path:line:column."""
    from bot.tools.check import examine

    try:
        loaded = examine(read_settings().content_dir)
    except ContentError as error:
        for problem in error.problems:
            print_line(str(problem))
        count = len(error.problems)
        print_line(
            f"{count} {'problem' if count == 1 else 'problems'}. Mend them, then check again."
        )
        raise typer.Exit(1) from None
    print_line(
        f"Content is sound: {len(loaded.knowledge.topics)} topics, "
        f"{len(loaded.teaching)} examples in {len({e.voice for e in loaded.teaching})} voices, "
        f"{len(loaded.knowledge.helplines.countries)} regions with numbers."
    )


@app.command()
def evaluate(
    data: Annotated[
        list[Path] | None, typer.Option(help="Labelled JSON Lines, instead of tests/cases/.")
    ] = None,
    mutations: Annotated[
        bool, typer.Option("--mutations", help="Also with typos, emoji, capitals, ...")
    ] = False,
    leave_one_voice_out: Annotated[
        bool, typer.Option("--leave-one-voice-out", help="Teach without a voice, test on it.")
    ] = False,
    publish: Annotated[
        Path | None, typer.Option(help="Write docs/safety.md from this run to that file.")
    ] = None,
    voice: Annotated[
        list[str] | None, typer.Option(help="With --leave-one-voice-out: only these voices.")
    ] = None,
) -> None:
    """Prints what is caught, missed and falsely raised, with counts and 95 % intervals."""
    from bot.tools import measure

    settings = read_settings()
    if leave_one_voice_out:
        from bot.content import load
        from bot.core.policy import Policy

        with progress_bar() as told:
            lines = measure.strangers(
                load(settings.content_dir),
                trained=settings.trained,
                embeddings=settings.embeddings,
                voices=voice or (),
                policy=Policy(),
                progress=told,
            )
            for line in lines:
                print_line(line)
        return
    content = _content(settings)
    if publish:
        from bot.content import load
        from bot.tools.publish import safety_page

        examples = len(load(settings.content_dir).teaching)
        page = "\n".join(safety_page(settings.content_dir, content, examples=examples))
        publish.write_text(page, encoding="utf-8")
        print_line(f"wrote {publish}")
        return
    for line in measure.evaluate(settings.content_dir, content, data or (), mutations=mutations):
        print_line(line)


@app.command()
def weigh() -> None:
    """Fits how the readers are weighed, on voices left out, and prints it; five trainings."""
    from bot.content import load
    from bot.core.policy import Policy
    from bot.reading import embedders
    from bot.tools import weighing

    settings = read_settings()
    with progress_bar() as told:
        rows = weighing.strangers(
            load(settings.content_dir),
            embedders(settings.embeddings),
            trained=settings.trained,
            progress=told,
        )
    for line in weighing.report(rows, Policy()):
        print_line(line)


@app.command()
def tune(
    into: Annotated[Path, typer.Option(help="The file to write.")] = Path("var/tuned.npz"),
    elsewhere: Annotated[bool, typer.Option(help="The model for other languages.")] = False,
    layers: Annotated[int, typer.Option(help="How many layers of the model to keep.")] = 4,
    rounds: Annotated[int, typer.Option(help="How often each example is seen.")] = 4,
    keep_back: Annotated[float, typer.Option(help="Share of new voices left strangers.")] = 0.2,
    begin_with: Annotated[Path | None, typer.Option(help="A file to go on from.")] = None,
    narrow: Annotated[int, typer.Option(help="Units of a feed-forward layer; 0: all.")] = 0,
) -> None:
    """Trains an embedding model on the examples; needs PyTorch and about an hour."""
    from bot import models
    from bot.content import load
    from bot.tools import tuning

    settings = read_settings()
    begun = None if begin_with is None else models.tuning(begin_with, digest="")
    taught = list(
        tuning.taught_by(
            load(settings.content_dir),
            trained=settings.trained,
            keep_back=keep_back,
            elsewhere=elsewhere,
            known=frozenset() if begun is None else begun.heard,
        )
    )
    base = tuning.e5_base(layers) if elsewhere else tuning.minilm_base()
    with progress_bar() as told:
        made = tuning.tune(
            taught, base, layers=layers, rounds=rounds, begun=begun, narrow=narrow, progress=told
        )
    digest = models.save_tuning(made, into)
    print_line(f"wrote {into}; its digest belongs into bot/models.py: {digest}")


@app.command()
def new(
    group: Annotated[str, typer.Argument(help="The group, such as mixing.")],
    topic: Annotated[str, typer.Argument(help="The new topic's id, such as mixing_tea.")],
    question: Annotated[str, typer.Argument(help="The question it answers.")],
) -> None:
    """Starts the three files of a new topic."""
    from bot.tools.desk import COMMAND
    from bot.tools.new import new_topic

    due = (datetime.now(UTC) + REVIEW_EVERY).date().isoformat()
    try:
        for path in new_topic(read_settings().content_dir, group, topic, question, due=due):
            print_line(f"wrote {path}")
    except ValueError as error:
        raise BotError(str(error)) from None
    print_line(f"Fill them in, then run: {COMMAND} check")


@app.command()
def train(
    into: Annotated[Path | None, typer.Option(help="Folder for the result.")] = None,
) -> None:
    """Trains the readers ahead of time, so that the bot starts at once."""
    settings = read_settings()
    if into:
        settings = settings.model_copy(update={"trained_dir": into})
    _content(settings)
    print_line(f"Trained: {settings.trained}")


def print_line(text: str) -> None:
    """One plain line for a person."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _content(settings: Settings) -> Any:
    """The content, with a progress bar while the readers are trained."""
    from bot.reading import build

    with progress_bar() as told:
        return build(
            settings.content_dir,
            trained=settings.trained,
            embeddings=settings.embeddings,
            retention_days=settings.retention_text_days,
            progress=told,
        )


def _print_json(rows: Iterator[dict[str, Any]], input_error: type[Exception]) -> None:
    try:
        for row in rows:
            print_line(json.dumps(row, ensure_ascii=False))
    except input_error as error:
        raise BotError(str(error)) from None
    except BrokenPipeError:
        sys.stderr.close()


def _opened(file: str) -> Any:
    try:
        return Path(file).open(encoding="utf-8")
    except OSError as error:
        raise BotError(f"{file} cannot be read: {error.strerror}.") from None
