"""`baclofen-bot staff`: accounts, roles and duty, in a terminal."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

import segno
import typer

from bot.core.actions import Refusal
from bot.store import Store
from bot.store.staff import OPERATOR, StaffMember
from bot.tools.desk import OpenStore, Who, as_somebody, console, granted, say, with_store
from bot.tools.rows import draw_rows

Id = Annotated[str, typer.Argument(help="The name they sign in with.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the input.")
]
Changed = Callable[[Store], Awaitable[StaffMember | Refusal]]


class RoleName(StrEnum):
    """The roles."""

    reviewer = "reviewer"
    lead = "lead"
    admin = "admin"
    editor = "editor"


def staff_app(open_store: OpenStore, make_store: OpenStore | None = None) -> typer.Typer:
    """The commands, over the store that `open_store` opens; `make_store` makes it where an
    account is added before there is one.
    """
    app = typer.Typer(
        name="staff", help="Accounts of staff: add, change, put on duty.", no_args_is_help=True
    )
    _list_command(app, open_store)
    _add_command(app, make_store or open_store)
    for command in (_account_commands, _sign_in_commands, _duty_commands):
        command(app, open_store)
    return app


def _list_command(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command("list")
    def list_() -> None:
        """Everybody, with role and duty."""

        async def show(store: Store) -> None:
            names = ("name", "is", "role", "duty", "telegram", "signs in with", "active")
            rows = []
            for each in await store.staff.all():
                duty = "" if each.duty_order is None else str(each.duty_order)
                factors = ("password", each.has_password), ("code", each.has_totp)
                ways = " ".join(name for name, has in factors if has)
                cells = (each.id, each.name, each.role, duty, each.telegram_id or "", ways)
                rows.append((*cells, "yes" if each.active else "no"))
            draw_rows(console(), names, rows, flowing=("is", "signs in with"))

        with_store(open_store, show)


def _add_command(app: typer.Typer, make_store: OpenStore) -> None:
    @app.command()
    def add(
        staff_id: Id,
        role: Annotated[RoleName, typer.Argument(help="What they may do.")],
        name: Annotated[str, typer.Option(help="How they are called.")] = "",
        password_stdin: FromInput = False,
        who: Who = OPERATOR,
    ) -> None:
        """A new account. Without --password-stdin a password is made and shown once."""
        password, made = _password(password_stdin)
        _changed(
            make_store,
            who,
            lambda store: store.staff.add(staff_id, name, role.value, password=password, by=who),
        )
        if made:
            say(f"Password, shown only now: {made}")


def _account_commands(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def role(
        staff_id: Id,
        role: Annotated[RoleName, typer.Argument(help="What they may do.")],
        who: Who = OPERATOR,
    ) -> None:
        """Another role."""
        _changed(open_store, who, lambda store: store.staff.set_role(staff_id, role.value, by=who))

    @app.command()
    def off(staff_id: Id, who: Who = OPERATOR) -> None:
        """Keep somebody out from this moment on."""
        _changed(open_store, who, lambda store: store.staff.set_active(staff_id, False, by=who))

    @app.command()
    def on(staff_id: Id, who: Who = OPERATOR) -> None:
        """Let somebody in again."""
        _changed(open_store, who, lambda store: store.staff.set_active(staff_id, True, by=who))


def _sign_in_commands(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def password(staff_id: Id, password_stdin: FromInput = False, who: Who = OPERATOR) -> None:
        """A new password; every session of theirs ends."""
        chosen, made = _password(password_stdin)
        _changed(open_store, who, lambda store: store.staff.set_password(staff_id, chosen, by=who))
        if made:
            say(f"Password, shown only now: {made}")

    @app.command()
    def totp(
        staff_id: Id,
        drop: Annotated[bool, typer.Option("--off", help="Do without a code.")] = False,
        who: Who = OPERATOR,
    ) -> None:
        """Ask for the code of an authenticator app at sign-in."""

        async def change(store: Store) -> StaffMember | Refusal:
            if drop:
                return await store.staff.drop_totp(staff_id, by=who)
            secret, address = store.staff.new_totp(staff_id)
            say(f"Secret for the app: {secret}\nOr scan this ({address}):")
            segno.make(address, error="m", micro=False).terminal(compact=True)
            code = typer.prompt("Code that the app shows")
            return await store.staff.confirm_totp(staff_id, secret, code, by=who)

        _changed(open_store, who, change)

    @app.command("sign-out")
    def sign_out(staff_id: Id, who: Who = OPERATOR) -> None:
        """End every session of theirs."""
        _changed(open_store, who, lambda store: store.staff.end_sessions(staff_id, by=who))


def _duty_commands(app: typer.Typer, open_store: OpenStore) -> None:
    @app.command()
    def duty(
        staff_id: Id,
        order: Annotated[
            int | None, typer.Argument(min=1, max=99, help="Their place; none takes them off.")
        ] = None,
        who: Who = OPERATOR,
    ) -> None:
        """Put somebody on the list of those alerted, the lowest number first."""
        _changed(open_store, who, lambda store: store.staff.set_duty(staff_id, order, by=who))

    @app.command()
    def telegram(
        staff_id: Id,
        user_id: Annotated[str, typer.Argument(help="Their Telegram user id; '' takes it away.")],
        who: Who = OPERATOR,
    ) -> None:
        """Let somebody use the buttons of the staff chat."""
        _changed(
            open_store,
            who,
            lambda store: store.staff.set_contact(staff_id, telegram_id=user_id, by=who),
        )


def _changed(open_store: OpenStore, who: str, change: Changed) -> None:
    member = granted(as_somebody(open_store, who, "manage", change))
    state = "active" if member.active else "kept out"
    duty = "" if member.duty_order is None else f", on duty as number {member.duty_order}"
    say(f"{member.id}: {member.role}, {state}{duty}.")


def _password(from_input: bool) -> tuple[str, str]:
    """The password, and again when it was made here and must be shown."""
    if from_input:
        return sys.stdin.readline().rstrip("\n"), ""
    made = secrets.token_urlsafe(12)
    return made, made
