"""The content pages of the running product in Chromium: an editor looks, and tries a message."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.databases import PATIENT_S
from tests.e2e.running import running
from tests.e2e.test_console_browser import CHROMIUM, DESKTOP, PASSWORD, PHONE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


async def look_and_try(page: Page, url: str) -> list[str]:
    """Go from signing in to an answer and a tried message by keys; gives the pages that were
    wider than the screen."""
    keys, wide = page.keyboard, []

    async def measure() -> None:
        await page.wait_for_load_state()
        if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(page.url)

    await page.goto(f"{url}/staff/")
    await page.get_by_label("Name").focus()
    await keys.type("edi")
    await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await page.wait_for_url("**/staff/content")
    table = page.get_by_role("table", name="Mixing")
    await expect(table.get_by_role("columnheader")).to_have_count(7)
    await measure()

    await page.get_by_label("Words").focus()
    await keys.type("mixing_alcohol")
    await keys.press("Enter")
    await expect(page.get_by_text("1 of 63 topics")).to_be_visible()
    await page.get_by_role("link", name="Is it safe to drink alcohol").press("Enter")
    await expect(page.get_by_role("heading", name="What a person sees")).to_be_visible()
    await measure()

    await page.get_by_role("link", name="Try a message").press("Enter")
    await page.get_by_label("Message", exact=True).focus()
    await keys.type("he took ten baclofen and i cant wake him " + "x" * 300)
    await page.get_by_label("Country of the writer").select_option("GB")
    await page.get_by_role("button", name="Read it").press("Enter")
    await expect(page.get_by_text("Call 999 now")).to_be_visible()
    await expect(page.locator("mark.trigger").first).to_be_visible()
    await measure()
    return wide


@pytest.mark.parametrize("options", [PHONE, DESKTOP], ids=["360 px dark", "1440 px light"])
def test_an_editor_finds_an_answer_and_tries_a_message_by_keys(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    requests: list[str] = []
    complaints: list[str] = []

    async def go() -> None:
        async with (
            running(tmp_path) as bot,
            async_playwright() as playwright,
            await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"]
            ) as browser,
            await browser.new_context(**options) as context,
        ):
            await bot.store.staff.add("edi", "Edi", "editor", password=PASSWORD, by="system")
            expect.set_options(timeout=PATIENT_S * 1000)
            context.on("request", lambda request: requests.append(request.url))
            page = await context.new_page()
            page.on("console", lambda said: complaints.append(said.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))

            async with asyncio.timeout(90):
                wide = await look_and_try(page, bot.url)

            assert wide == []
            assert {urlsplit(each).netloc for each in requests} == {urlsplit(bot.url).netloc}
            assert await bot.store.list(limit=5) == ()

    asyncio.run(go())
    assert complaints == []
