"""Where records wait while the store is away: an encrypted file that is only added to.

Each line is one token, written and synced before `keep` returns. What is read back goes to
the store in its order, and stays in a second file until the store has it; the store takes
each entry once, so that a crash in between repeats nothing.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.core.escalation import Case, Entry
from bot.core.exchange import Exchange
from bot.core.plain import dumps, from_plain
from bot.errors import KeyMissing, StoreAway, StoreError
from bot.store.keys import Keys
from bot.store.privacy import Until
from bot.store.store import Store

MODE = 0o600


@dataclass(frozen=True, slots=True)
class Drained:
    """What came of reading the spool back.

    `left` wait for the next time, and so do the `unreadable`, whose key is not there. `torn`
    lines were cut off by a crash or a full disk before they were kept; they are dropped.
    """

    recorded: int = 0
    left: int = 0
    unreadable: int = 0
    torn: int = 0


class Spool:
    """The spool in the folder `var`. Several processes may share it."""

    def __init__(self, var: Path, keys: Keys) -> None:
        self._keys = keys
        self._waiting = var / "spool"
        self._draining = var / "spool.draining"
        self._locks = var
        self._unwritten: list[str] = []
        self._memory = threading.Lock()  # over what is in memory only

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        files = (self._waiting, self._draining)
        return not self._unwritten and not any(map(_has_content, files))

    @property
    def size(self) -> int:
        """How many bytes wait."""
        files = (self._waiting, self._draining)
        in_memory = sum(map(len, self._unwritten))
        return in_memory + sum(file.stat().st_size for file in files if _has_content(file))

    async def record(
        self, store: Store | None, entry: Entry, *, within_s: float = 5
    ) -> Case | None:
        """Hand `entry` to the store; keep it here when that fails. None: it waits here.

        Never raises for a store that is away, slow, full or broken.
        """
        if store is not None:
            try:
                async with asyncio.timeout(within_s):
                    return await store.record(entry)
            except (StoreError, TimeoutError):
                pass
            except BaseException:  # a fault of ours, or the end: the record comes first
                await self.keep(entry)
                raise
        await self.keep(entry)
        return None

    async def keep(self, entry: Entry) -> bool:
        """Keep `entry` until the store is back.

        False when not even the file can be written: the entry is then in memory only, and is
        tried again with the next one.
        """
        return await asyncio.to_thread(self._keep, {"entry": json.loads(dumps(entry))})

    async def keep_said(self, said: Exchange) -> bool:
        """Keep what was said around an alarm that may wait here too; as `keep`.

        The store drops it when its person has no open case then.
        """
        return await asyncio.to_thread(self._keep, {"said": json.loads(dumps(said))})

    async def keep_forget(
        self, chat: str, asked_at: datetime, noted_at: datetime | None = None
    ) -> bool:
        """Remember that the person in `chat` is to be forgotten, as known at that time.

        It is done after what waits before; what begins afterwards stays. `asked_at` is by the
        clock of the chat's messages; `noted_at` is the same by ours, where that is another.
        """
        line: dict[str, object] = {
            "forget": chat,
            "until": asked_at.isoformat(),
            "noted": (noted_at or asked_at).isoformat(),
        }
        return await asyncio.to_thread(self._keep, line)

    async def drain(self, store: Store) -> Drained:
        """Hand everything that waits to the store, in order, until the store is away.

        Leaves the files alone while another process does the same. Where they cannot be
        written, what is in memory goes over from there.
        """
        try:
            done = await self._drain_files(store)
        except OSError:
            if not self._unwritten:
                raise
            done = Drained()
        if not self._unwritten or done.left:
            return done
        lines = self._unwritten[:]
        more, left = await self._hand_over_all(store, lines)
        await asyncio.to_thread(self._drop_from_memory, set(lines) - set(left))
        return replace(
            more,
            recorded=done.recorded + more.recorded,
            unreadable=done.unreadable + more.unreadable,
            torn=done.torn,
        )

    async def _drain_files(self, store: Store) -> Drained:
        with self._locked("drain", wait=False) as is_ours:
            if not is_ours:
                return Drained()
            lines, torn = await asyncio.to_thread(self._take)
            done, left = await self._hand_over_all(store, lines)
            if done.recorded or torn:
                await asyncio.to_thread(self._put_back, left)
            return replace(done, torn=torn)

    async def _hand_over_all(self, store: Store, lines: list[str]) -> tuple[Drained, list[str]]:
        recorded, unreadable = 0, 0
        left: list[str] = []
        for place, line in enumerate(lines):
            try:
                await self._hand_over(store, line)
                recorded += 1
            except StoreAway:
                left.extend(lines[place:])
                break
            except StoreError as error:
                unreadable += isinstance(error, KeyMissing)
                left.append(line)
        return Drained(recorded, len(left) - unreadable, unreadable), left

    async def _hand_over(self, store: Store, line: str) -> None:
        data = json.loads(self._keys.decrypt(line.partition(" ")[0]))
        if "forget" in data:
            await store.forget(data["forget"], _until(data))
            return
        try:
            said = from_plain(Exchange, data["said"]) if "said" in data else None
            entry = None if said else from_plain(Entry, data["entry"])
        except (KeyError, ValueError) as error:
            raise StoreError("A line of the spool is from another version of the bot.") from error
        if said:
            await store.exchanges.keep(said)
        if entry:
            await store.record(entry)

    def _keep(self, data: dict[str, object]) -> bool:
        self._unwritten.append(_line(self._keys.encrypt(json.dumps(data))))
        try:
            with self._locked("file"):
                self._write_unwritten()
        except OSError:
            return False
        return True

    def _write_unwritten(self) -> None:
        with self._memory:
            lines = self._unwritten[:]
            if not lines:
                return
            # A line that was cut off by a crash is closed first, so that it spoils no other.
            start = "" if _ends_well(self._waiting) else "\n"
            _append(self._waiting, start + "".join(f"{line}\n" for line in lines))
            del self._unwritten[: len(lines)]

    def _drop_from_memory(self, done: set[str]) -> None:
        with self._memory:
            self._unwritten[:] = [line for line in self._unwritten if line not in done]

    def _take(self) -> tuple[list[str], int]:
        """Every line that waits, those of an unfinished draining first; and how many are torn."""
        with self._locked("file"):
            # What is in memory may still find no room; what is in the file can be read anyway.
            with suppress(OSError):
                self._write_unwritten()
            if _has_content(self._waiting):
                start = "" if _ends_well(self._draining) else "\n"
                _append(self._draining, start + "\n".join(_read_lines(self._waiting)) + "\n")
                self._waiting.unlink()
            lines = _read_lines(self._draining)
        whole = [line for line in lines if line == _line(line.partition(" ")[0])]
        return whole, len(lines) - len(whole)

    def _put_back(self, left: list[str]) -> None:
        if not left:
            self._draining.unlink(missing_ok=True)
            return
        new = self._draining.with_suffix(".new")
        new.unlink(missing_ok=True)
        _append(new, "".join(f"{line}\n" for line in left))
        os.replace(new, self._draining)

    @contextmanager
    def _locked(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold a lock between processes and threads; False when it is taken and not waited for."""
        path = self._locks / f"spool.{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True


def _until(data: Mapping[str, str]) -> Until | None:
    """When a kept wish to be forgotten was said; lines of older versions have one time or none."""
    told = data.get("until")
    if not told:
        return None
    noted = data.get("noted", told)
    return Until(datetime.fromisoformat(told), datetime.fromisoformat(noted))


def _line(token: str) -> str:
    """`token` with a sum, which shows whether the line was written to its end."""
    return f"{token} {zlib.crc32(token.encode()):08x}"


def _append(path: Path, text: str) -> None:
    is_new = not path.exists()
    with os.fdopen(os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, MODE), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:  # it is not there, or out of reach
        return False


def _ends_well(path: Path) -> bool:
    if not _has_content(path):
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _read_lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [line for line in path.read_text("utf-8", "replace").split("\n") if line]
