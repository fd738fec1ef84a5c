"""Every error that the bot raises itself.

BotError
├── SettingsError      one or more settings are wrong
├── ContentError       intents/ or responses/ failed their checks
├── ModelError         the embedding model cannot be used: it is missing
│   └── ModelAltered   it is there, and not the one that was pinned
├── StoreError         the store could not do what it was asked
│   ├── StoreAway      locked, full, slow or unreachable: try again, spool meanwhile
│   ├── StoreMissing   nothing was ever kept where we looked
│   ├── StoreNewer     the database was written by a newer version of the bot
│   └── KeyMissing     a text was encrypted with a key that we do not have
└── ChannelError       a channel could not start or deliver
"""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb


class BotError(Exception):
    """Base of all errors that name what is wrong, where, and how to mend it."""


class SettingsError(BotError):
    """One or more settings are wrong; the message lists all of them."""


class ContentError(BotError):
    """The content failed its checks; `problems` has each with its place."""

    def __init__(self, problems: tuple[object, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class ModelError(BotError):
    """The embedding model cannot be used."""


class ModelAltered(ModelError):
    """The embedding model is there, and is not the file that was pinned, or none at all."""


class StoreError(BotError):
    """The store could not do what it was asked."""


class StoreAway(StoreError):
    """The store is locked, full, slow or unreachable."""


class StoreMissing(StoreError):
    """There is no store yet where one was looked for, and none was to be made."""


class StoreNewer(StoreError):
    """The database was written by a newer version of the bot."""


class KeyMissing(StoreError):
    """A text was encrypted with a key that is not in the key file."""


class ChannelError(BotError):
    """A channel could not start or deliver."""


def whereabouts(error: BaseException) -> str:
    """The type of an error and the line it came from, fit for a log.

    Its message is left out: it may quote what a person wrote, or a token.
    """
    frames = extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
