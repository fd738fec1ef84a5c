"""Labelled messages to measure on, from JSON Lines or from content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.knowledge import kind_of, level_of
from bot.core.model import Example, Level
from bot.errors import BotError


class LabelError(BotError):
    """A file of labelled messages cannot be read; the message lists every bad line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message and what it must get.

    `level` is None where only `must_not` is known: the levels that would be wrong.
    `topics` are equally good answers, best first. `kind` is the kind of an escalating
    message, or what sort of message it is; `style` is ordinary, hard or "".
    """

    text: str
    level: Level | None
    topics: tuple[str, ...] = ()
    kind: str = ""
    voice: str = ""
    style: str = ""
    source: str = ""
    must_not: frozenset[Level] = frozenset()
    label: str = ""


def from_examples(
    examples: Iterable[Example],
    topics: Mapping[str, str],
    *,
    styles: Mapping[str, str],
    source: str,
) -> tuple[Row, ...]:
    """The rows of teaching or proving examples. `styles` is the style of each voice."""
    return tuple(
        Row(
            text=example.text,
            level=level_of(example.label, topics),
            topics=(example.label,) if example.label in topics else (),
            kind=kind_of(example.label),
            voice=example.voice,
            style=styles.get(example.voice, ""),
            source=source,
            label=example.label,
        )
        for example in examples
    )


def from_file(path: Path) -> tuple[Row, ...]:
    """The rows of a file of JSON Lines with `text` and `level` or `must_not`, and optionally
    `topic`, `topic2`, `kind`, `voice`, `style`, `hard`.

    Raises LabelError with every line that is not understood.
    """
    rows: list[Row] = []
    problems: list[str] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(_row(json.loads(line), path.name))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            problems.append(f"{path}:{number}: not a labelled message ({error})")
    if problems:
        raise LabelError("\n".join(problems))
    return tuple(rows)


def _row(fields: dict[str, Any], source: str) -> Row:
    level = Level.parse(fields["level"]) if "level" in fields else None
    must_not = frozenset(Level.parse(name) for name in fields.get("must_not", ()))
    if level is None and not must_not:
        raise ValueError("it has neither level nor must_not")
    said = str(fields.get("topic") or "")
    calm = level in (Level.INFO, Level.CHAT)
    topics = (said, str(fields.get("topic2") or "")) if calm else ()
    return Row(
        text=str(fields["text"]),
        level=level,
        topics=tuple(topic for topic in topics if topic),
        kind=str(fields.get("kind") or ("" if calm else said)),
        voice=str(fields.get("voice") or ""),
        style=_style(fields),
        source=source,
        must_not=must_not,
    )


def _style(fields: dict[str, Any]) -> str:
    if "hard" in fields:
        return "hard" if fields["hard"] else "ordinary"
    return str(fields.get("style") or "")
