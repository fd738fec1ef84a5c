"""The staff console in Chromium: a live queue, keys, reviews, an export; and no stranger asked."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.console import staff_app
from bot.core.actions import Acknowledge
from bot.core.escalation import Case
from bot.core.model import Level
from bot.store import Keys, Store
from tests.databases import PATIENT_S
from tests.e2e.servers import serving
from tests.escalation_values import RULES, an_entry

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PASSWORD = "correct horse battery"
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
HEIGHTS = (
    "[...document.querySelectorAll('.case[data-number]')]"
    ".map(each => each.getBoundingClientRect().height)"
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@dataclass(slots=True)
class Shift:
    """A lead at the desk, the store behind it, and all that their browser asked for."""

    page: Page
    context: BrowserContext
    store: Store
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def sign_in(self) -> None:
        await self.page.goto(f"{self.url}/staff/")
        await self.page.get_by_label("Name").fill("ana")
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_url(f"{self.url}/staff/")

    async def arrives(self, number: int, **changes: Any) -> Case:
        """Somebody's message escalates."""
        entry = an_entry(
            chat=f"tg:{number}",
            update_id=str(number),
            received_at=datetime.now(UTC),
            delivery_status="sent",
            **changes,
        )
        return await self.store.record(entry)

    async def case(self, number: int) -> Case:
        found = await self.store.find(number)
        assert found is not None
        return found

    async def until(self, number: int, reached: Callable[[Case], bool]) -> Case:
        """The case once it is so."""
        for _ in range(100):
            case = await self.case(number)
            if reached(case):
                return case
            await asyncio.sleep(0.1)
        raise AssertionError(f"{case.label} stayed {case.status}, {case.review_status}")


@asynccontextmanager
async def closing(store: Store) -> AsyncIterator[None]:
    """Close the store also after a failure."""
    try:
        yield
    finally:
        await store.close()


@asynccontextmanager
async def a_shift(folder: Path, **options: Any) -> AsyncIterator[Shift]:
    keys = Keys.generate()
    store = await Store.open(f"sqlite+aiosqlite:///{folder / 'bot.db'}", keys, rules=RULES)
    await store.staff.add("ana", "Ana", "lead", password=PASSWORD, by="system")
    await store.staff.add("leo", "Leo", "reviewer", password=PASSWORD, by="system")
    staff = staff_app(lambda: store, secret="a secret of this test, long enough", rules=RULES)
    async with (
        closing(store),
        serving(Starlette(routes=[Mount("/staff", staff)])) as url,
        async_playwright() as playwright,
        await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        ) as browser,
        await browser.new_context(accept_downloads=True, **options) as context,
    ):
        context.set_default_timeout(PATIENT_S * 1000)
        expect.set_options(timeout=PATIENT_S * 1000)
        shift = Shift(await context.new_page(), context, store, url)
        context.on("request", lambda request: shift.requests.append(request.url))
        shift.page.on("console", lambda said: shift.complaints.append(said.text))
        shift.page.on("pageerror", lambda error: shift.complaints.append(str(error)))
        yield shift
        await context.close()


def run(folder: Path, scenario: Callable[[Shift], Awaitable[None]], **options: Any) -> Shift:
    """Go through the scenario; nobody else is asked for anything, and nothing complains."""
    shifts: list[Shift] = []

    async def go() -> None:
        async with a_shift(folder, **(options or DESKTOP)) as shift, asyncio.timeout(90):
            shifts.append(shift)
            await shift.sign_in()
            await scenario(shift)

    asyncio.run(go())
    own = urlsplit(shifts[0].url).netloc
    assert {urlsplit(url).netloc for url in shifts[0].requests} == {own}
    assert shifts[0].complaints == []
    return shifts[0]


def test_a_new_emergency_appears_without_a_reload_and_rings(tmp_path: Path) -> None:
    async def scenario(shift: Shift) -> None:
        page = shift.page
        await shift.context.grant_permissions(["notifications"], origin=shift.url)
        await expect(page.get_by_text("Nothing waits")).to_be_visible()
        await page.evaluate(
            "window.rung = []; window.Notification = class { constructor(t, o) "
            "{ window.rung.push([t, o.body]); } static permission = 'granted'; }; true"
        )
        await page.get_by_role("button", name="Alarm off").click()

        await shift.arrives(1)

        await expect(page.locator(".case")).to_have_count(1)
        await expect(page.locator(".clock")).to_contain_text("left")
        await expect(page.get_by_text("1 emergency waits")).to_be_visible()
        assert await page.evaluate("window.rung") == [["Emergency E-1001", "Country: GB"]]
        assert await page.title() == "(1) Queue · Baclofen bot"

    run(tmp_path, scenario)


def test_a_case_goes_from_the_queue_to_resolved_by_keys_alone(tmp_path: Path) -> None:
    async def scenario(shift: Shift) -> None:
        page, keys = shift.page, shift.page.keyboard
        await shift.arrives(1, level=Level.URGENT, kind="mixed")
        await expect(page.locator(".case")).to_have_count(1)

        await keys.press("j")
        await keys.press("a")
        await shift.until(1001, lambda case: case.assignee == "ana")
        await expect(page.get_by_text("acknowledged, it is yours")).to_be_visible()
        await keys.press("Enter")
        await expect(page.locator("h1")).to_contain_text("E-1001")
        await expect(page.locator("blockquote")).to_have_count(0)
        await page.wait_for_load_state()
        await page.locator("body").press("Enter")
        await expect(page.locator("mark.trigger")).to_have_text("can't wake her")
        await page.wait_for_load_state()
        await keys.press("3")
        await expect(page.locator("#reply-was-right")).to_be_focused()
        await expect(page.locator("#reply-was-right")).to_have_value("")
        await keys.press("y")
        await keys.press("Enter")
        await keys.press("Enter")
        await shift.until(1001, lambda case: case.review_status == "reviewed")
        await page.wait_for_load_state()
        await page.locator("body").press("e")
        await page.locator("#resolution").select_option("followed_up")
        await page.locator("#resolution").press("Escape")
        await page.locator("body").press("Shift+E")
        done = await shift.until(1001, lambda case: case.status == "resolved")
        await page.wait_for_url("**/staff/")
        await expect(page.get_by_text("Nothing else needs you")).to_be_visible()
        assert done.verdict == "correct"

    run(tmp_path, scenario)


def test_undo_takes_back_what_was_just_done(tmp_path: Path) -> None:
    async def scenario(shift: Shift) -> None:
        await shift.arrives(1)
        await expect(shift.page.locator(".case")).to_have_count(1)
        await shift.page.keyboard.press("j")
        await shift.page.keyboard.press("a")
        await expect(shift.page.locator(".toast form")).to_be_visible()

        await shift.page.keyboard.press("z")

        await shift.until(1001, lambda case: case.status == "new")

    run(tmp_path, scenario)


def test_a_note_that_was_begun_outlives_what_others_do_to_the_case(tmp_path: Path) -> None:
    async def scenario(shift: Shift) -> None:
        page = shift.page
        await shift.arrives(1)
        await page.goto(f"{shift.url}/staff/case/1001")
        await page.locator("body").press("c")
        await page.keyboard.type("She told me that")

        await shift.store.act(1001, Acknowledge("leo"))
        await expect(page.locator(".case-top")).to_contain_text("Leo")
        assert await page.locator("#note").input_value() == "She told me that"
        await page.reload()

        assert await page.locator("#note").input_value() == "She told me that"

    run(tmp_path, scenario)


def test_one_sees_who_else_has_the_case_open(tmp_path: Path) -> None:
    async def scenario(shift: Shift) -> None:
        await shift.arrives(1)
        await shift.page.goto(f"{shift.url}/staff/case/1001")
        other = await shift.context.browser.new_context()  # type: ignore[union-attr]
        leo = await other.new_page()
        await leo.goto(f"{shift.url}/staff/case/1001")
        await leo.get_by_label("Name").fill("leo")
        await leo.get_by_label("Password").fill(PASSWORD)
        await leo.get_by_role("button", name="Sign in").click()

        await expect(shift.page.get_by_text("Leo is viewing")).to_be_visible()
        await expect(leo.get_by_text("Ana is viewing")).to_be_visible()
        await other.close()
        await expect(shift.page.get_by_text("Leo is viewing")).to_have_count(0)

    run(tmp_path, scenario)


def test_an_export_is_a_file_without_what_people_wrote(tmp_path: Path) -> None:
    async def scenario(shift: Shift) -> None:
        page = shift.page
        await shift.arrives(1)
        await page.get_by_text("Export this list").click()
        async with page.expect_download() as started:
            await page.get_by_role("button", name="Export", exact=True).click()
        file = Path(await (await started.value).path())

        lines = file.read_text().splitlines()

        assert lines[0].startswith("number,level,kind")
        assert lines[1].startswith("E-1001,emergency,unresponsive")
        assert "wake her" not in file.read_text()

    run(tmp_path, scenario)


@pytest.mark.parametrize("options", [PHONE, DESKTOP], ids=["360 px dark", "1440 px light"])
def test_no_page_is_wider_than_the_screen(tmp_path: Path, options: dict[str, Any]) -> None:
    async def scenario(shift: Shift) -> None:
        await shift.arrives(1)
        await shift.arrives(2, level=Level.URGENT, kind="extra_dose", text="x" * 300)
        for path in ("", "case/1002", "figures", "misses", "audit", "account", "?q=is:open"):
            await shift.page.goto(f"{shift.url}/staff/{path}")
            for button in await shift.page.get_by_role("button", name="Show the text").all():
                await button.click()
                await expect(shift.page.locator("blockquote")).to_be_visible()
            await shift.page.wait_for_load_state()
            wide = await shift.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= options["viewport"]["width"], path
            # In one go: the live list may be drawn anew between two looks at it.
            heights = await shift.page.evaluate(HEIGHTS)
            assert bool(heights) is (path in ("", "?q=is:open")), path
            assert max(heights, default=0) < 260, path

    run(tmp_path, scenario, **options)


def test_the_keys_are_told_and_every_view_has_its_letter(tmp_path: Path) -> None:
    async def scenario(shift: Shift) -> None:
        await shift.page.keyboard.press("?")
        await expect(shift.page.get_by_role("dialog")).to_contain_text("No key sends anything")
        await shift.page.keyboard.press("Escape")
        for letter, heading in (("m", "Mine"), ("d", "Disagreements"), ("q", "Open cases")):
            await shift.page.locator("body").press("g")
            await shift.page.locator("body").press(letter)
            await expect(shift.page.locator("h1")).to_contain_text(heading)

    run(tmp_path, scenario)
