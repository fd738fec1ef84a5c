"""Accounts of staff: passwords, second factors, duty, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pyotp
import pytest

from bot.core.actions import Refusal
from bot.core.roles import ROLES, may
from bot.store import Store
from bot.store.staff import CODE_NEEDED, WRONG, StaffMember
from tests.escalation_values import Clock

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"


async def add(store: Store, staff_id: str = "ana", role: str = "admin") -> StaffMember:
    added = await store.staff.add(
        staff_id,
        staff_id.title(),
        role,  # type: ignore[arg-type]
        password=PASSWORD,
        by="system",
    )
    assert isinstance(added, StaffMember), added
    return added


def reason(outcome: object) -> str:
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason


async def test_the_first_admin_is_made_once_with_a_password_of_their_own(store: Store) -> None:
    made = await store.staff.add_first_admin()

    assert made is not None
    assert await store.staff.add_first_admin() is None
    member = await store.staff.sign_in(*made)
    assert isinstance(member, StaffMember)
    assert (member.id, member.role) == ("admin", "admin")


async def test_the_right_password_signs_in_and_that_is_in_the_history(store: Store) -> None:
    await add(store)

    assert isinstance(await store.staff.sign_in("ana", PASSWORD), StaffMember)
    assert await store.staff.sign_in("ana", "wrong") == WRONG
    assert await store.staff.sign_in("nobody", PASSWORD) == WRONG
    assert (await store.verify_audit()).events == 2


async def test_an_account_is_locked_for_longer_with_each_failure(
    store: Store, clock: Clock
) -> None:
    await add(store)
    for _ in range(5):
        assert await store.staff.sign_in("ana", "wrong") == WRONG

    assert "Too many" in reason(await store.staff.sign_in("ana", PASSWORD))
    clock.move(timedelta(seconds=31))
    assert await store.staff.sign_in("ana", "wrong") == WRONG
    clock.move(timedelta(seconds=31))
    assert "Too many" in reason(await store.staff.sign_in("ana", PASSWORD))
    clock.move(timedelta(seconds=30))
    assert isinstance(await store.staff.sign_in("ana", PASSWORD), StaffMember)


async def test_a_second_factor_is_asked_for_and_each_code_works_once(
    store: Store, clock: Clock
) -> None:
    await add(store)
    secret, address = store.staff.new_totp("ana")
    assert address.startswith("otpauth://totp/")
    code = pyotp.TOTP(secret)
    assert "not right" in reason(await store.staff.confirm_totp("ana", secret, "1", by="ana"))

    await store.staff.confirm_totp("ana", secret, code.at(clock.now), by="ana")
    clock.move(timedelta(minutes=1))

    assert await store.staff.sign_in("ana", PASSWORD) == CODE_NEEDED
    assert await store.staff.sign_in("ana", PASSWORD, "000000") == WRONG
    now = code.at(clock.now)
    assert isinstance(await store.staff.sign_in("ana", PASSWORD, now), StaffMember)
    assert await store.staff.sign_in("ana", PASSWORD, now) == WRONG
    await store.staff.drop_totp("ana", by="ana")
    assert isinstance(await store.staff.sign_in("ana", PASSWORD), StaffMember)


async def test_of_two_who_use_one_code_at_once_one_gets_in(store: Store, clock: Clock) -> None:
    await add(store)
    secret, _ = store.staff.new_totp("ana")
    await store.staff.confirm_totp("ana", secret, pyotp.TOTP(secret).at(clock.now), by="ana")
    clock.move(timedelta(minutes=1))
    code = pyotp.TOTP(secret).at(clock.now)

    both = await asyncio.gather(*(store.staff.sign_in("ana", PASSWORD, code) for _ in range(2)))

    assert sorted(isinstance(each, StaffMember) for each in both) == [False, True]


async def test_sessions_end_everywhere_when_the_password_changes(store: Store) -> None:
    before = await add(store)
    assert await store.staff.of_session("ana", before.session_epoch) == before

    await store.staff.set_password("ana", "a new long password", by="ana")

    assert await store.staff.of_session("ana", before.session_epoch) is None
    assert await store.staff.sign_in("ana", PASSWORD) == WRONG


async def test_who_left_is_out_at_once(store: Store) -> None:
    await add(store)
    await add(store, "ben", "reviewer")
    await store.staff.set_contact("ben", telegram_id="77", oidc_subject="b", by="ana")
    ben = await store.staff.by_telegram("77")
    assert ben is not None

    await store.staff.set_active("ben", False, by="ana")

    assert await store.staff.sign_in("ben", PASSWORD) == WRONG
    assert await store.staff.of_session("ben", ben.session_epoch) is None
    assert await store.staff.by_telegram("77") is None
    assert await store.staff.by_oidc("b") is None


async def test_the_last_admin_stays(store: Store) -> None:
    await add(store)

    assert "last admin" in reason(await store.staff.set_role("ana", "reviewer", by="ana"))
    assert "last admin" in reason(await store.staff.set_active("ana", False, by="ana"))
    await add(store, "ben")
    assert isinstance(await store.staff.set_role("ana", "reviewer", by="ben"), StaffMember)


async def test_those_on_duty_come_in_their_order(store: Store) -> None:
    for each in ("ana", "ben", "cleo", "dan"):
        await add(store, each)
    await store.staff.set_duty("cleo", 1, by="ana")
    await store.staff.set_duty("ana", 2, by="ana")
    await store.staff.set_duty("ben", 3, by="ana")
    await store.staff.set_active("ben", False, by="ana")

    assert [each.id for each in await store.staff.on_duty()] == ["cleo", "ana"]


async def test_a_telegram_account_is_one_persons(store: Store) -> None:
    await add(store)
    await add(store, "ben")
    await store.staff.set_contact("ana", telegram_id="77", by="ana")

    assert "ana's" in reason(await store.staff.set_contact("ben", telegram_id="77", by="ana"))
    await store.staff.set_contact("ana", telegram_id="", by="ana")
    assert isinstance(await store.staff.set_contact("ben", telegram_id="77", by="ana"), StaffMember)


@pytest.mark.parametrize("staff_id", ["", "a", "Ana", "bot", "system", "a b", "x" * 40, "-ana"])
async def test_a_name_that_would_mislead_is_refused(store: Store, staff_id: str) -> None:
    assert "small letters" in reason(
        await store.staff.add(staff_id, "A", "reviewer", password=PASSWORD, by="system")
    )


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "my-name-is-ana", "x1y2z" * 100])
async def test_a_poor_password_is_refused(store: Store, password: str) -> None:
    assert "password" in reason(
        await store.staff.add("ana", "A", "reviewer", password=password, by="system")
    )


async def test_an_account_without_a_password_cannot_sign_in_with_one(store: Store) -> None:
    await store.staff.add("ana", "Ana", "reviewer", by="system")

    assert await store.staff.sign_in("ana", "") == WRONG


async def test_passwords_and_secrets_are_not_in_the_database(store: Store, clock: Clock) -> None:
    from sqlalchemy import text

    await add(store)
    secret, _ = store.staff.new_totp("ana")
    await store.staff.confirm_totp("ana", secret, pyotp.TOTP(secret).at(clock.now), by="ana")

    async with store._database.reading() as connection:
        rows = str((await connection.execute(text("SELECT * FROM staff"))).all())

    assert "argon2id" in rows
    assert PASSWORD not in rows
    assert secret not in rows


async def test_a_password_costs_who_guesses_it_what_is_recommended(
    strong_passwords: None, store: Store
) -> None:
    """RFC 9106, section 4: the second recommended option is 64 MiB, three passes, four lanes."""
    from sqlalchemy import text

    await add(store)

    async with store._database.reading() as connection:
        stored = str((await connection.execute(text("SELECT password_hash FROM staff"))).scalar())

    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert isinstance(await store.staff.sign_in("ana", PASSWORD), StaffMember)


async def test_a_change_of_somebody_unknown_is_refused(store: Store) -> None:
    assert "no such person" in reason(await store.staff.set_duty("x", 1, by="ana"))


RIGHTS_OF = {
    "read": "reviewer lead admin",
    "work": "reviewer lead admin",
    "settle": "lead admin",
    "export_text": "lead admin",
    "manage": "admin",
    "content": "reviewer lead admin editor",
}


@pytest.mark.parametrize(("right", "roles"), RIGHTS_OF.items())
def test_a_right_belongs_to_these_roles(right: str, roles: str) -> None:
    assert " ".join(role for role in ROLES if may(role, right)) == roles  # type: ignore[arg-type]
