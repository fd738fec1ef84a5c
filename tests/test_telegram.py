"""What Telegram sends is read as our Message, and what we answer fits Telegram."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update

from bot.channels.place import country_at
from bot.channels.telegram_intake import Intake
from bot.channels.telegram_read import Address, address_of, message_from, private_chat_in
from bot.channels.telegram_send import keyboard
from bot.core.model import Button, Message

NOW = 1_760_000_000
AT = datetime.fromtimestamp(NOW, UTC)
ADA = {"id": 7, "is_bot": False, "first_name": "Ada"}
BOT: dict[str, Any] = {"id": 99, "is_bot": True, "first_name": "Bot", "username": "CareBot"}
GROUP = {"id": -100, "type": "supergroup", "title": "Group"}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
FILE = {"file_id": "f", "file_unique_id": "u"}


def sent(*, kind: str = "message", **fields: Any) -> dict[str, Any]:
    message = {"message_id": 5, "date": NOW, "chat": {"id": 7, "type": "private"}, "from": ADA}
    return {"update_id": 1, kind: message | fields}


def in_group(**fields: Any) -> dict[str, Any]:
    return sent(chat=GROUP, **fields)


def by(user: dict[str, Any]) -> dict[str, Any]:
    return {"from": user}


def read(payload: dict[str, Any]) -> Message | None:
    return message_from(Update.de_json(payload, None), "CareBot")


def private(**fields: Any) -> Message:
    return Message(chat="tg:7", at=AT, update_id="1", **fields)


def group(**fields: Any) -> Message:
    return Message(chat="tg:-100", at=AT, group=True, update_id="1", **fields)


def entity(kind: str, length: int) -> list[dict[str, Any]]:
    return [{"type": kind, "offset": 0, "length": length}]


ATTACHMENTS: dict[str, dict[str, Any]] = {
    "photo": {"photo": PHOTO},
    "voice": {"voice": FILE | {"duration": 3}},
    "video_note": {"video_note": FILE | {"duration": 3, "length": 1}},
    "video": {"video": FILE | {"duration": 3, "width": 1, "height": 1}},
    "audio": {"audio": FILE | {"duration": 3}},
    "sticker": {
        "sticker": FILE
        | {"width": 1, "height": 1, "type": "regular", "is_animated": False, "is_video": False}
    },
    "animation": {
        "animation": FILE | {"duration": 3, "width": 1, "height": 1},
        "document": FILE,
    },
    "document": {"document": FILE},
    "contact": {"contact": {"phone_number": "1", "first_name": "Ada"}},
    "poll": {
        "poll": {
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        }
    },
    "dice": {"dice": {"emoji": "🎲", "value": 3}},
    "other": {"a_thing_of_the_future": {"id": 1}},
}


@pytest.mark.parametrize("name", ATTACHMENTS)
def test_every_attachment_is_a_message(name: str) -> None:
    assert read(sent(**ATTACHMENTS[name])) == private(attachment=name)


def test_a_caption_is_text() -> None:
    payload = sent(photo=PHOTO, caption="are these baclofen?")

    assert read(payload) == private(text="are these baclofen?", attachment="photo")


def test_a_location_names_its_country() -> None:
    payload = sent(location={"latitude": 59.91, "longitude": 10.75})

    assert read(payload) == private(attachment="location", located_in="NO")


def test_a_venue_is_a_location() -> None:
    place = {"latitude": -33.87, "longitude": 151.21}
    payload = sent(location=place, venue={"location": place, "title": "x", "address": "y"})

    assert read(payload) == private(attachment="location", located_in="AU")


TEXTS = {
    "text": (sent(text="can I drink"), private(text="can I drink")),
    "command": (sent(text="/start"), private(text="/start")),
    "command with our name": (
        sent(text="/Country@carebot Canada"),
        private(text="/Country Canada"),
    ),
    "edited": (
        sent(kind="edited_message", text="took 20", edit_date=NOW),
        private(text="took 20", edited=True),
    ),
    "group chatter": (in_group(text="hello"), group(text="hello", addressed=False)),
    "group command": (in_group(text="/help"), group(text="/help")),
    "group command for us": (in_group(text="/help@CareBot"), group(text="/help")),
    "group command for another bot": (
        in_group(text="/help@OtherBot"),
        group(text="/help@OtherBot", addressed=False),
    ),
    "group mention": (
        in_group(text="@carebot hello", entities=entity("mention", 8)),
        group(text="@carebot hello"),
    ),
    "group mention of another": (
        in_group(text="@carebox hello", entities=entity("mention", 8)),
        group(text="@carebox hello", addressed=False),
    ),
    "group caption that mentions us": (
        in_group(photo=PHOTO, caption="@CareBot", caption_entities=entity("mention", 8)),
        group(text="@CareBot", attachment="photo"),
    ),
    "group reply to us": (
        in_group(text="and wine?", reply_to_message=sent(**by(BOT), text="x")["message"]),
        group(text="and wine?"),
    ),
    "anonymous administrator": (
        in_group(text="he is not breathing", **by(BOT | {"username": "Anon"}), sender_chat=GROUP),
        group(text="he is not breathing", addressed=False),
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_read_as_it_was_meant(name: str) -> None:
    payload, expected = TEXTS[name]

    assert read(payload) == expected


NOTHING_TO_ANSWER = {
    "somebody joined": in_group(new_chat_members=[ADA]),
    "a message was pinned": sent(pinned_message=sent(text="x")["message"]),
    "another bot": in_group(text="hello", **by(BOT | {"username": "OtherBot"})),
    "a channel's post, copied": in_group(text="news", is_automatic_forward=True),
    "a live location moved": sent(
        kind="edited_message", edit_date=NOW, location={"latitude": 1.0, "longitude": 1.0}
    ),
    "an update of another kind": {"update_id": 1},
}


@pytest.mark.parametrize("name", NOTHING_TO_ANSWER)
def test_what_nobody_wrote_is_not_answered(name: str) -> None:
    assert read(NOTHING_TO_ANSWER[name]) is None


def press(**fields: object) -> dict[str, Any]:
    query = {"id": "1", "from": ADA, "chat_instance": "1", "message": sent(text="x")["message"]}
    return {"update_id": 1, "callback_query": query | fields}


PRESSES = {
    "a button": (press(data="guide:awake:no"), "guide:awake:no"),
    "a forged button": (press(data="' OR 1=1 --"), "' OR 1=1 --"),
    "a game button": (press(game_short_name="chess"), "none"),
    "an old message": (
        press(message={"chat": {"id": 7, "type": "private"}, "message_id": 5, "date": 0}, data="a"),
        "a",
    ),
}


@pytest.mark.parametrize("name", PRESSES)
def test_every_press_is_a_message(name: str) -> None:
    payload, action = PRESSES[name]

    assert read(payload) == Message(chat="tg:7", button=action, update_id="1")


def test_a_reply_in_a_group_hangs_below_the_message() -> None:
    update = Update.de_json(in_group(text="hello"), None)

    assert address_of(update) == Address(-100, reply_to=5)


def test_a_reply_in_a_forum_stays_in_its_topic() -> None:
    payload = in_group(text="hello", message_thread_id=3, is_topic_message=True)

    assert address_of(Update.de_json(payload, None)) == Address(-100, 3, 5)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (sent(text=["odd"]), Address(7)),
        (press(data=1), Address(7)),
        (in_group(text=1), None),
        ({"update_id": 1, "message": "odd"}, None),
        ({"update_id": 1, "message": {"chat": 7}}, None),
    ],
    ids=["message", "press", "group", "no message", "no chat"],
)
def test_an_unreadable_update_still_names_its_private_chat(
    payload: dict[str, Any], expected: Address | None
) -> None:
    assert private_chat_in(payload) == expected


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (("Yes", "No", "Not sure"), [3]),
        (("Not breathing", "Breathing", "Not sure", "Stop"), [2, 2]),
        (("I am with a person who needs help", "No"), [1, 1]),
    ],
    ids=["short", "middling", "long"],
)
def test_a_keyboard_has_as_many_keys_in_a_row_as_can_be_read(
    labels: tuple[str, ...], rows: list[int]
) -> None:
    keys = keyboard(tuple(Button(label, "action") for label in labels))

    assert keys is not None
    assert [len(row) for row in keys.inline_keyboard] == rows


def test_a_button_that_telegram_would_refuse_is_left_out() -> None:
    keys = keyboard((Button("Good", "a" * 64), Button("Long", "a" * 65), Button("Empty", "")))

    assert keys is not None
    assert [key.text for row in keys.inline_keyboard for key in row] == ["Good"]


def test_no_buttons_are_no_keyboard() -> None:
    assert keyboard(()) is None


def test_an_update_begins_once() -> None:
    intake = Intake()

    assert intake.begin(5)
    assert not intake.begin(5)
    intake.end(5)
    assert not intake.begin(5)


def test_before_the_first_update_there_is_no_offset() -> None:
    assert Intake().offset is None


@given(st.lists(st.integers(0, 20), unique=True, min_size=1).map(sorted), st.data())
def test_the_offset_never_passes_an_update_under_way(ids: list[int], data: st.DataObject) -> None:
    intake = Intake()
    for update_id in ids:
        intake.begin(update_id)
    done = set(data.draw(st.lists(st.sampled_from(ids))))

    for update_id in done:
        intake.end(update_id)

    waiting = [update_id for update_id in ids if update_id not in done]
    assert intake.offset == (min(waiting) if waiting else max(ids) + 1)


def test_only_so_many_updates_are_remembered() -> None:
    intake = Intake(remember=2)
    for update_id in (1, 2, 3):
        intake.begin(update_id)
        intake.end(update_id)

    assert intake.begin(1)
    assert not intake.begin(3)


@pytest.mark.parametrize(
    ("latitude", "longitude", "country"),
    [
        (40.71, -74.0, "US"),
        (43.65, -79.38, "CA"),
        (53.35, -6.26, "IE"),
        (54.6, -5.93, "GB"),
        (48.15, 17.1, "SK"),
        (30.0, -40.0, ""),
        (999.0, 0.0, ""),
    ],
    ids=["New York", "Toronto", "Dublin", "Belfast", "Bratislava", "Atlantic", "nowhere"],
)
def test_a_place_is_in_its_country(latitude: float, longitude: float, country: str) -> None:
    assert country_at(latitude, longitude) == country
