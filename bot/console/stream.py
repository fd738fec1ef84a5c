"""The stream of events that keeps an open page up to date."""

from __future__ import annotations

from sse_starlette import EventSourceResponse
from starlette.responses import Response

from bot.console import sessions
from bot.console.visit import Visit
from bot.errors import StoreAway


async def live(visit: Visit) -> Response:
    """Server-sent events; the address names the case that the page shows, if any."""
    number = visit.asked("case")
    shown = [int(number)] if number.isdigit() and len(number) < 13 else []

    async def still_signed_in() -> bool:
        try:
            member = await sessions.member_of(visit.request, visit.store, visit.now)
        except StoreAway:
            return True  # nobody was signed out; the store will be back
        return member is not None

    stream = visit.desk.live.stream(visit.member.id, shown, still_signed_in)
    return EventSourceResponse(stream, ping=3600, headers={"x-accel-buffering": "no"})
