"""The people on the staff and what each may do; for admins."""

from __future__ import annotations

import secrets
from typing import cast

from starlette.responses import Response

from bot.console.visit import Visit
from bot.core.actions import Refusal
from bot.core.roles import RIGHTS, ROLES, Right, Role
from bot.store.staff import StaffMember

RIGHT_NAMES: dict[Right, str] = {
    "read": "Read cases",
    "work": "Work on cases",
    "reply": "Write to people (where that is on)",
    "settle": "Settle disagreements",
    "export": "Export",
    "export_text": "Export what people wrote",
    "audit": "Read the history",
    "manage": "Manage people",
    "content": "See answers and examples, try messages",
}
Changed = StaffMember | Refusal


async def show(visit: Visit) -> Response:
    """Everybody, and what the roles may do."""
    return await _draw(visit)


async def _draw(visit: Visit, shown_once: str = "") -> Response:
    people = await visit.store.staff.all()
    return await visit.draw(
        "people.html",
        people=sorted(people, key=lambda each: (not each.active, each.id)),
        roles=ROLES,
        rights=RIGHTS,
        right_names=RIGHT_NAMES,
        shown_once=shown_once,
    )


async def add(visit: Visit) -> Response:
    """A new account, with a password that is shown once."""
    staff_id, role = visit.field("id").lower(), _role(visit)
    password = "" if visit.field("without_password") else secrets.token_urlsafe(12)
    added = await visit.store.staff.add(
        staff_id, visit.field("name"), role, password=password, by=visit.member.id
    )
    if password and not isinstance(added, Refusal):
        return await _draw(visit, f"{staff_id} is on the staff. Their password: {password}")
    return _back(visit, added, f"{staff_id} is on the staff.")


async def change(visit: Visit) -> Response:
    """Role, place on the list of those alerted, and how they are known elsewhere."""
    staff, who, me = visit.store.staff, _who(visit), visit.member.id
    known = await staff.find(who)
    if known is None:
        return _back(visit, Refusal("There is no such person on the staff."), "")
    order, telegram = _order(visit.field("duty_order")), visit.field("telegram_id")
    oidc = visit.field("oidc_subject")
    if telegram and not telegram.isdigit():
        return _back(visit, Refusal("The Telegram id is a number."), "")
    changed: Changed = known
    if _role(visit) != known.role:
        changed = await staff.set_role(who, _role(visit), by=me)
    if not isinstance(changed, Refusal) and order != known.duty_order:
        changed = await staff.set_duty(who, order, by=me)
    if not isinstance(changed, Refusal) and (telegram, oidc) != _contact(known):
        changed = await staff.set_contact(who, telegram_id=telegram, oidc_subject=oidc, by=me)
    return _back(visit, changed, f"{who}: kept.")


async def password(visit: Visit) -> Response:
    """A new password for somebody who lost theirs, shown once; their sessions end."""
    fresh = secrets.token_urlsafe(12)
    changed = await visit.store.staff.set_password(_who(visit), fresh, by=visit.member.id)
    if isinstance(changed, Refusal):
        return _back(visit, changed, "")
    return await _draw(visit, f"The new password of {_who(visit)}: {fresh}")


async def active(visit: Visit) -> Response:
    """Keep somebody out from this moment, or let them in again."""
    allowed = visit.field("active") == "yes"
    changed = await visit.store.staff.set_active(_who(visit), allowed, by=visit.member.id)
    said = "may sign in again." if allowed else "is signed out and cannot sign in."
    return _back(visit, changed, f"{_who(visit)} {said}")


async def sessions(visit: Visit) -> Response:
    """Sign somebody out everywhere."""
    changed = await visit.store.staff.end_sessions(_who(visit), by=visit.member.id)
    return _back(visit, changed, f"{_who(visit)} is signed out everywhere.")


async def drop_totp(visit: Visit) -> Response:
    """For somebody who lost their phone."""
    changed = await visit.store.staff.drop_totp(_who(visit), by=visit.member.id)
    return _back(visit, changed, f"{_who(visit)} signs in without a code until they set one up.")


def _who(visit: Visit) -> str:
    return str(visit.request.path_params["who"])


def _role(visit: Visit) -> Role:
    return cast(Role, visit.field("role"))  # the store refuses what is none


def _order(typed: str) -> int | None:
    return int(typed) if typed.isdigit() and len(typed) < 4 else None


def _contact(member: StaffMember) -> tuple[str, str]:
    return member.telegram_id or "", member.oidc_subject or ""


def _back(visit: Visit, changed: Changed, done: str) -> Response:
    if isinstance(changed, Refusal):
        visit.tell(changed.reason, refused=True)
    else:
        visit.tell(done)
    return visit.to("/people")
