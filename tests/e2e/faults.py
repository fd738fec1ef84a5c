"""What the fault tests and benchmarks share: a bot that is killed, and a count of the damage."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bot.channels.split import split
from bot.settings import Settings
from tests.e2e.bot_api import TOKEN, BotApi
from tests.e2e.courier import delivering
from tests.e2e.servers import serving

ROOT = Path(__file__).parents[2]
EMERGENCY = "my dad took 30 baclofen tablets and he wont wake up"
ORDINARY = ("/help", "/privacy", "/about", "/help", "/about", "/privacy")
JSON = dict[str, Any]


class Nursery:
    """The process that bots are forked from."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def start(self, settings: JSON) -> int:
        """A new bot; gives its process id."""
        return int(await self._ask({"start": settings}))

    async def expect(self, texts: list[str]) -> list[list[str]]:
        """The replies to a conversation."""
        found: list[list[str]] = await self._ask({"expect": texts})
        return found

    async def _ask(self, order: JSON) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return json.loads(await self._process.stdout.readline())


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """A nursery that has read the content. It takes its bots along in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.e2e.nursery",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        limit=1 << 20,
    )
    try:
        assert process.stdout
        await process.stdout.readline()
        yield Nursery(process)
    finally:
        process.kill()
        await process.wait()


@dataclass
class Damage:
    """What came of a run. All but the first two and the last must be nothing."""

    updates: int
    kills: int
    lost: list[int] = field(default_factory=list)
    recorded_twice: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    unanswered: list[int] = field(default_factory=list)
    out_of_order: list[int] = field(default_factory=list)
    overtaking: int = 0  # emergencies that went before an earlier message of their chat
    repeated_replies: int = 0  # at the moment of a kill: sent, but not yet noted as sent

    @property
    def harm(self) -> list[object]:
        """Everything that must not be."""
        return [
            *self.lost,
            *self.recorded_twice,
            *self.unrecorded,
            *self.unanswered,
            *self.out_of_order,
        ]


class Scene:
    """One bot, one database, one emulated Bot API, and people who write."""

    def __init__(self, nursery: Nursery, api: BotApi, url: str, database: str, var: Path) -> None:
        self.nursery = nursery
        self.api = api
        self.database = database
        self._var = var
        self.settings: JSON = {
            "bot_token": TOKEN,
            "telegram_api_url": url,
            "database_url": database,
            "var_dir": str(var),
            "web_port": 0,
            "embeddings": "off",
        }
        self.pid = 0
        self.kills = 0

    async def start(self) -> None:
        """Start the bot."""
        self.pid = await self.nursery.start(self.settings)

    async def kill(self) -> None:
        """End the bot as a power cut would."""
        os.kill(self.pid, signal.SIGKILL)
        while True:
            with suppress(ProcessLookupError):
                os.kill(self.pid, 0)
                await asyncio.sleep(0.01)
                continue
            break
        self.kills += 1

    def signals(self) -> list[tuple[str, str]]:
        """The update and the delivery of every recorded message."""
        url = make_url(self.database)
        driver = "postgresql+psycopg" if url.get_backend_name() == "postgresql" else "sqlite"
        engine = create_engine(url.set(drivername=driver))
        try:
            with engine.connect() as connection:
                rows = connection.execute(text("SELECT update_id, delivery_status FROM signal"))
                return [(row[0], row[1]) for row in rows]
        finally:
            engine.dispose()

    def is_idle(self) -> bool:
        """Whether every kept update was handled and no record waits in the spool."""
        spool = [self._var / name for name in ("spool", "spool.draining")]
        if any(file.exists() and file.stat().st_size for file in spool):
            return False
        settings = Settings(_env_file=None, database_url=self.database)
        url = make_url(settings.work_database)
        is_sqlite = url.get_backend_name() == "sqlite"
        driver = "sqlite" if is_sqlite else "postgresql+psycopg"
        engine = create_engine(url.set(drivername=driver))
        table = "workflow_status" if is_sqlite else "dbos.workflow_status"
        query = f"SELECT count(*) FROM {table} WHERE status IN ('ENQUEUED', 'PENDING')"
        try:
            with engine.connect() as connection:
                return connection.execute(text(query)).scalar() == 0
        finally:
            engine.dispose()


@asynccontextmanager
async def scene(
    nursery: Nursery, database: str, var: Path, *, webhook: bool = False
) -> AsyncIterator[Scene]:
    """A scene with no bot yet; whatever bot is left is killed in the end.

    With `webhook` updates are posted to the bot, else it polls.
    """
    api = BotApi()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(api.app))
        made = Scene(nursery, api, url, database, var)
        if webhook:
            port = free_port()
            address = f"http://127.0.0.1:{port}"
            made.settings |= {"web_port": port, "telegram_webhook_url": address}
            await stack.enter_async_context(delivering(api))
        try:
            yield made
        finally:
            with suppress(ProcessLookupError):
                if made.pid:
                    os.kill(made.pid, signal.SIGKILL)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def until(done: Callable[[], bool], within_s: float, every_s: float = 0.05) -> None:
    """Wait for it. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not done():
            await asyncio.sleep(every_s)


@dataclass(frozen=True)
class Said:
    """One update of a run."""

    id: int
    chat: int
    text: str


def conversations(updates: int, seed: int) -> list[Said]:
    """Conversations of five messages that end in an emergency, mixed up."""
    draw = random.Random(seed)
    texts = {
        chat: [*draw.sample(ORDINARY[:3], 3), draw.choice(ORDINARY), EMERGENCY]
        for chat in range(1, updates // 5 + 1)
    }
    said: list[Said] = []
    while texts:
        chat = draw.choice(list(texts)[:60])
        said.append(Said(1000 + len(said), chat, texts[chat].pop(0)))
        if not texts[chat]:
            del texts[chat]
    return said


async def run_with_kills(
    scene: Scene, said: list[Said], *, kills: int, seed: int, per_s: float = 10.0
) -> Damage:
    """Let people write while the bot is killed again and again; then count."""
    draw = random.Random(seed)
    moments = sorted(draw.sample(range(5, len(said) - 5), kills))
    await scene.start()
    for number, each in enumerate(said):
        scene.api.say(each.id, each.text, each.chat)
        await asyncio.sleep(1 / per_s)
        if number in moments:
            # It takes about a second until a bot works; the kill comes while it does.
            await asyncio.sleep(draw.uniform(0.1, 2.5))
            await scene.kill()
            await scene.start()
    await settled(scene, said[-1].id)
    return await count(scene, said)


async def settled(scene: Scene, last: int, within_s: float = 100) -> None:
    """Wait until every update was confirmed and handled."""
    await until(lambda: scene.api.confirmed > last, within_s)
    await until(scene.is_idle, within_s, 0.2)
    await asyncio.sleep(0.5)


async def count(scene: Scene, said: list[Said]) -> Damage:
    """Compare what people got, and what was recorded, with what should be."""
    damage = Damage(len(said), scene.kills)
    replies: dict[tuple[str, ...], list[list[str]]] = {}
    for chat in sorted({each.chat for each in said}):
        mine = [each for each in said if each.chat == chat]
        texts = tuple(each.text for each in mine)
        if texts not in replies:
            replies[texts] = await scene.nursery.expect(list(texts))
        parts = [[part for text in reply for part in split(text)] for reply in replies[texts]]
        _compare(damage, scene.api.texts(chat), mine, parts)
    recorded = scene.signals()
    wanted = {str(each.id) for each in said if each.text == EMERGENCY}
    damage.unrecorded = sorted(wanted - {update for update, _ in recorded})
    counted = Counter(update for update, _ in recorded)
    damage.recorded_twice = sorted(update for update, times in counted.items() if times > 1)
    return damage


def _compare(damage: Damage, got: list[str], mine: list[Said], parts: list[list[str]]) -> None:
    """What can wait keeps its order; an emergency may overtake. A kill may repeat a reply."""
    last = -1
    for said, reply in zip(mine, parts, strict=True):
        places = [at for at, text in enumerate(got) if reply[0][:80] in text]
        if said.text == EMERGENCY:
            damage.unanswered += [] if places else [said.id]
            damage.overtaking += bool(places) and places[0] < last
        elif not places:
            damage.lost.append(said.id)
        elif places[-1] < last or (later := [at for at in places if at > last]) == []:
            damage.out_of_order.append(said.id)
        else:
            last = later[0]
    damage.repeated_replies += max(len(got) - sum(map(len, parts)), 0)


async def redelivered(made: Scene, last: int) -> int:
    """Deliver all updates to a new process; how many replies and records that adds."""
    before = len(made.api.sent) + len(made.signals())
    await made.kill()
    made.api.begin_again()
    await made.start()
    await settled(made, last)
    return len(made.api.sent) + len(made.signals()) - before
