"""The web chat: pages and API, and what keeps them safe."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.web import Webhook, web_app
from bot.channels.web.conversations import Conversations
from bot.channels.web.guard import MAX_BODY
from bot.channels.web.rich_text import rich_text
from bot.core.model import Button, Level, Reply
from bot.delivery import StaffLine
from tests.databases import PATIENT_S
from tests.scripted import CARD, URGENT, Scripted

WELCOME = Reply(("Hello. I am a bot.",), (Button("Can I drink?", "topic:alcohol"),), can_wait=True)
ORIGIN = "http://testserver"


def browser(receiver: Scripted | None = None, **options: Any) -> TestClient:
    app = web_app(
        receiver or Scripted(),
        welcome=lambda: WELCOME,
        privacy=lambda: "We keep little.",
        **options,
    )
    return TestClient(app, headers={"sec-fetch-site": "same-origin"}, raise_server_exceptions=False)


def test_the_first_page_greets_and_sets_no_cookie() -> None:
    page = browser().get("/")

    assert "Hello. I am a bot." in page.text
    assert 'value="topic:alcohol"' in page.text
    assert "set-cookie" not in page.headers


def test_the_emergency_button_is_on_every_page() -> None:
    client = browser()

    for path in ("/", "/privacy", "/no-such-page"):
        assert 'name="text" value="/emergency"' in client.get(path).text


def test_a_form_works_without_javascript() -> None:
    client = browser()

    posted = client.post("/", data={"text": "what is it"}, follow_redirects=False)
    page = client.get("/")

    assert (posted.status_code, posted.headers["location"]) == (303, "/#latest")
    assert page.text.index("what is it") < page.text.index("Baclofen relaxes muscles.")


def test_a_pressed_button_shows_its_label() -> None:
    receiver = Scripted({"he took it all": URGENT})
    client = browser(receiver)
    client.post("/", data={"text": "he took it all"})

    page = client.post("/", data={"button": "guide:breathing:no"})

    assert receiver.heard[-1].button == "guide:breathing:no"
    assert '<p class="as-typed">Not breathing</p>' in page.text


def test_a_forged_button_gets_an_answer() -> None:
    page = browser().post("/", data={"button": "<script>alert(1)</script>"})

    assert "Baclofen relaxes muscles." in page.text
    assert "<script>alert" not in page.text


def test_only_the_last_answer_has_buttons() -> None:
    client = browser(Scripted({"a": URGENT}))
    client.post("/", data={"text": "a"})

    page = client.post("/", data={"text": "b"})

    assert "guide:breathing:no" not in page.text


def test_the_api_answers_with_texts_and_buttons() -> None:
    answer = browser(Scripted({"he took it all": URGENT})).post(
        "/api/message", json={"text": "he took it all"}
    )

    assert answer.json()["texts"] == list(URGENT.texts)
    assert answer.json()["buttons"][0] == {"label": "Not breathing", "action": "guide:breathing:no"}


def test_what_people_write_is_escaped() -> None:
    page = browser().post("/", data={"text": "<img src=x onerror=alert(1)>"})

    assert "<img" not in page.text
    assert "&lt;img src=x" in page.text


ODD_TEXTS = {
    "empty": "",
    "very long": "a" * 100_000,
    "long emoji": "🙂" * 100_000,
    "right to left": "\u202eevil",
    "NUL": "a\x00b",
    "SQL": "'; DROP TABLE person; --",
}


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_any_text_gets_an_answer(name: str) -> None:
    answer = browser().post("/api/message", json={"text": ODD_TEXTS[name]})

    assert (answer.status_code, answer.json()["texts"]) == (200, ["Baclofen relaxes muscles."])


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_any_text_in_a_form_gets_an_answer(name: str) -> None:
    page = browser().post("/", data={"text": ODD_TEXTS[name]})

    assert page.status_code == 200
    assert "Baclofen relaxes muscles." in page.text


def test_two_browsers_have_two_conversations() -> None:
    receiver = Scripted()
    app = web_app(receiver, welcome=lambda: WELCOME, privacy=str)
    ada, bob = TestClient(app), TestClient(app)

    ada.post("/", data={"text": "from ada"})
    bob.post("/", data={"text": "from bob"})

    assert "from ada" not in bob.get("/").text
    assert receiver.heard[0].chat != receiver.heard[1].chat


def test_the_cookie_is_for_our_own_pages_only() -> None:
    cookie = browser().post("/api/message", json={"text": "x"}).headers["set-cookie"]

    assert re.fullmatch(r"chat=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", cookie)


def test_the_cookie_of_a_secure_site_is_bound_to_it() -> None:
    answer = browser(secure=True).post("/api/message", json={"text": "x"})

    assert answer.headers["set-cookie"].startswith("__Host-chat=")
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_the_chat_is_not_named_after_its_cookie() -> None:
    receiver = Scripted()
    client = browser(receiver)

    client.post("/api/message", json={"text": "x"})

    assert re.fullmatch(r"web:[0-9a-f]{32}", receiver.heard[0].chat)
    assert client.cookies["chat"] not in receiver.heard[0].chat


def test_a_conversation_goes_on_after_a_restart() -> None:
    first, second = Scripted(), Scripted()
    before, after = browser(first), browser(second)
    before.post("/api/message", json={"text": "x"})

    after.cookies = before.cookies
    after.post("/api/message", json={"text": "y"})

    assert first.heard[0].chat == second.heard[0].chat


class Staff:
    """What staff wrote to the page of a chat."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.asked: list[str] = []

    async def __call__(self, chat: str, after: int) -> tuple[StaffLine, ...]:
        self.asked.append(chat)
        lines = [StaffLine(place, text) for place, text in enumerate(self.written, start=1)]
        return tuple(lines[after:])


def alarmed(staff: Staff | None) -> TestClient:
    """A browser in which somebody raised an alarm."""
    client = browser(Scripted({"he took it all": URGENT}, level=Level.EMERGENCY), staff=staff)
    answer = client.post("/api/message", json={"text": "he took it all"})
    assert answer.json()["live"] is (staff is not None)
    return client


def test_the_page_gets_each_line_of_staff_once_and_can_ask_again() -> None:
    staff = Staff()
    client = alarmed(staff)
    staff.written = ["Are you <b>safe</b>?", "Call 112 now."]

    first = client.get("/api/news").json()
    places = [int(place) for place in re.findall(r'data-place="(\d+)"', first["html"])]
    later = client.get("/api/news", params={"seen": places[0]}).json()
    seen = client.get("/api/news", params={"seen": places[1]}).json()

    assert first["staff"] == ["Are you <b>safe</b>?", "Call 112 now."]
    assert "Support team" in first["html"]
    assert "&lt;b&gt;safe" in first["html"]
    assert 'href="tel:112"' in first["html"]
    assert first["texts"] == []
    assert later["staff"] == ["Call 112 now."]
    assert seen["staff"] == []


def test_a_page_loaded_again_has_the_lines_of_staff_and_the_open_choices() -> None:
    staff = Staff()
    client = alarmed(staff)
    staff.written = ["Are you safe?"]

    page = client.get("/").text

    assert page.index("he took it all") < page.index("Are you safe?")
    assert "data-live" in page
    assert 'value="guide:breathing:no"' in page


def test_without_an_alarm_nobody_is_asked_for_lines_of_staff() -> None:
    staff = Staff()
    client = browser(staff=staff)
    answer = client.post("/api/message", json={"text": "what is it"}).json()

    assert answer["live"] is False
    assert "data-live" not in client.get("/").text
    assert client.get("/api/news").json()["staff"] == []
    assert staff.asked == []


def test_where_staff_do_not_write_no_page_looks_for_them() -> None:
    client = alarmed(None)

    assert "data-live" not in client.get("/").text
    assert client.get("/api/news").json() == {
        "texts": [],
        "buttons": [],
        "html": "",
        "staff": [],
        "live": False,
    }


def test_a_page_that_outlived_the_server_still_gets_its_lines() -> None:
    staff = Staff()
    ticket = alarmed(staff).cookies["chat"]
    staff.written = ["Are you safe?"]
    anew = browser(staff=staff)

    anew.cookies.set("chat", "no ticket of ours")
    stranger = anew.get("/api/news").json()
    anew.cookies.clear()
    anew.cookies.set("chat", ticket)
    news = anew.get("/api/news").json()

    assert news["staff"] == ["Are you safe?"]
    assert stranger["staff"] == []


@pytest.mark.parametrize("path", ["/", "/api/conversation"])
def test_a_page_loaded_after_a_restart_looks_for_staff(path: str) -> None:
    staff = Staff()
    ticket = alarmed(staff).cookies["chat"]
    staff.written = ["Are you safe?"]
    anew = browser(staff=staff)
    stranger = anew.get("/").text
    anew.cookies.set("chat", ticket)

    assert "Are you safe?" in anew.get(path).text
    assert "data-live" in anew.get("/").text
    assert "data-live" not in stranger


def test_a_line_of_staff_is_shown_by_every_process_once_and_in_order() -> None:
    staff = Staff()
    one = alarmed(staff)
    other = browser(staff=staff)
    other.cookies = one.cookies
    other.post("/api/message", json={"text": "thank you"})
    staff.written = ["Are you safe?"]

    taken = one.get("/api/news").json()["staff"]
    elsewhere = other.get("/api/news").json()
    staff.written.append("Stay with them.")
    seen = int(re.findall(r'data-place="(\d+)"', elsewhere["html"])[-1])
    later = [client.get("/api/news", params={"seen": seen}).json() for client in (other, one)]
    page = other.get("/").text

    assert taken == elsewhere["staff"] == ["Are you safe?"]
    assert [each["staff"] for each in later] == [["Stay with them."], ["Stay with them."]]
    assert page.index("Are you safe?") < page.index("Stay with them.")
    assert page.count("Are you safe?") == 1
    assert "data-live" in page


def test_what_was_passed_on_to_staff_makes_the_page_look_for_them() -> None:
    client = browser(Scripted(path=("taken_over", "match")), staff=Staff())

    assert client.post("/api/message", json={"text": "thank you"}).json()["live"] is True


@pytest.mark.parametrize("path", ["/", "/api/message"])
def test_an_answer_waits_for_nothing_that_is_kept_and_the_end_does(path: str) -> None:
    async def scenario() -> None:
        kept = asyncio.Event()
        receiver = Scripted({"he took it all": URGENT}, level=Level.EMERGENCY, kept=kept)
        app = web_app(receiver, welcome=lambda: WELCOME, privacy=str, staff=Staff())
        line = ASGITransport(app)
        async with app.router.lifespan_context(app), AsyncClient(transport=line) as client:
            async with asyncio.timeout(PATIENT_S):
                said = {"text": "he took it all"}
                body = {"json": said} if path.startswith("/api") else {"data": said}
                await client.post(ORIGIN + path, **body)
                page = await client.get(ORIGIN)
            assert "Are they breathing normally?" in page.text
            assert "data-live" in page.text
            assert not receiver.kept_all
            asyncio.get_running_loop().call_later(0.5, kept.set)
        assert receiver.kept_all

    asyncio.run(scenario())


def test_what_fails_after_the_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    client = browser(Scripted({"x": URGENT}, breaks_late=True))

    answer = client.post("/api/message", json={"text": "x"})

    assert answer.json()["texts"] == list(URGENT.texts)
    assert "message not handled" in caplog.messages


def test_leaving_ends_the_conversation() -> None:
    gone: list[str] = []
    client = browser(left=gone.append)
    client.get("/leave")
    client.post("/", data={"text": "a secret"})

    left = client.get("/leave", follow_redirects=False)

    assert [chat.partition(":")[0] for chat in gone] == ["web"]
    assert left.headers["location"] == "https://www.wikipedia.org/"
    assert "a secret" not in client.get("/").text


def test_forgetting_empties_the_page() -> None:
    receiver = Scripted()
    client = browser(receiver)
    client.post("/", data={"text": "a secret"})

    receiver.effects = ("forget",)
    page = client.post("/", data={"text": "/forget"})

    assert "a secret" not in page.text
    assert "Baclofen relaxes muscles." in page.text


def test_an_error_answers_with_the_emergency_card() -> None:
    client = browser(Scripted(breaks=("boom",)))

    answer = client.post("/api/message", json={"text": "boom"})

    assert answer.json()["texts"] == list(CARD.texts)


def test_an_error_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    browser(Scripted(breaks=("my secret",))).post("/api/message", json={"text": "my secret"})

    assert [record.getMessage() for record in caplog.records if "bot" in record.name] == [
        "message not handled"
    ]
    assert not any("my secret" in str(vars(record)) for record in caplog.records)


BROKEN_REQUESTS: dict[str, tuple[int, Callable[[TestClient], Any]]] = {
    "no such page": (404, lambda client: client.get("/no-such-page")),
    "wrong method": (405, lambda client: client.put("/")),
    "not JSON": (422, lambda client: client.post("/api/message", content=b"{")),
    "not a text": (422, lambda client: client.post("/api/message", json={"text": [1]})),
    "too long": (413, lambda client: client.post("/", content=b"a" * (MAX_BODY + 1))),
    "too long, unannounced": (
        413,
        lambda client: client.post("/", content=iter([b"a" * 2**16] * 33)),
    ),
    "from another site": (
        403,
        lambda client: client.post("/", headers={"sec-fetch-site": "cross-site"}),
    ),
}


@pytest.mark.parametrize("name", BROKEN_REQUESTS)
def test_a_refused_request_still_gets_the_number_and_the_headers(name: str) -> None:
    status, request = BROKEN_REQUESTS[name]

    answer = request(browser())

    assert answer.status_code == status
    assert "112" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_bug_in_a_page_gives_the_number_and_the_headers() -> None:
    app = web_app(Scripted(), welcome=lambda: WELCOME, privacy=str)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("bug")

    answer = TestClient(app).get("/broken")

    assert answer.status_code == 500
    assert "112" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


SITES = {
    "our own form": ({"sec-fetch-site": "same-origin"}, 303),
    "another site": ({"sec-fetch-site": "cross-site"}, 403),
    "a neighbour": ({"sec-fetch-site": "same-site"}, 403),
    "an old browser, our form": ({"origin": ORIGIN}, 303),
    "an old browser, another site": ({"origin": "http://evil.example"}, 403),
    "an old browser, hidden": ({"origin": "null"}, 403),
    "no browser": ({}, 303),
}


@pytest.mark.parametrize("name", SITES)
def test_only_our_own_page_may_post(name: str) -> None:
    headers, status = SITES[name]
    client = TestClient(web_app(Scripted(), welcome=lambda: WELCOME, privacy=str))

    assert client.post("/", headers=headers, follow_redirects=False).status_code == status


@pytest.mark.parametrize("path", ["/", "/privacy", "/healthz", "/static/chat.js", "/leave"])
def test_every_response_is_strict(path: str) -> None:
    headers = browser().get(path, follow_redirects=False).headers

    assert "unsafe" not in headers["content-security-policy"]
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/privacy", "/no-such-page"])
def test_no_page_has_inline_code_or_asks_elsewhere(path: str) -> None:
    page = browser().get(path).text

    assert "<style" not in page
    assert not re.search(r"<script(?![^>]* src=)", page)
    assert not re.search(r"\son\w+=|style=", page)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)


def test_the_privacy_page_tells_what_it_was_given() -> None:
    assert "<p>We keep little.</p>" in browser().get("/privacy").text


def test_the_application_is_healthy() -> None:
    assert browser().get("/healthz").text == "ok\n"


def hooked(taken: list[dict[str, Any]]) -> TestClient:
    async def handle(payload: dict[str, Any]) -> None:
        taken.append(payload)

    hook = Webhook("/telegram/abc", "s3cret", handle)
    return TestClient(web_app(Scripted(), welcome=lambda: WELCOME, privacy=str, webhook=hook))


@pytest.mark.parametrize(
    ("path", "secret", "status"),
    [
        ("/telegram/abc", "s3cret", 200),
        ("/telegram/abc", "wrong", 403),
        ("/telegram/abc", "", 403),
        ("/telegram/abd", "s3cret", 404),
    ],
    ids=["right", "wrong secret", "no secret", "wrong path"],
)
def test_the_webhook_takes_updates_from_telegram_only(path: str, secret: str, status: int) -> None:
    taken: list[dict[str, Any]] = []
    header = {"x-telegram-bot-api-secret-token": secret}

    answer = hooked(taken).post(path, json={"update_id": 1}, headers=header)

    assert answer.status_code == status
    assert taken == ([{"update_id": 1}] if status == 200 else [])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_idle_conversation_is_dropped() -> None:
    clock = Clock()
    conversations = Conversations(idle_s=60, clock=clock)
    ticket, conversation = conversations.join("")
    conversation.say("a secret")

    clock.now = 61.0

    assert conversations.find(ticket) is None


def test_a_used_conversation_stays() -> None:
    clock = Clock()
    conversations = Conversations(idle_s=60, clock=clock)
    ticket, _ = conversations.join("")

    clock.now = 50.0
    conversations.join(ticket)
    clock.now = 100.0

    assert conversations.find(ticket) is not None


def test_there_are_only_so_many_conversations() -> None:
    conversations = Conversations(limit=2)
    tickets = [conversations.join("")[0] for _ in range(3)]

    assert [conversations.find(ticket) is not None for ticket in tickets] == [False, True, True]


def test_there_are_only_so_many_turns() -> None:
    _, conversation = Conversations(turns=2).join("")
    for text in "abc":
        conversation.say(text)

    assert [turn.texts for turn in conversation.turns] == [("b",), ("c",)]


@pytest.mark.parametrize("ticket", ["", "x", "a" * 44, "!" * 43])
def test_a_made_up_ticket_is_replaced(ticket: str) -> None:
    given_out, _ = Conversations().join(ticket)

    assert given_out != ticket


TAPPABLE = {
    "Call 112 now.": "tel:112",
    "Call 112 or 911 now.": "tel:112 tel:911",
    "Call 112, 999 or 911.": "tel:112 tel:999 tel:911",
    "116 123": "tel:116123",
    "Ring Samaritans on 116 123, day and night.": "tel:116123",
    "Poison Help: 1-800-222-1222": "tel:18002221222",
    "Lifeline +370 5 236 2052.": "tel:+37052362052",
    "(02) 8524 1078 and 020-84 44 48": "tel:0285241078 tel:020844448",
    "Call *4141": "tel:*4141",
    "Text HOME to 741741": "sms:741741",
    "call 988, or text 988": "tel:988 sms:988",
    "Ambulance, United Kingdom: 999": "tel:999",
    "Samaritans on 116 123": "tel:116123",
    "NHS 111 for poison advice (no public poison line) on 111": "tel:111",
    "Last checked in: 2026": "",
    "Take 20 mg, not 10-20 mg, 3 times a day.": "",
    "Open 24/7, 365 days, since 2019. It is 5% of 1,000.": "",
    "Call within 24 hours": "",
    "10 to 20 tablets": "",
}


@pytest.mark.parametrize("text", TAPPABLE)
def test_phone_numbers_can_be_tapped_and_nothing_else(text: str) -> None:
    links = re.findall(r'href="([^"]+)"', rich_text(text))

    assert " ".join(links) == TAPPABLE[text]


def test_a_number_that_was_shown_can_be_tapped_anywhere() -> None:
    assert 'href="tel:116123"' in rich_text("Samaritans (116 123) listens.", ["116 123"])
    assert 'href="tel:988"' in rich_text("Lifeline: 988, free.", ["988"])


@given(st.text(alphabet="<>&\"'ab 12+\n-.", max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    html = re.sub(r"</?(?:div|p|ul|ol|li|a)(?: (?:href|value)=\"[\w:+*]+\")?>", "", rich_text(text))

    assert "<" not in html
    assert ">" not in html


def test_lines_become_paragraphs_and_lists() -> None:
    html = rich_text("Call 1.\nThen:\n- a\n- b\n\n2. c")

    assert html == (
        "<div><p>Call 1.</p><p>Then:</p><ul><li>a</li><li>b</li></ul></div>"
        '<div><ol><li value="2">c</li></ol></div>'
    )
