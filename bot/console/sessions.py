"""The session of a browser: who is signed in, what they were told, which texts are open."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from starlette.requests import Request

from bot.store import Store
from bot.store.staff import StaffMember

STAY_S = 12 * 3600  # seconds until one signs in again: longer than a shift
OPEN_S = 15 * 60  # seconds that the text of a case stays uncovered
OPEN_MAX = 12  # cases open at once; the cookie stays small
TELL_MAX = 5


def begin(request: Request, member: StaffMember, now: datetime) -> None:
    """Sign `member` in; nothing of an earlier session is left."""
    request.session.clear()
    request.session.update(
        {"staff": member.id, "epoch": member.session_epoch, "at": int(now.timestamp())}
    )
    token(request)


def end(request: Request) -> None:
    """Forget the session in this browser."""
    request.session.clear()


async def member_of(request: Request, store: Store, now: datetime) -> StaffMember | None:
    """Who is signed in, or None: also after STAY_S, or when their sessions were ended."""
    session = request.session
    staff_id, epoch, at = session.get("staff"), session.get("epoch"), session.get("at", 0)
    if not isinstance(staff_id, str) or not isinstance(epoch, int):
        return None
    if not 0 <= now.timestamp() - at <= STAY_S:
        return None
    return await store.staff.of_session(staff_id, epoch)


def token(request: Request) -> str:
    """The token that every form of this browser carries."""
    if "csrf" not in request.session:
        request.session["csrf"] = secrets.token_urlsafe(24)
    return str(request.session["csrf"])


def has_token(request: Request, brought: str) -> bool:
    """Whether a change brought the token of this browser."""
    own = str(request.session.get("csrf", ""))
    return bool(own) and secrets.compare_digest(own.encode(), brought.encode())


def tell(request: Request, text: str, *, refused: bool = False, undo: int | None = None) -> None:
    """Say `text` on the next page. `undo` is the number of a case to take an action back on."""
    said = [*request.session.get("told", []), {"text": text, "refused": refused, "undo": undo}]
    request.session["told"] = said[-TELL_MAX:]


def told(request: Request) -> list[dict[str, Any]]:
    """What is to be said now, once."""
    if not request.session.get("told"):
        return []
    return list(request.session.pop("told"))


def uncover(request: Request, name: str, now: datetime) -> None:
    """Keep the text of `name` (the number of a case, `samples`) open for a while."""
    known = request.session.get("open", {})
    fresh = {key: at for key, at in known.items() if now.timestamp() - at < OPEN_S}
    fresh[name] = int(now.timestamp())
    request.session["open"] = dict(list(fresh.items())[-OPEN_MAX:])


def cover(request: Request, name: str) -> None:
    """Close it again."""
    known = dict(request.session.get("open", {}))
    known.pop(name, None)
    request.session["open"] = known


def is_open(request: Request, name: str, now: datetime) -> bool:
    """Whether the text of `name` is uncovered in this browser."""
    at = request.session.get("open", {}).get(name, 0)
    return 0 <= now.timestamp() - int(at) < OPEN_S
