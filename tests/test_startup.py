"""What stands in the way of a start is told by the setting to change, before anything is made."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.errors import SettingsError
from bot.running import serve
from bot.settings import Settings, read_settings
from bot.startup import take_place

ROOT = Path(__file__).parents[1]


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, **{"var_dir": folder / "var", "web_port": 0, **given})


def test_a_taken_port_is_told_by_its_setting_before_anything_is_made(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        given = settings(tmp_path, web_port=port)

        def unasked() -> Any:
            raise AssertionError("nothing is learned for a bot that cannot start")

        with pytest.raises(SettingsError) as told:
            asyncio.run(serve(given, content=unasked, say=lambda _: None))

    assert f"WEB_PORT: port {port} on 127.0.0.1 is taken by another program" in str(told.value)
    assert "set WEB_PORT to another port" in str(told.value)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid"])
def test_an_address_that_is_not_this_machines_is_told(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    if not host[0].isdigit():
        monkeypatch.setattr(socket, "getaddrinfo", unknown)  # no test asks a name server

    with pytest.raises(SettingsError, match=f"WEB_HOST: the web chat cannot listen on '{host}'"):
        take_place(settings(tmp_path, web_host=host))


def test_a_free_port_is_held_from_the_beginning(tmp_path: Path) -> None:
    with take_place(settings(tmp_path)) as place:
        port = place.getsockname()[1]

        with pytest.raises(SettingsError, match=f"port {port} on 127.0.0.1 is taken"):
            take_place(settings(tmp_path, web_port=port))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BOT_TOKEN", "my token", "BOT_TOKEN is a secret value: a token looks like 123456789:"),
        ("BOT_TOKEN", "bot123:abc", "copy all of it from @BotFather"),
        ("STAFFED_ZONE", "Europe/Nowhere", "STAFFED_ZONE is 'Europe/Nowhere': write a zone"),
        ("STAFFED_ZONE", "../etc", "write a zone like Europe/London"),
        ("CONTENT_DIR", "/", "CONTENT_DIR is '/': there is no folder intents and no folder resp"),
        ("WEB_PORT", "80808", "WEB_PORT is '80808'"),
        ("DATABASE_URL", "mysql://me:hush@host/db", "DATABASE_URL is a secret value: write sqlite"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name_and_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as error:
        read_settings()

    assert told in str(error.value)
    for secret in ("my token", "bot123", "hush"):
        assert secret not in str(error.value)


def test_an_env_file_that_is_no_text_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(b"BOT_TOKEN=caf\xe9\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError, match=r"\.env cannot be read: it is not UTF-8"):
        read_settings()


# Stands for make: it starts the command beside itself and ends with what that gave.
MAKE = """
import fcntl, os, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.environ["MAKELEVEL"] = "1"
sys.exit(subprocess.call([sys.executable, "-c", sys.argv[1]]))
"""
BOT = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run aside
from bot.startup import alone_at_the_terminal
with alone_at_the_terminal():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("Stopped.", flush=True)
"""


def test_ctrl_c_under_make_reaches_the_bot_alone_and_all_ends_well() -> None:
    terminal, inside = pty.openpty()
    make = subprocess.Popen(
        [sys.executable, "-c", MAKE, BOT],
        cwd=ROOT,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    shown = b""
    end = time.monotonic() + 30
    while time.monotonic() < end and b"Stopped." not in shown:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096)
        if b"ready" in shown and b"^C" not in shown:
            os.write(terminal, b"\x03")
            time.sleep(0.2)

    status = make.wait(timeout=30)
    os.close(terminal)

    assert b"Stopped." in shown
    assert b"Traceback" not in shown
    assert status == 0


def test_ctrl_c_without_a_terminal_ends_it_as_well() -> None:
    bot = subprocess.Popen([sys.executable, "-c", BOT], cwd=ROOT, stdout=subprocess.PIPE)
    assert bot.stdout is not None
    assert bot.stdout.readline() == b"ready\n"

    bot.send_signal(signal.SIGINT)

    assert bot.communicate(timeout=30)[0] == b"Stopped.\n"
    assert bot.returncode == 0
