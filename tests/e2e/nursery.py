"""Starts bots that are killed: each a process of its own, forked from one that read the content.

    python -m tests.e2e.nursery

Reads one JSON object a line: {"start": settings} prints the new process's id, {"expect":
[texts]} prints the replies that a person gets who writes these texts one after the other.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.core.decide import Content, decide
from bot.core.model import Message, Person
from bot.reading import build
from bot.running import serve
from bot.settings import Settings
from tests.reading import alone

ROOT = Path(__file__).parents[2]


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that are killed
    home = Settings(_env_file=None, var_dir=ROOT / "var")
    with alone(home.trained):
        content = build(ROOT, trained=home.trained, embeddings="off")
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "expect" in order:
            print(json.dumps(expected(content, order["expect"])), flush=True)
        else:
            print(json.dumps(start(content, order["start"])), flush=True)


def start(content: Content, values: dict[str, Any]) -> int:
    """A bot with these settings, in a process of its own."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        logging.basicConfig(level="WARNING", stream=sys.stderr, force=True)
        settings = Settings(_env_file=None, **values)
        asyncio.run(serve(settings, content=lambda: content, say=lambda _: None))
        code = 0
    finally:
        os._exit(code)


def expected(content: Content, texts: list[str]) -> list[list[str]]:
    """The texts of the reply to each message of a conversation."""
    person, replies = Person(), []
    for number, text in enumerate(texts):
        message = Message(chat="tg:1", text=text, at=datetime.now(UTC), update_id=str(number))
        decision = decide(message, person, content)
        person = replace(decision.person)
        replies.append(list(decision.reply.texts))
    return replies


if __name__ == "__main__":
    main()
