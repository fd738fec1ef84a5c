"""The whole bot on the web, in Chromium: an emergency on a phone, by keyboard, without script."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Locator, Page, Request, Route, async_playwright

from tests.databases import PATIENT_S
from tests.e2e.servers import serving
from tests.e2e.whole import web_of, whole_bot

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

NO_SANDBOX = ["--no-sandbox"]  # it needs rights that a container has not
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
EXIT = "https://www.wikipedia.org/"
ELSEWHERE = "http://elsewhere.example/"
OVERDOSE = "my mum took a whole bottle of baclofen and I cannot wake her"


@dataclass(slots=True)
class Visit:
    """One person at the page, and all that their browser asked for and complained of."""

    page: Page
    context: BrowserContext
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def answer(self) -> Locator:
        """The newest turn of the bot."""
        return self.page.locator(".turn.bot").last

    async def write(self, text: str) -> None:
        """Type a message, send it and wait for the answer."""
        turns = await self.page.locator(".turn.bot").count()
        await self.page.fill("#message", text)
        await self.page.click(".send")
        await self._wait_for_turn(turns)

    async def press(self, button: Locator) -> None:
        """Press a button and wait for the answer."""
        turns = await self.page.locator(".turn.bot").count()
        await button.click()
        await self._wait_for_turn(turns)

    async def _wait_for_turn(self, turns: int) -> None:
        await self.page.wait_for_function(
            "turns => document.querySelectorAll('.turn.bot').length > turns", arg=turns
        )


@asynccontextmanager
async def visiting(folder: Path, **options: Any) -> AsyncIterator[Visit]:
    async with (
        whole_bot(folder) as service,
        serving(web_of(service)) as url,
        async_playwright() as playwright,
        await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        ) as browser,
        await browser.new_context(**options) as context,
    ):
        context.set_default_timeout(PATIENT_S * 1000)
        visit = Visit(await context.new_page(), context, url)
        context.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("console", lambda said: visit.complaints.append(said.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        await context.route(EXIT, _stand_in("A page like any other."))
        await context.route(ELSEWHERE, _stand_in(f"<a href='{url}/'>to the chat</a>"))
        await visit.page.goto(url)
        yield visit


def _stand_in(html: str) -> Callable[[Route, Request], Awaitable[None]]:
    """A page of another site, without going there."""

    async def fulfil(route: Route, request: Request) -> None:
        await route.fulfill(body=f"<!doctype html>{html}", content_type="text/html")

    return fulfil


def run(folder: Path, scenario: Callable[[Visit], Awaitable[None]], **options: Any) -> Visit:
    """Go through the scenario; the browser must ask nobody but us, and complain of nothing."""
    visits: list[Visit] = []

    async def go() -> None:
        async with visiting(folder, **options) as visit, asyncio.timeout(60):
            visits.append(visit)
            await scenario(visit)

    asyncio.run(go())
    own = urlsplit(visits[0].url).netloc
    asked = {urlsplit(url).netloc for url in visits[0].requests}
    assert own in asked
    assert asked - {own, urlsplit(EXIT).netloc, urlsplit(ELSEWHERE).netloc} == set()
    return visits[0]


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_an_emergency_and_its_guide(tmp_path: Path, device: dict[str, Any]) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write(OVERDOSE)
        card = visit.answer
        first_line = card.locator(".text p").first
        assert "112" in await first_line.inner_text()
        assert await first_line.locator("a").first.get_attribute("href") == "tel:112"
        await first_line.wait_for(state="visible")
        assert await _is_in_sight(first_line)

        labels = await card.locator(".choices button").all_inner_texts()
        await visit.press(card.locator(".choices button").first)
        assert await visit.page.locator(".you .text").last.inner_text() == labels[0]
        assert "112" in await visit.answer.inner_text()
        assert await visit.page.locator(".choices").count() == 1

        await visit.write("help is on the way")
        assert await visit.answer.inner_text()

    visit = run(tmp_path, scenario, **device)
    assert visit.complaints == []


@pytest.mark.parametrize(
    "said", [OVERDOSE, "he isnt breathing!!", "i want to kill myself"], ids=lambda said: said[:12]
)
def test_the_first_card_and_its_first_answers_fit_a_small_phone(tmp_path: Path, said: str) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write(said)
        await _rest(visit.page)
        card = visit.answer
        top = await visit.page.locator(".top").bounding_box()
        bottom = await visit.page.locator(".bottom").bounding_box()
        assert top is not None
        assert bottom is not None
        number, step = card.locator(".text p").first, card.locator(".text li").first
        for place in (number, step, *(await card.locator(".choices button").all())[:2]):
            box = await place.bounding_box()
            assert box is not None
            assert box["y"] >= top["y"] + top["height"]
            assert box["y"] + box["height"] <= bottom["y"]

    small = {**PHONE, "viewport": {"width": 360, "height": 640}}
    run(tmp_path, scenario, **small)


def test_forgetting_empties_the_page_that_is_shown(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write(OVERDOSE)
        await visit.page.fill("#message", "/forget")
        await visit.page.click(".send")
        await visit.page.get_by_text("I forgot your country").wait_for()

        shown = await visit.page.locator("#log").inner_text()
        assert OVERDOSE not in shown
        assert "The talk on this page is forgotten too" in shown
        assert "Telegram" not in shown
        await visit.press(visit.answer.locator(".choices button").first)
        assert "112" in await visit.answer.locator(".text p").first.inner_text()

    run(tmp_path, scenario, **PHONE)


def test_the_emergency_button_is_in_sight_wherever_one_is(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        for _ in range(3):
            await visit.write("Can I drink alcohol while I take baclofen?")
        await visit.page.evaluate("scrollTo(0, 0)")
        assert await _is_in_sight(visit.page.locator(".emergency"))
        await visit.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert await _is_in_sight(visit.page.locator(".emergency"))

        await visit.press(visit.page.locator(".emergency"))
        assert "112" in await visit.answer.locator(".text p").first.inner_text()

    run(tmp_path, scenario, **PHONE)


def test_the_conversation_is_there_after_a_reload(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write(OVERDOSE)
        shown = await visit.answer.inner_text()
        await visit.page.reload()

        assert await visit.answer.inner_text() == shown

    run(tmp_path, scenario, **PHONE)


def test_the_conversation_is_there_when_one_comes_back_from_another_site(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write(OVERDOSE)
        await visit.page.goto(ELSEWHERE)
        await visit.page.click("a")
        await visit.page.locator(".turn.you").wait_for()

        assert OVERDOSE in await visit.page.locator(".turn.you").inner_text()

    run(tmp_path, scenario, **PHONE)


def test_it_works_without_javascript(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.page.fill("#message", OVERDOSE)
        await visit.page.click(".send")
        await visit.page.wait_for_url("**/#latest")
        assert "112" in await visit.answer.inner_text()
        assert await _is_in_sight(visit.page.locator("#latest"))

        await visit.page.locator(".choices button").first.click()
        await visit.page.locator(".turn.you").nth(1).wait_for()
        assert "112" in await visit.answer.inner_text()

        await visit.page.click(".leave")
        await visit.page.wait_for_url(EXIT)
        assert await visit.context.cookies() == []

    run(tmp_path, scenario, java_script_enabled=False, **PHONE)


def test_it_works_by_keyboard_alone(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        keyboard = visit.page.keyboard
        await keyboard.press("Tab")
        assert await _focused(visit, "className") == "skip"
        await keyboard.press("Enter")
        assert await _focused(visit, "id") == "message"

        await keyboard.type(OVERDOSE)
        await keyboard.press("Enter")
        await visit.page.locator(".choices").last.wait_for()
        await visit.page.locator(".turn.you:not(.pending)").wait_for()
        assert await _focused(visit, "id") == "message"

        await keyboard.press("Shift+Tab")
        assert await _focused(visit, "tagName") == "BUTTON"
        await keyboard.press("Enter")
        await visit.page.locator(".turn.you:not(.pending)").nth(1).wait_for()
        assert "bot" in await _focused(visit, "className")

    run(tmp_path, scenario, **DESKTOP)


async def _by_the_button(page: Page) -> None:
    await page.click(".leave")


async def _by_esc_twice(page: Page) -> None:
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")


@pytest.mark.parametrize("leave", [_by_the_button, _by_esc_twice], ids=["button", "Esc twice"])
def test_leaving_is_quick_and_leaves_nothing_behind(
    tmp_path: Path, leave: Callable[[Page], Awaitable[None]]
) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write(OVERDOSE)
        async with visit.page.expect_request("**/api/leave"):
            await leave(visit.page)
        await visit.page.wait_for_url(EXIT)
        # Until then Chromium may still be changing pages, and has no history to tell.
        await visit.page.wait_for_load_state("networkidle")

        await visit.page.go_back()
        assert visit.url not in visit.page.url
        await visit.page.goto(visit.url)
        assert OVERDOSE not in await visit.page.content()
        assert await visit.context.cookies() == []

    run(tmp_path, scenario, **DESKTOP)


def test_a_message_that_did_not_get_through_shows_the_number(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.context.set_offline(True)
        await visit.write(OVERDOSE)

        assert "did not get through" in await visit.answer.inner_text()
        assert "112" in await visit.answer.inner_text()
        assert await visit.page.input_value("#message") == OVERDOSE

        await visit.context.set_offline(False)
        await visit.page.click(".send")
        await visit.page.locator(".choices").last.wait_for()

    run(tmp_path, scenario, **PHONE)


@pytest.mark.parametrize("width", [320, 360, 1440])
def test_everything_fits_and_can_be_hit(tmp_path: Path, width: int) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write("x" * 300)
        await visit.write(OVERDOSE)

        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await visit.page.evaluate(wide) == 0
        for target in await visit.page.locator("button, .leave, textarea").all():
            box = await target.bounding_box()
            assert box is not None
            assert box["height"] >= 44
            assert box["width"] >= 44

    run(tmp_path, scenario, viewport={"width": width, "height": 740})


def test_a_screen_reader_is_told_who_speaks(tmp_path: Path) -> None:
    async def scenario(visit: Visit) -> None:
        await visit.write(OVERDOSE)
        page = visit.page

        assert await page.get_by_role("log", name="Conversation").get_attribute("aria-live")
        assert await page.get_by_role("heading", name="You said").count() == 1
        assert await page.get_by_role("heading", name="The bot says").count() == 2
        assert await page.get_by_role("textbox", name="Your message").count() == 1
        assert await page.get_by_role("button", name="Emergency", exact=True).count() == 1
        assert await page.get_by_role("link", name="Leave").count() == 1

    run(tmp_path, scenario, **PHONE)


async def _focused(visit: Visit, what: str) -> str:
    return str(await visit.page.evaluate(f"document.activeElement.{what}"))


async def _is_in_sight(place: Locator) -> bool:
    """Whether its top is on the screen, once the page has come to rest."""
    await _rest(place.page)
    inside = (
        "e => e.getBoundingClientRect().top >= 0 && e.getBoundingClientRect().top < innerHeight"
    )
    return bool(await place.evaluate(inside))


async def _rest(page: Page) -> None:
    """Wait until the page has scrolled for the last time."""
    place: float | None = None
    looks = 0
    while looks < 5:
        await asyncio.sleep(0.15)
        before, place = place, await page.evaluate("scrollY")
        looks = looks + 1 if place == before else 0
