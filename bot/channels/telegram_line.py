"""The lines to Telegram: pools of connections, patience with errors, and quiet logs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.errors import ChannelError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

FIRST_GAP_S = 0.25
LONGEST_GAP_S = 15.0


def line(connections: int) -> HTTPXRequest:
    """An own pool of connections, so that no line waits for another."""
    return HTTPXRequest(connection_pool_size=connections, pool_timeout=10.0)


async def insist(call: Callable[[], Awaitable[Result]]) -> Result:
    """Call until Telegram answers, with growing gaps. Raises ChannelError for a bad token."""
    pauses = gaps()
    while True:
        try:
            return await refusing_bad_tokens(call)
        except RetryAfter as error:
            gap_s = seconds(error)
        except Conflict:
            log.error("telegram is polled by another process with the same token, or has a webhook")
            gap_s = next(pauses)
        except TelegramError as error:
            gap_s = next(pauses)
            log.warning("telegram is away", extra={"error": type(error).__name__, "gap_s": gap_s})
        await asyncio.sleep(gap_s)


async def refusing_bad_tokens(call: Callable[[], Awaitable[Result]]) -> Result:
    """Call once. Raises ChannelError if Telegram does not know the token."""
    try:
        return await call()
    except InvalidToken:
        # The cause quotes the token, so it is not told.
        raise ChannelError(
            "BOT_TOKEN was refused by Telegram; get a valid one from @BotFather."
        ) from None


def gaps() -> Iterator[float]:
    """Growing pauses between two tries, in seconds, without end."""
    gap_s = FIRST_GAP_S
    while True:
        yield gap_s
        gap_s = min(gap_s * 2, LONGEST_GAP_S)


def seconds(error: RetryAfter) -> float:
    """How long Telegram told us to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def quieten_logs() -> None:
    """Keep the token (in httpx's lines) and what people wrote out of the logs."""
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # The first tells of each 429 with a trace, the second quotes answers it cannot read.
    for name in ("telegram.ext.AIORateLimiter", "telegram.request.BaseRequest"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
