"""A bar at the terminal for work that takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """A progress bar that appears with the first piece of work it is told of."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}
    one_at_a_time = Lock()  # two readers may learn at the same time

    def told(what: str, share: float) -> None:
        with one_at_a_time:
            if not tasks:
                bar.start()
                if not bar.console.is_terminal:
                    bar.console.print(
                        "Learning from the examples, once; this takes two to three minutes."
                    )
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=1.0)
        bar.update(tasks[what], completed=share)

    try:
        yield told
    finally:
        bar.stop()
