"""Figures for a monitoring system: counts only, in the text form that Prometheus reads.

Nothing here holds what a person wrote, a chat id or the id of a case.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.core.casefilter import CaseFilter
from bot.core.readers import Readers
from bot.errors import StoreError
from bot.models import Trouble
from bot.service import Service

UNALERTED = CaseFilter(statuses=("new",), alert_status="failed")
PREFIX = "baclofen_bot_"

Backlog = Callable[[], Awaitable[int | None]]
Sample = tuple[dict[str, str], int]


async def metrics(service: Service, backlog: Backlog, *, model: Trouble, recording: bool) -> str:
    """All figures. What cannot be known just now, as the store is away, is left out.

    `recording` is false for a run without usable keys, which keeps nothing of an alarm.
    """
    has_model = isinstance(service.content.reader, Readers) and bool(service.content.reader.embed)
    tally = service.tally
    families = [
        _family("messages_total", "Messages taken in.", _by("channel", "level", tally.messages)),
        _family("replies_failed_total", "Replies that did not arrive.", tally.replies_failed),
        _family(
            "replies_held_up_total",
            "Replies that had to wait in a queue of their channel.",
            tally.replies_held_up,
        ),
        _family(
            "replies_withheld_total",
            "Replies that a chat did not get as it flooded the bot.",
            tally.replies_withheld,
        ),
        _family(
            "recording",
            "1: alarms are recorded, or wait for that. 0: no usable keys, nothing is recorded.",
            int(recording),
        ),
        _family("records_spooled_total", "Records the store did not take.", tally.spooled),
        _family("spool_bytes", "Size of what waits in the spool.", service.spool_bytes),
        _family("embedding_model", "1: reads with it. 0: by words only.", int(has_model)),
        _family(
            "embedding_model_missing",
            "1: it is asked for, and missing.",
            int(model == "missing"),
        ),
        _family(
            "embedding_model_altered",
            "1: it is asked for, and not the file that was pinned.",
            int(model == "altered"),
        ),
    ]
    waiting = await backlog()
    if waiting is not None:
        families.append(_family("jobs_waiting", "Jobs kept and not yet done.", waiting))
    families += await _of_store(service)
    return "".join(families)


def metrics_page(
    draw: Callable[[], Awaitable[str]], *, token: str, proxied: bool
) -> Callable[[Request], Awaitable[Response]]:
    """The page of the figures: for whoever brings `token`; without one for this machine only.

    Where the site is `proxied`, everybody seems to be on this machine: no token, no figures.
    """

    async def page(request: Request) -> Response:
        if not _may_read(request, token, proxied=proxied):
            return Response(status_code=403)
        return PlainTextResponse(await draw(), media_type="text/plain; version=0.0.4")

    return page


def _may_read(request: Request, token: str, *, proxied: bool) -> bool:
    if token:
        brought = request.headers.get("authorization", "")
        return hmac.compare_digest(brought.encode(), f"Bearer {token}".encode())
    if proxied or request.client is None or "x-forwarded-for" in request.headers:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _of_store(service: Service) -> list[str]:
    store = service.store
    try:
        if store is None:
            raise StoreError("There is no store yet.")
        counts = await store.counts()
        failed = await store.count(UNALERTED)
    except StoreError:
        return [_family("store_up", "Whether the store answers.", 0)]
    cases = {(status, level.label): number for (status, level), number in counts.items()}
    return [
        _family("store_up", "Whether the store answers.", 1),
        _family("open_cases", "Cases that are not resolved.", _by("status", "level", cases)),
        _family("alerts_failed", "New cases whose last alert failed.", failed),
    ]


def _by(first: str, second: str, counts: dict[tuple[str, str], int]) -> list[Sample]:
    return [({first: one, second: two}, counts[one, two]) for one, two in sorted(counts)]


def _family(name: str, meaning: str, samples: int | Iterable[Sample]) -> str:
    kind = "counter" if name.endswith("_total") else "gauge"
    lines = [f"# HELP {PREFIX}{name} {meaning}", f"# TYPE {PREFIX}{name} {kind}"]
    for labels, value in [({}, samples)] if isinstance(samples, int) else samples:
        told = ",".join(f'{label}="{text}"' for label, text in labels.items())
        lines.append(f"{PREFIX}{name}{{{told}}} {value}" if told else f"{PREFIX}{name} {value}")
    return "\n".join(lines) + "\n"
