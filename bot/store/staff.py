"""Accounts of those who read and answer for cases: passwords, second factors, duty."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyotp
from pwdlib import PasswordHash
from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.actions import Refusal
from bot.core.escalation import BOT, SYSTEM, Event
from bot.core.roles import ROLES, Role
from bot.store import audit
from bot.store.audit import Writing
from bot.store.codec import AnyRow, short
from bot.store.engine import Database
from bot.store.keys import Keys
from bot.store.schema import staff

ISSUER = "Baclofen bot"
OPERATOR = "operator"  # whoever may run the commands on this machine, without an account
PASSWORD_MIN = 10  # characters
PASSWORD_MAX = 200
FREE_FAILURES = 4  # wrong passwords before an account is locked for a while
LOCK = timedelta(seconds=30)  # the first lock; each further failure doubles it
LOCK_MAX = timedelta(hours=1)
LOCKED = Refusal("Too many attempts; try again later.")
WRONG = Refusal("That name, password or code is not right.")
CODE_NEEDED = Refusal("Enter the code of your authenticator app.")
NOBODY = Refusal("There is no such person on the staff.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Somebody on the staff. `id` is the name they sign in with, and what cases name.

    `session_epoch` grows when every session of theirs is to end. `duty_order` is their place
    on the list of those alerted, None when they are not on it.
    """

    id: str
    name: str
    role: Role
    active: bool
    session_epoch: int
    has_password: bool
    has_totp: bool
    telegram_id: str | None
    oidc_subject: str | None
    duty_order: int | None
    created_at: datetime


class Staff:
    """The accounts. Every change is in the history, with who made it."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        writing: Callable[[str], AbstractAsyncContextManager[Writing]],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._keys = keys
        self._writing = writing
        self._now = now
        self._hasher = PasswordHash.recommended()

    # ---- reading ---------------------------------------------------------------

    async def all(self) -> tuple[StaffMember, ...]:
        """Everybody, by name; those who left too."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(staff).order_by(staff.c.id))
            return tuple(map(_member, rows))

    async def find(self, staff_id: str) -> StaffMember | None:
        """The person of this id, active or not."""
        return await self._one(staff.c.id == staff_id)

    async def by_telegram(self, telegram_id: str) -> StaffMember | None:
        """The active person with this Telegram user id: ask at every button press."""
        return await self._one(staff.c.telegram_id == telegram_id, staff.c.active.is_(True))

    async def by_oidc(self, subject: str) -> StaffMember | None:
        """The active person that the identity provider calls `subject`."""
        return await self._one(staff.c.oidc_subject == subject, staff.c.active.is_(True))

    async def of_session(self, staff_id: str, epoch: int) -> StaffMember | None:
        """The person of a session, or None when the session has ended."""
        return await self._one(
            staff.c.id == staff_id, staff.c.session_epoch == epoch, staff.c.active.is_(True)
        )

    async def on_duty(self) -> tuple[StaffMember, ...]:
        """Those who are alerted, the first first."""
        listed = select(staff).where(staff.c.active.is_(True), staff.c.duty_order.is_not(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(listed.order_by(staff.c.duty_order, staff.c.id))
            return tuple(map(_member, rows))

    # ---- changing --------------------------------------------------------------

    async def add_first_admin(self) -> tuple[str, str] | None:
        """In a store without staff, an admin: the name and the password, to be shown once."""
        if await self.all():
            return None
        password = secrets.token_urlsafe(12)
        added = await self.add("admin", "Admin", "admin", password=password, by=SYSTEM)
        return None if isinstance(added, Refusal) else ("admin", password)

    async def add(
        self, staff_id: str, name: str, role: Role, *, password: str = "", by: str
    ) -> StaffMember | Refusal:
        """A new account. Without a password it signs in by Telegram or OIDC only."""
        problem = _id_problem(staff_id) or _role_problem(role)
        if not problem and password:
            problem = password_problem(password, staff_id)
        if problem:
            return Refusal(problem)
        row = {
            "id": staff_id,
            "name": short(name, 80) or staff_id,
            "role": role,
            "password_hash": await self._hash(password),
        }
        async with self._writing("") as writing:
            if await _row(writing.connection, staff.c.id == staff_id) is not None:
                return Refusal(f"{staff_id} is on the staff already.")
            fixed = {"active": True, "session_epoch": 1, "failures": 0}
            await writing.connection.execute(
                insert(staff).values(created_at=writing.now, **fixed, **row)
            )
            await _log(writing, by, staff_id, {"role": role})
            return await _reread(writing, staff_id)

    async def set_password(self, staff_id: str, password: str, *, by: str) -> StaffMember | Refusal:
        """A new password; every session of theirs ends."""
        problem = password_problem(password, staff_id)
        if problem:
            return Refusal(problem)
        hashed = await self._hash(password)
        values = {"password_hash": hashed, "failures": 0, "locked_until": None}
        return await self._change(staff_id, values, by, {"password": "changed"}, ends=True)

    async def set_role(self, staff_id: str, role: Role, *, by: str) -> StaffMember | Refusal:
        """Another role. The last admin keeps theirs."""
        problem = _role_problem(role)
        if problem:
            return Refusal(problem)
        return await self._change(staff_id, {"role": role}, by, {"role": role}, ends=True)

    async def set_active(self, staff_id: str, active: bool, *, by: str) -> StaffMember | Refusal:
        """Let somebody in again, or keep them out from this moment. The last admin stays."""
        return await self._change(staff_id, {"active": active}, by, {"active": active}, ends=True)

    async def set_contact(
        self,
        staff_id: str,
        *,
        telegram_id: str | None = None,
        oidc_subject: str | None = None,
        by: str,
    ) -> StaffMember | Refusal:
        """How they are known elsewhere; what is None stays and "" is taken away."""
        given = {"telegram_id": telegram_id, "oidc_subject": oidc_subject}
        values = {name: value or None for name, value in given.items() if value is not None}
        for name, value in values.items():
            holder = await self._one(staff.c[name] == value) if value else None
            if holder is not None and holder.id != staff_id:
                return Refusal(f"That {name} is {holder.id}'s already.")
        return await self._change(staff_id, values, by, {"contact": sorted(values)})

    async def set_duty(self, staff_id: str, order: int | None, *, by: str) -> StaffMember | Refusal:
        """Their place on the list of those alerted, the lowest first; None takes them off."""
        return await self._change(staff_id, {"duty_order": order}, by, {"duty_order": order})

    async def end_sessions(self, staff_id: str, *, by: str) -> StaffMember | Refusal:
        """Sign somebody out everywhere."""
        return await self._change(staff_id, {}, by, {"sessions": "ended"}, ends=True)

    # ---- the second factor -----------------------------------------------------

    def new_totp(self, staff_id: str) -> tuple[str, str]:
        """A fresh secret and the address for an authenticator app; not yet in force."""
        secret = pyotp.random_base32()
        return secret, self.totp_address(staff_id, secret)

    def totp_address(self, staff_id: str, secret: str) -> str:
        """What an authenticator app reads: the secret, and what it is for."""
        return pyotp.TOTP(secret).provisioning_uri(name=staff_id, issuer_name=ISSUER)

    async def confirm_totp(
        self, staff_id: str, secret: str, code: str, *, by: str
    ) -> StaffMember | Refusal:
        """Put a secret in force, once its owner has shown a code of it."""
        step = self._totp_step(secret, code)
        if step is None:
            return Refusal("That code is not right; look at the clock of the phone.")
        values = {"totp_sealed": self._keys.encrypt(secret), "totp_last": step}
        return await self._change(staff_id, values, by, {"totp": "on"}, ends=True)

    async def drop_totp(self, staff_id: str, *, by: str) -> StaffMember | Refusal:
        """Do without a code from now on."""
        values = {"totp_sealed": None, "totp_last": None}
        return await self._change(staff_id, values, by, {"totp": "off"}, ends=True)

    # ---- signing in ------------------------------------------------------------

    async def sign_in(
        self, staff_id: str, password: str, code: str = "", *, channel: str = "console"
    ) -> StaffMember | Refusal:
        """The person, when password and code are right; otherwise the reason to show.

        Somebody unknown takes as long as somebody known. After a few failures an account is
        locked for a while, longer each time; the right password does not open it sooner.
        """
        row = await self._vouched(staff_id, password)
        if isinstance(row, Refusal):
            return row
        step = None
        if row.totp_sealed is not None:
            if not code:
                return CODE_NEEDED
            step = self._totp_step(self._keys.decrypt(row.totp_sealed), code)
            if step is None or step <= (row.totp_last or 0):
                return await self._failed(row)
        return await self._succeeded(staff_id, step, channel)

    async def confirm(self, staff_id: str, password: str) -> StaffMember | Refusal:
        """The person, when the password is theirs; asked once more before they change it."""
        row = await self._vouched(staff_id, password)
        return row if isinstance(row, Refusal) else _member(row)

    async def signed_in(self, staff_id: str, *, channel: str) -> None:
        """Note a sign-in that an identity provider or Telegram vouched for."""
        async with self._writing(channel) as writing:
            await audit.append(writing, (Event("signed_in"),), actor=staff_id)

    async def _vouched(self, staff_id: str, password: str) -> AnyRow | Refusal:
        password = password[:PASSWORD_MAX]
        async with self._database.reading() as connection:
            row = await _row(connection, staff.c.id == staff_id)
        if row is not None and row.locked_until is not None and row.locked_until > self._now():
            return LOCKED
        right = await self._verify(password, row.password_hash if row is not None else "")
        return row if row is not None and right and row.active else await self._failed(row)

    async def _succeeded(
        self, staff_id: str, step: int | None, channel: str
    ) -> StaffMember | Refusal:
        values: dict[str, Any] = {"failures": 0, "locked_until": None}
        if step is not None:
            values["totp_last"] = step
        async with self._writing(channel) as writing:
            fresh = (staff.c.totp_last.is_(None)) | (staff.c.totp_last < (step or 1 << 30))
            done = await writing.connection.execute(
                update(staff).where(staff.c.id == staff_id, fresh).values(**values)
            )
            if done.rowcount != 1:  # the same code at the same time, twice
                return WRONG
            await audit.append(writing, (Event("signed_in"),), actor=staff_id)
            return await _reread(writing, staff_id)

    async def _failed(self, row: AnyRow | None) -> Refusal:
        if row is None:
            return WRONG
        async with self._writing("") as writing:
            now = await _row(writing.connection, staff.c.id == row.id)
            failures = (now.failures if now is not None else 0) + 1
            values: dict[str, Any] = {"failures": failures}
            if failures > FREE_FAILURES:
                lock = LOCK * 2 ** min(failures - FREE_FAILURES - 1, 10)
                values["locked_until"] = writing.now + min(lock, LOCK_MAX)
            await writing.connection.execute(
                update(staff).where(staff.c.id == row.id).values(**values)
            )
        return WRONG

    def _totp_step(self, secret: str, code: str) -> int | None:
        """The half-minute that `code` belongs to, one before or after now allowed."""
        totp, now = pyotp.TOTP(secret), int(self._now().timestamp())
        typed = code.replace(" ", "")
        for drift in (0, -1, 1):
            at = now + drift * totp.interval
            if secrets.compare_digest(totp.at(at).encode(), typed.encode()):
                return at // totp.interval
        return None

    async def _hash(self, password: str) -> str:
        return await asyncio.to_thread(self._hasher.hash, password) if password else ""

    async def _verify(self, password: str, hashed: str) -> bool:
        if not hashed:
            await asyncio.to_thread(self._hasher.hash, password)
            return False
        return await asyncio.to_thread(self._hasher.verify, password, hashed)

    async def _one(self, *wanted: ColumnElement[bool]) -> StaffMember | None:
        async with self._database.reading() as connection:
            row = await _row(connection, *wanted)
            return None if row is None else _member(row)

    async def _change(
        self,
        staff_id: str,
        values: dict[str, Any],
        by: str,
        told: dict[str, Any],
        *,
        ends: bool = False,
    ) -> StaffMember | Refusal:
        async with self._writing("") as writing:
            row = await _row(writing.connection, staff.c.id == staff_id)
            if row is None:
                return NOBODY
            if await _is_last_admin(writing.connection, row) and _unseats(values):
                return Refusal(f"{staff_id} is the last admin; make another one first.")
            epoch = row.session_epoch + ends
            await writing.connection.execute(
                update(staff).where(staff.c.id == staff_id).values(session_epoch=epoch, **values)
            )
            await _log(writing, by, staff_id, told)
            return await _reread(writing, staff_id)


def password_problem(password: str, staff_id: str) -> str:
    """What is wrong with a new password, in a sentence, or ""."""
    if len(password) < PASSWORD_MIN:
        return f"The password is short; take {PASSWORD_MIN} characters or more."
    if len(password) > PASSWORD_MAX:
        return f"The password is long; take {PASSWORD_MAX} characters or fewer."
    if len(set(password)) < 5 or staff_id in password.lower():
        return "The password is easy to guess; take another."
    return ""


def _id_problem(staff_id: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,31}", staff_id) or staff_id in (BOT, SYSTEM, OPERATOR):
        return "Take a name of 2 to 32 small letters, digits, dots or hyphens."
    return ""


def _role_problem(role: str) -> str:
    return "" if role in ROLES else f"There is no role {role}; there are {', '.join(ROLES)}."


def _unseats(values: dict[str, Any]) -> bool:
    return values.get("active") is False or values.get("role", "admin") != "admin"


async def _is_last_admin(connection: AsyncConnection, row: AnyRow) -> bool:
    admins = select(func.count()).where(staff.c.role == "admin", staff.c.active.is_(True))
    count: int = (await connection.execute(admins)).scalar_one()
    return bool(row.role == "admin" and row.active and count == 1)


async def _row(connection: AsyncConnection, *wanted: ColumnElement[bool]) -> AnyRow | None:
    return (await connection.execute(select(staff).where(*wanted))).first()


async def _reread(writing: Writing, staff_id: str) -> StaffMember | Refusal:
    row = await _row(writing.connection, staff.c.id == staff_id)
    return NOBODY if row is None else _member(row)


async def _log(writing: Writing, by: str, staff_id: str, told: dict[str, Any]) -> None:
    event = Event("settings_changed", {}, {"staff": staff_id, **told})
    await audit.append(writing, (event,), actor=by)


def _member(row: AnyRow) -> StaffMember:
    return StaffMember(
        id=row.id,
        name=row.name,
        role=row.role,
        active=row.active,
        session_epoch=row.session_epoch,
        has_password=bool(row.password_hash),
        has_totp=row.totp_sealed is not None,
        telegram_id=row.telegram_id,
        oidc_subject=row.oidc_subject,
        duty_order=row.duty_order,
        created_at=row.created_at,
    )
