"""What must be so before anything is opened: a free port.

Also how `make run` is left by Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bot.errors import SettingsError
from bot.settings import Settings

BACKLOG = 2048  # connections that may wait to be taken, as with uvicorn


def take_place(settings: Settings) -> socket.socket:
    """The port of the web chat, held, so that nobody else takes it while the bot starts.

    Whoever connects meanwhile waits until it has started.

    A folder that cannot be written to is no reason to stop: people are answered without it.
    Raises SettingsError; nothing was made then.
    """
    try:
        return _bound(settings.web_host, settings.web_port)
    except OSError as error:
        raise SettingsError(port_fault(settings, error)) from error


def port_fault(settings: Settings, error: OSError) -> str:
    """Why the web chat cannot listen, and which setting to change."""
    host, port = settings.web_host, settings.web_port
    if error.errno == errno.EADDRINUSE:
        return (
            f"WEB_PORT: port {port} on {host} is taken by another program, perhaps by a bot that "
            f"runs already. Stop that program, or set WEB_PORT to another port, such as "
            f"{port + 1 if port < 65535 else 8080}; 0 takes any free one."
        )
    if error.errno == errno.EACCES:
        return f"WEB_PORT: this user may not listen on port {port}. Set WEB_PORT to 1024 or more."
    reason = error.strerror or type(error).__name__
    return (
        f"WEB_HOST: the web chat cannot listen on {host!r} ({reason}). Set WEB_HOST to an address "
        "of this machine: 127.0.0.1, or 0.0.0.0 for all."
    )


def _bound(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    place = socket.socket(family, kind)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
        place.listen(BACKLOG)  # at once: where nobody listens yet, a second bot could bind too
    except BaseException:
        place.close()
        raise
    return place


@contextmanager
def alone_at_the_terminal() -> Iterator[None]:
    """Under make at a terminal, let Ctrl-C reach this process and not make.

    Else make is killed by it as well, and ends with an error after the bot has ended well.
    """
    mine, before = os.getpgrp(), None
    if "MAKELEVEL" in os.environ and sys.stdin is not None and sys.stdin.isatty():
        with suppress(OSError):  # no such terminal, or we are in the background: as it was
            if os.tcgetpgrp(0) == mine:
                before = mine
                os.setpgid(0, 0)
                _to_front(os.getpgrp())
    try:
        yield
    finally:
        if before is not None:
            with suppress(OSError):
                _to_front(before)
                os.setpgid(0, before)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end work in the event loop that the loop itself would wait for.

    A step of training that runs in another thread is finished first.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    known = signal.signal(signal.SIGINT, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, known)


def _stop(_signal: int, _frame: object) -> None:
    sys.stderr.write("\nStopping; this may take some seconds.\n")
    raise KeyboardInterrupt


def _to_front(group: int) -> None:
    """Make `group` the one that Ctrl-C goes to."""
    known = signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # else asking for it stops us
    try:
        os.tcsetpgrp(0, group)
    finally:
        signal.signal(signal.SIGTTOU, known)
