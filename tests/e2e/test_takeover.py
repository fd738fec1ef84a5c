"""Staff take over a conversation in the whole product: on Telegram, on the page, by a provider."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.console_visits import Somebody
from tests.databases import PATIENT_S
from tests.e2e.bot_api import TOKEN, BotApi
from tests.e2e.running import Running, running
from tests.e2e.servers import serving
from tests.test_oidc import Provider, go_there

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OVERDOSE = "my mum took a whole bottle of baclofen and I cannot wake her"
SUICIDE = "I want to kill myself tonight"
ASKED = "what is baclofen?"
THANKS = "thank you for writing to me, that is kind"
OPENING = "A person from the support team writes to you."
PASSED_ON = "I have passed this on to the person from the support team."
LEFT = "The person from the support team has left this chat."

pytestmark = pytest.mark.e2e


async def until(done: Callable[[], Awaitable[bool]], within_s: float = PATIENT_S) -> None:
    async with asyncio.timeout(within_s):
        while not await done():
            await asyncio.sleep(0.05)


async def send(desk: Somebody, template: str, **more: str) -> httpx.Response:
    """Preview an approved text, and confirm it."""
    page = await desk.post("/case/1001/reply", template=template, **more)
    hidden = re.findall(
        r'name="(template|text|leaving|once|row_version)" value="([^"]*)"', page.text
    )
    fields = {name: unescape(value) for name, value in hidden}
    return await desk.post("/case/1001/reply/send", **fields)


def test_on_telegram_staff_write_and_the_bot_goes_on_watching(tmp_path: Path) -> None:
    api = BotApi()

    async def heard(texts: int) -> None:
        async def enough() -> bool:
            return len(api.texts(7)) >= texts

        await until(enough)

    async def scenario(bot: Running, desk: Somebody) -> None:
        api.say(10, OVERDOSE)
        await until(lambda: _has_case(bot))
        await heard(1)
        await desk.sign_in("admin", bot.password)
        await desk.post("/case/1001/acknowledge")
        told = await send(desk, "safe_now")
        assert "delivered to the person" in told.text
        before = len(api.texts(7))
        api.say(11, THANKS)
        await heard(before + 1)
        api.say(12, SUICIDE)
        await heard(before + 2)
        await desk.post("/case/1001/reply/leave")
        await desk.post("/case/1001/open")
        case = (await desk.get("/case/1001")).text
        assert THANKS in case
        file = await bot.store.show(1001)
        assert file is not None
        assert [signal.text for signal in file.signals] == [OVERDOSE, SUICIDE]

    async def go() -> None:
        async with (
            serving(api.app) as url,
            running(
                tmp_path, staff_replies="templates", bot_token=TOKEN, telegram_api_url=url
            ) as bot,
            bot.browser() as desk,
            asyncio.timeout(90),
        ):
            await scenario(bot, desk)

    asyncio.run(go())
    texts = api.texts(7)
    opened = next(place for place, text in enumerate(texts) if text.startswith(OPENING))
    assert "Are you safe right now?" in texts[opened]
    assert texts[opened + 1].startswith(PASSED_ON)
    assert not texts[opened + 2].startswith(PASSED_ON)
    assert "112" in texts[opened + 2] or "911" in texts[opened + 2]
    assert texts[-1].startswith(LEFT)


def test_without_the_setting_nobody_can_write(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path) as bot, bot.browser() as desk:
            await desk.client.post("/", data={"text": OVERDOSE})
            await until(lambda: _has_case(bot))
            await desk.sign_in("admin", bot.password)
            await desk.post("/case/1001/acknowledge")

            assert "Write to the person" not in (await desk.get("/case/1001")).text
            answer = await desk.post("/case/1001/reply", template="safe_now")
            assert answer.status_code == 404
            assert "Nobody watches this chat" in (await desk.client.get("/")).text

    asyncio.run(go())


@pytest.mark.parametrize(
    ("hours", "expected"),
    [("always", "Someone from the team is on duty now"), ("", "Nobody watches this chat")],
)
def test_the_page_says_by_the_calendar_whether_somebody_is_there(
    tmp_path: Path, hours: str, expected: str
) -> None:
    async def go() -> str:
        async with (
            running(tmp_path, staff_replies="templates", staffed_hours=hours) as bot,
            bot.browser() as person,
        ):
            return (await person.client.get("/")).text

    page = asyncio.run(go())
    assert page.count(expected) == 2  # in the greeting and below the message box


def test_without_javascript_the_person_reads_it_at_the_next_load(tmp_path: Path) -> None:
    async def go() -> tuple[str, str, str]:
        async with (
            running(tmp_path, staff_replies="free") as bot,
            bot.browser() as desk,
            bot.browser() as person,
        ):
            await person.client.post("/", data={"text": OVERDOSE})
            await until(lambda: _has_case(bot))
            await desk.sign_in("admin", bot.password)
            await desk.post("/case/1001/acknowledge")
            told = await send(desk, "", text="I am <b>Ana</b>", leaving="1")
            waits = (await desk.get("/case/1001")).text
            page = await person.client.get("/")
            arrived = (await desk.get("/case/1001")).text
            assert "on its way" in told.text
            return waits, page.text, arrived

    waits, page, arrived = asyncio.run(go())
    assert "waits until the page of the person asks for it" in waits
    assert "Support team" in page
    assert "I am &lt;b&gt;Ana&lt;/b&gt;" in page
    assert LEFT in page
    assert 'value="guide:' in page  # the bot's question stays open
    assert "Look for new messages" in page
    assert "waits until" not in arrived


def test_staff_sign_in_through_the_provider_of_the_settings(tmp_path: Path) -> None:
    async def go() -> None:
        provider = Provider("sub-admin")
        async with serving(provider.app()) as issuer:
            provider.url = issuer
            async with (
                running(
                    tmp_path, oidc_issuer=issuer, oidc_client_id="desk", oidc_client_secret="s"
                ) as bot,
                bot.browser() as browser,
            ):
                await bot.store.staff.set_contact("admin", oidc_subject="sub-admin", by="system")
                offered = await browser.get("/sign-in")
                asked = await go_there(browser, provider)
                back = {"code": "c", "state": asked["state"]}
                answer = await browser.get("/oidc/back", params=back)

                assert "organisation" in offered.text
                assert asked["redirect_uri"] == f"{bot.url}/staff/oidc/back"
                assert answer.headers["location"] == "/staff/account"
                assert (await browser.get("/")).status_code == 200

    asyncio.run(go())


@asynccontextmanager
async def two_pages(requests: list[str], complaints: list[str]) -> AsyncIterator[tuple[Page, Page]]:
    """A page on a phone and one on a desk, in browsers that know nothing of each other."""
    expect.set_options(timeout=PATIENT_S * 1000)
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        ) as browser,
        await browser.new_context(viewport={"width": 360, "height": 740}) as phone,
        await browser.new_context(viewport={"width": 1440, "height": 900}) as desk,
    ):
        pages = []
        for context in (phone, desk):
            context.set_default_timeout(PATIENT_S * 1000)
            context.on("request", lambda request: requests.append(request.url))
            page = await context.new_page()
            page.on("console", lambda said: complaints.append(said.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            pages.append(page)
        yield pages[0], pages[1]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_in_two_browsers_a_person_and_a_human_of_the_staff(tmp_path: Path) -> None:
    requests: list[str] = []
    complaints: list[str] = []

    async def scenario(bot: Running, person: Page, staff: Page) -> None:
        await person.goto(bot.url)
        await person.fill("#message", ASKED)
        await person.click(".send")
        await expect(person.locator(".turn.bot").last).to_contain_text("Baclofen")
        await person.fill("#message", OVERDOSE)
        await person.click(".send")
        await expect(person.locator(".turn.bot.urgent").first).to_be_visible()
        await until(lambda: _has_case(bot))

        await staff.goto(f"{bot.url}/staff/case/1001")
        await staff.get_by_label("Name").fill("admin")
        await staff.get_by_label("Password").fill(bot.password)
        await staff.get_by_role("button", name="Sign in").click()
        await staff.get_by_role("button", name="Acknowledge").click()
        await staff.get_by_label("Approved text").select_option("safe_now")
        await staff.get_by_role("button", name="Preview").click()
        await expect(staff.locator("blockquote")).to_contain_text(OPENING)
        await expect(person.locator(".turn.staff")).to_have_count(0)
        await staff.get_by_role("button", name="Send now").click()

        human = person.locator(".turn.staff").first
        await expect(human).to_contain_text("Support team")
        await expect(human).to_contain_text("Are you safe right now?")
        await expect(person.locator(".choices button").first).to_be_visible()
        await expect(person.locator("#watch")).to_be_hidden()
        await expect(person.locator("#live")).to_be_visible()
        await person.fill("#message", THANKS)
        await person.click(".send")
        await expect(person.locator(".turn.bot").last).to_contain_text(PASSED_ON)

        await staff.get_by_role("button", name="Show the text").click()
        around = staff.locator("#signals .stretch")
        await expect(around.first).to_contain_text("Before the alarm")
        await expect(around.first).to_contain_text(ASKED)
        await expect(around.last).to_contain_text(THANKS)
        await staff.screenshot(path=str(tmp_path / "staff.png"), full_page=True)
        await staff.get_by_role("button", name="Leave the conversation").click()
        await expect(person.locator(".turn.staff").last).to_contain_text(LEFT)
        await person.screenshot(path=str(tmp_path / "person.png"), full_page=True)

    async def go() -> None:
        async with (
            running(tmp_path, staff_replies="templates") as bot,
            two_pages(requests, complaints) as (person, staff),
            asyncio.timeout(90),
        ):
            await scenario(bot, person, staff)

    asyncio.run(go())
    assert {url.split("/")[2].split(":")[0] for url in requests} == {"127.0.0.1"}
    assert complaints == []


async def _has_case(bot: Running) -> bool:
    return bool(await bot.store.list())
