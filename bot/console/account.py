"""One's own account: password, second factor, sessions elsewhere."""

from __future__ import annotations

from starlette.responses import Response

from bot.console import sessions
from bot.console.qr import picture
from bot.console.visit import Visit
from bot.core.actions import Refusal
from bot.store.staff import StaffMember


async def show(visit: Visit) -> Response:
    """The page. A secret for the authenticator app is shown until it is confirmed."""
    secret = str(visit.request.session.get("totp", ""))
    address = visit.store.staff.totp_address(visit.member.id, secret) if secret else ""
    return await visit.draw(
        "account.html",
        secret=secret,
        spaced=_spaced(secret),
        address=address,
        code=picture(address) if address else "",
    )


async def password(visit: Visit) -> Response:
    """A new password; every other session ends."""
    old, new = visit.field("old", longest=300), visit.field("new", longest=300)
    if new != visit.field("again", longest=300):
        return _back(visit, Refusal("The two new passwords differ."), "")
    known = await visit.store.staff.confirm(visit.member.id, old)
    if isinstance(known, Refusal):
        return _back(visit, known, "")
    changed = await visit.store.staff.set_password(visit.member.id, new, by=visit.member.id)
    return _back(visit, changed, "Your password is changed. Every other session has ended.")


async def begin_totp(visit: Visit) -> Response:
    """Make a secret for an authenticator app; it is in force once a code of it was typed."""
    secret, _ = visit.store.staff.new_totp(visit.member.id)
    visit.request.session["totp"] = secret
    return visit.to("/account#totp")


async def confirm_totp(visit: Visit) -> Response:
    """Put the secret in force."""
    secret = str(visit.request.session.get("totp", ""))
    me = visit.member.id
    changed = await visit.store.staff.confirm_totp(me, secret, visit.field("code"), by=me)
    if not isinstance(changed, Refusal):
        visit.request.session.pop("totp", None)
    return _back(visit, changed, "From now on a code is asked for when you sign in.")


async def drop_totp(visit: Visit) -> Response:
    """Do without a code; asks for the password once more."""
    known = await visit.store.staff.confirm(visit.member.id, visit.field("old", longest=300))
    if isinstance(known, Refusal):
        return _back(visit, known, "")
    changed = await visit.store.staff.drop_totp(visit.member.id, by=visit.member.id)
    return _back(visit, changed, "No code is asked for any more.")


async def end_sessions(visit: Visit) -> Response:
    """Sign out everywhere but here."""
    changed = await visit.store.staff.end_sessions(visit.member.id, by=visit.member.id)
    return _back(visit, changed, "Every other session has ended.")


def _back(visit: Visit, changed: StaffMember | Refusal, done: str) -> Response:
    """To the page; this session goes on in a new epoch."""
    if isinstance(changed, Refusal):
        visit.tell(changed.reason, refused=True)
        return visit.to("/account")
    sessions.begin(visit.request, changed, visit.now)
    visit.tell(done)
    return visit.to("/account")


def _spaced(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
