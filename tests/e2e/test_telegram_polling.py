"""The bot polls a Bot API over HTTP: nothing is lost, and nothing holds up an emergency."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from bot.channels.receiver import Flood
from bot.channels.telegram import Telegram
from bot.core.model import Button, Decision, Message, Reply
from bot.delivery import Send, Told
from bot.errors import ChannelError
from tests.databases import PATIENT_S
from tests.e2e.bot_api import (
    BAD_BUTTON,
    BLOCKED,
    CONFLICT,
    GATEWAY,
    TOKEN,
    BotApi,
    message,
    too_many,
)
from tests.e2e.servers import serving
from tests.scripted import ANSWER, CARD, URGENT, Scripted

pytestmark = pytest.mark.e2e

HELP = "he is not breathing"


def script(*, breaks: tuple[str, ...] = ()) -> Scripted:
    return Scripted({HELP: URGENT}, breaks=breaks)


@asynccontextmanager
async def polling(
    api: BotApi, receiver: Scripted, *, flood: Flood | None = None, farewell_s: float = 5.0
) -> AsyncIterator[str]:
    """The bot at work on this Bot API."""
    async with (
        serving(api.app) as url,
        Telegram(receiver, TOKEN, api_url=url, flood=flood, farewell_s=farewell_s) as telegram,
    ):
        task = asyncio.create_task(telegram.poll())
        try:
            yield url
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(done: Callable[[], bool], within_s: float = PATIENT_S) -> None:
    async with asyncio.timeout(within_s):
        while not done():
            await asyncio.sleep(0.01)


def run(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 90))


def confirm(api: BotApi, receiver: Scripted, updates: int, *, flood: Flood | None = None) -> None:
    """Let the bot work until it has confirmed the updates below this one."""

    async def scenario() -> None:
        async with polling(api, receiver, flood=flood):
            await until(lambda: api.confirmed == updates)

    run(scenario)


def test_a_question_is_answered_and_confirmed() -> None:
    api, receiver = BotApi(), script()
    api.say(10, "what is it")

    confirm(api, receiver, 11)

    assert api.texts(7) == list(ANSWER.texts)
    assert receiver.heard[0].chat == "tg:7"
    assert receiver.heard[0].update_id == "10"


def test_the_menu_has_all_commands() -> None:
    api = BotApi()

    async def scenario() -> None:
        async with polling(api, script()):
            await until(lambda: bool(api.offsets))

    run(scenario)
    assert set(api.commands) == {
        "start",
        "help",
        "emergency",
        "crisis",
        "country",
        "language",
        "privacy",
        "forget",
        "about",
    }


def test_an_edited_message_is_read_again() -> None:
    api, receiver = BotApi(), script()
    api.say(10, "took two")
    api.give(11, edited_message=message(HELP) | {"edit_date": 1_760_000_060})

    confirm(api, receiver, 12)

    assert [heard.edited for heard in receiver.heard] == [False, True]
    assert api.texts(7)[-1] == URGENT.texts[-1]


def test_a_press_is_acknowledged_and_answered() -> None:
    api, receiver = BotApi(), script()
    person = message("x")["from"]
    query = {"id": "q1", "from": person, "chat_instance": "1", "message": message("x")}
    api.give(10, callback_query=query | {"data": "no:such:button"})

    confirm(api, receiver, 11)

    assert api.pressed == ["q1"]
    assert receiver.heard[0].button == "no:such:button"
    assert api.texts(7) == list(ANSWER.texts)


def test_a_long_reply_comes_in_parts_with_the_buttons_below_the_last() -> None:
    lines = "\n".join(f"Line {number} of the answer." for number in range(400))
    reply = Reply((lines,), (Button("More", "more"),), can_wait=True)
    api, receiver = BotApi(), Scripted({"x": reply})
    api.say(10, "x")

    confirm(api, receiver, 11)

    assert len(api.sent) > 1
    assert "\n".join(sent.text for sent in api.sent) == lines
    assert [sent.keys for sent in api.sent] == [[]] * (len(api.sent) - 1) + [["More"]]


def test_too_many_requests_are_waited_for() -> None:
    api, receiver = BotApi(), script()
    api.faults[7].append(too_many(1))
    api.say(10, HELP)

    confirm(api, receiver, 11)

    assert api.texts(7) == list(URGENT.texts)
    assert receiver.delivered == ["sent"]


def test_an_emergency_does_not_wait_behind_an_ordinary_reply() -> None:
    api, receiver = BotApi(), script()
    api.faults[7].append(too_many(8))
    api.say(10, "what is it")
    api.say(11, HELP)

    async def scenario() -> None:
        async with polling(api, receiver):
            await until(lambda: len(api.sent) == 2, within_s=7.5)
            assert api.confirmed <= 10
            await until(lambda: api.confirmed == 12)

    run(scenario)
    assert api.texts(7) == [*URGENT.texts, *ANSWER.texts]


def test_an_emergency_jumps_the_queue_of_the_rate_limiter() -> None:
    api, receiver = BotApi(), script()
    for number in range(90):
        api.say(10 + number, "what is it", chat_id=100 + number)
    api.say(100, HELP, chat_id=7)

    async def scenario() -> None:
        async with polling(api, receiver):
            await until(lambda: bool(api.texts(7)))
            assert len(api.sent) < 60
            await until(lambda: api.confirmed == 101)

    run(scenario)
    assert len(api.sent) == 90 + len(URGENT.texts)


def test_network_errors_are_tried_again() -> None:
    api, receiver = BotApi(), script()
    api.faults[7].extend([GATEWAY, GATEWAY])
    api.faults["getUpdates"].extend([GATEWAY, CONFLICT])
    api.faults["getMe"].append(GATEWAY)
    api.say(10, HELP)

    confirm(api, receiver, 11)

    assert api.texts(7) == list(URGENT.texts)


def test_a_refused_keyboard_does_not_hold_back_the_words() -> None:
    reply = Reply(("Call 112 now.",), (Button("Help", "help"),))
    api, receiver = BotApi(), Scripted({HELP: reply})
    api.faults[7].append(BAD_BUTTON)
    api.say(10, HELP)

    confirm(api, receiver, 11)

    assert api.texts(7) == ["Call 112 now."]


def test_a_person_who_blocked_the_bot_harms_nobody() -> None:
    api, receiver = BotApi(), script()
    api.faults[7].append(BLOCKED)
    api.say(10, HELP, chat_id=7)
    api.say(11, HELP, chat_id=8)

    confirm(api, receiver, 12)

    assert sorted(receiver.delivered) == ["blocked", "sent"]
    assert api.texts(8) == list(URGENT.texts)


def test_a_redelivered_update_is_answered_once() -> None:
    api, receiver = BotApi(), script()
    api.say(10, "what is it")

    async def scenario() -> None:
        async with polling(api, receiver):
            await until(lambda: api.confirmed == 11)
            api.say(10, "what is it")
            api.updates[-1]["update_id"] = 10
            api.say(11, "and now")
            await until(lambda: api.confirmed == 12)

    run(scenario)
    assert [heard.update_id for heard in receiver.heard] == ["10", "11"]


def test_a_crash_before_the_confirmation_brings_the_update_again() -> None:
    api, first, second = BotApi(), script(), script()
    api.deaf_after_reply = True
    api.say(10, HELP)

    async def scenario() -> None:
        async with polling(api, first):
            await until(lambda: bool(first.delivered))
        assert api.confirmed <= 10
        api.deaf_after_reply = False
        async with polling(api, second):
            await until(lambda: api.confirmed == 11)

    run(scenario)
    assert [heard.update_id for heard in second.heard] == ["10"]
    assert api.texts(7) == [*URGENT.texts, *URGENT.texts]


@dataclass(slots=True)
class Stuck(Scripted):
    """Never ends with a message that says "wait"."""

    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, message: Message, send: Send, told: Told | None = None) -> Decision:
        if message.text == "wait":
            self.began.set()
            await asyncio.Event().wait()
        return await Scripted.receive(self, message, send, told)


def test_an_update_that_was_stopped_half_way_is_not_confirmed() -> None:
    api, receiver = BotApi(), script()
    api.say(10, "wait", chat_id=7)
    api.say(11, HELP, chat_id=8)

    async def scenario() -> None:
        stuck = Stuck({HELP: URGENT})
        async with polling(api, stuck, farewell_s=0.1):
            await stuck.began.wait()
            await until(lambda: len(api.texts(8)) == 2)
        assert api.confirmed <= 10
        async with polling(api, receiver):
            await until(lambda: api.confirmed == 12)

    run(scenario)
    assert [heard.text for heard in receiver.heard if heard.chat == "tg:7"] == ["wait"]


def test_one_slow_chat_holds_up_no_other() -> None:
    api = BotApi()
    api.say(10, "wait", chat_id=7)

    async def scenario() -> None:
        stuck = Stuck({HELP: URGENT})
        async with polling(api, stuck, farewell_s=0.1):
            await stuck.began.wait()
            api.say(11, HELP, chat_id=8)
            await until(lambda: len(api.texts(8)) == 2)

    run(scenario)
    assert api.confirmed <= 10


def test_a_chat_is_answered_in_order() -> None:
    replies = {str(number): Reply((str(number),), can_wait=True) for number in range(15)}
    api, receiver = BotApi(), Scripted(replies)
    for number in range(15):
        api.say(10 + number, str(number))

    confirm(api, receiver, 25)

    assert api.texts(7) == [str(number) for number in range(15)]


def test_a_flood_is_answered_in_part_and_its_emergency_in_full() -> None:
    api, receiver = BotApi(), script()
    for number in range(30):
        api.say(10 + number, "hello")
    api.say(40, HELP)

    confirm(api, receiver, 41, flood=Flood(limit=5))

    assert len(receiver.heard) == 31
    assert sorted(api.texts(7)) == sorted([*ANSWER.texts] * 5 + [*CARD.texts, *URGENT.texts])


def test_a_bug_is_answered_with_the_emergency_card() -> None:
    api, receiver = BotApi(), script(breaks=("boom",))
    api.say(10, "boom")

    confirm(api, receiver, 11)

    assert api.texts(7) == list(CARD.texts)


def test_an_update_that_nobody_can_read_is_answered_and_harms_no_other() -> None:
    api, receiver = BotApi(), script()
    api.give(10, message=message("x") | {"date": "yesterday"})
    api.say(11, HELP, chat_id=8)

    confirm(api, receiver, 12)

    assert api.texts(7) == list(CARD.texts)
    assert api.texts(8) == list(URGENT.texts)


def test_an_album_is_answered_once() -> None:
    api, receiver = BotApi(), script()
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    for number in range(4):
        picture = message("") | {"photo": photo, "media_group_id": "album"}
        picture.pop("text")
        api.give(10 + number, message=picture)

    confirm(api, receiver, 14)

    assert [heard.attachment for heard in receiver.heard] == ["photo"]


def test_group_chatter_is_heard_and_not_answered() -> None:
    api, receiver = BotApi(), Scripted({"hello all": Reply()})
    group = {"id": -5, "type": "supergroup", "title": "Group"}
    api.give(10, message=message("hello all") | {"chat": group})

    confirm(api, receiver, 11)

    assert [(heard.group, heard.addressed) for heard in receiver.heard] == [(True, False)]
    assert api.sent == []


def test_a_bad_token_is_named_without_being_told() -> None:
    async def scenario() -> None:
        async with serving(BotApi().app) as url:
            with pytest.raises(ChannelError, match="BOT_TOKEN was refused") as refused:
                async with Telegram(script(), "99:wrong-token", api_url=url):
                    pass
            assert "wrong-token" not in str(refused.value)
            assert refused.value.__suppress_context__

    run(scenario)


def test_no_log_holds_a_text_a_chat_or_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    api, receiver = BotApi(), script(breaks=("marker sentence",))
    api.faults[987654].append(too_many(1))
    api.say(10, "marker sentence", chat_id=987654)
    api.give(11, message=message("marker sentence", 987654) | {"date": "yesterday"})

    confirm(api, receiver, 12)

    told = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "message not handled" in told
    for secret in ("marker sentence", "987654", "stub-token"):
        assert secret not in told
