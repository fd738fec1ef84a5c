"""The staff console without a browser: who gets in, who may do what, and every action."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pyotp
import pytest
from sqlalchemy import select

from bot.console import ensure_first_admin
from bot.console.app import PAGES
from bot.console.live import Live
from bot.console.signing import own_path
from bot.console.visit import Page
from bot.core.actions import Acknowledge
from bot.core.escalation import Case
from bot.core.explanation import segments
from bot.core.model import (
    Decision,
    DeliveryStatus,
    Evidence,
    Level,
    Person,
    Reply,
    Versions,
)
from bot.core.roles import ROLES, Role, may
from bot.core.sampling import Sample
from bot.store import Keys, Store
from bot.store.schema import review
from bot.store.staff import StaffMember
from bot.takeover import Takeover
from bot.web_safety import HEADERS
from tests.console_visits import PASSWORD, Somebody, console, signed_in, somebody, token_in
from tests.escalation_values import HOUR, MINUTE, NOW, RULES, TEXT, Clock, an_entry, an_exchange
from tests.reading import knowledge

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine_name() -> str:
    """SQLite alone: the console sees no database; the store's own tests see both."""
    return "sqlite"


async def a_case(store: Store, **changes: object) -> Case:
    return await store.record(an_entry(**changes))


async def case_of(store: Store, number: int = 1001) -> Case:
    found = await store.find(number)
    assert found is not None
    return found


async def owner(store: Store, clock: Clock, *, level: Level = Level.EMERGENCY) -> Somebody:
    """Ana's browser, after she acknowledged a case that came in."""
    await a_case(store, level=level)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")
    return browser


async def ask(browser: Somebody, page: Page) -> httpx.Response:
    """Ask for a page as it is, without any field; a stranger `zoe-2` stands for people."""
    path = page.path.replace("{number:int}", "1001").replace("{who}", "zoe-2")
    path = path.replace("{letter}", "a")
    if page.method == "GET":
        return await browser.get(path)
    return await browser.post(path, follow=False)


def types(file: object) -> list[str]:
    return [each.event.type for each in file.events]  # type: ignore[attr-defined]


# ---- signing in ----------------------------------------------------------------------


async def test_nobody_gets_in_without_signing_in(store: Store, clock: Clock) -> None:
    browser = somebody(console(store, clock))

    answer = await browser.get("/case/1001?x=1")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/staff/sign-in?next=%2Fcase%2F1001%3Fx%3D1"


async def test_every_page_is_closed_to_strangers(store: Store, clock: Clock) -> None:
    browser = somebody(console(store, clock))
    browser.token = token_in((await browser.get("/sign-in")).text)
    assert len(PAGES) > 40

    for page in PAGES:
        answer = await ask(browser, page)
        assert answer.status_code in (303, 401), page.path
        assert "/sign-in" in answer.headers.get("location", answer.text), page.path


async def test_the_first_admin_signs_in_with_the_password_shown_once(
    store: Store, clock: Clock
) -> None:
    app = console(store, clock)
    said = await ensure_first_admin(store)
    again = await ensure_first_admin(store)
    assert said is not None
    password = re.search(r"password (\S+) and", said)
    assert password

    answer = await somebody(app).sign_in("admin", password[1])

    assert again is None
    assert "Nothing waits" in answer.text


async def test_a_wrong_password_says_no_more_than_that(store: Store, clock: Clock) -> None:
    app = console(store, clock)
    await signed_in(app, store)

    known = await somebody(app).sign_in("ana", "wrong")
    unknown = await somebody(app).sign_in("nobody", "wrong")

    assert known.status_code == unknown.status_code == 401
    assert "is not right" in known.text
    assert "is not right" in unknown.text
    assert "wrong" not in known.text


async def test_many_failures_from_one_address_are_slowed_down(store: Store, clock: Clock) -> None:
    browser = somebody(console(store, clock))

    answers = [await browser.sign_in(f"nobody{each}", "wrong") for each in range(21)]

    assert [each.status_code for each in answers] == [401] * 20 + [429]


async def test_after_signing_in_one_gets_where_one_wanted(store: Store, clock: Clock) -> None:
    await a_case(store)
    app = console(store, clock)
    await signed_in(app, store)
    browser = somebody(app)
    browser.token = token_in((await browser.get("/sign-in?next=/case/1001")).text)

    answer = await browser.post(
        "/sign-in", follow=False, name="ana", password=PASSWORD, code="", next="/case/1001"
    )

    assert answer.headers["location"] == "/staff/case/1001"


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil", "a", ""])
def test_signing_in_leads_to_no_other_site(wanted: str) -> None:
    assert own_path(wanted) == ""


async def test_a_second_factor_is_asked_for_and_taken_once(store: Store, clock: Clock) -> None:
    app = console(store, clock)
    await signed_in(app, store)
    secret, _ = store.staff.new_totp("ana")
    code = pyotp.TOTP(secret).at(NOW)
    assert isinstance(await store.staff.confirm_totp("ana", secret, code, by="ana"), StaffMember)
    clock.move(MINUTE)
    code = pyotp.TOTP(secret).at(NOW + MINUTE)

    without = await somebody(app).sign_in("ana")
    right = await somebody(app).sign_in("ana", code=code)
    again = await somebody(app).sign_in("ana", code=code)

    assert "Enter the code" in without.text
    assert right.status_code == 200
    assert again.status_code == 401


async def test_a_new_password_ends_sessions_everywhere(store: Store, clock: Clock) -> None:
    app = console(store, clock)
    first, second = await signed_in(app, store), await signed_in(app, store)

    await store.staff.set_password("ana", "another long password", by="ana")

    assert (await first.get("/")).status_code == 303
    assert (await second.get("/")).status_code == 303


async def test_a_session_ends_after_a_shift(store: Store, clock: Clock) -> None:
    browser = await signed_in(console(store, clock), store)

    clock.move(13 * HOUR)

    assert (await browser.get("/")).status_code == 303


async def test_an_editor_begins_at_the_own_account_where_there_is_no_content(
    store: Store, clock: Clock
) -> None:
    editor = await signed_in(console(store, clock), store, "edi", "editor")

    again = await editor.get("/sign-in")
    begun = await editor.get("/")
    page = await editor.get("/account")

    assert again.headers["location"] == "/staff/"
    assert begun.headers["location"] == "/staff/account"
    assert 'class="brand" href="/staff/"' in page.text


async def test_signing_out_ends_the_session(store: Store, clock: Clock) -> None:
    browser = await signed_in(console(store, clock), store)

    answer = await browser.post("/sign-out")

    assert "Password" in answer.text
    assert (await browser.get("/")).status_code == 303


# ---- what guards every page -------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_goes_where_it_may_and_nowhere_else(
    store: Store, clock: Clock, role: Role
) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store, "zoe", role)
    endless = "/live"  # the browser test reads it

    for page in [each for each in PAGES if each.right and each.path != endless]:
        answer = await ask(browser, page)
        assert (answer.status_code != 403) is may(role, page.right), page.path


@pytest.mark.parametrize("token", ["", "of-somebody-else"])
async def test_no_change_without_the_token_of_the_browser(
    store: Store, clock: Clock, token: str
) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store, "zoe", "admin")
    before = await store.verify_audit()
    browser.token = token

    for page in [each for each in PAGES if each.method == "POST"]:
        answer = await ask(browser, page)
        assert answer.status_code == 403, page.path
    assert await store.verify_audit() == before


async def test_a_change_from_another_site_is_turned_away(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    browser.client.headers["origin"] = "https://evil.example"

    answer = await browser.post("/case/1001/acknowledge", follow=False)

    assert answer.status_code == 403
    assert (await case_of(store)).status == "new"


@pytest.mark.parametrize("path", ["/sign-in", "/", "/case/1001", "/nothing", "/static/console.js"])
async def test_every_answer_carries_the_headers_and_a_strict_policy(
    store: Store, clock: Clock, path: str
) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock, secure=False), store)

    answer = await browser.get(path)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    for name in HEADERS.keys() - {"cache-control"}:
        assert answer.headers[name] == HEADERS[name]


async def test_the_nonce_is_fresh_and_on_every_script_and_style(store: Store, clock: Clock) -> None:
    browser = await signed_in(console(store, clock), store)

    answers = [await browser.get("/") for _ in range(2)]

    nonces = []
    for answer in answers:
        found = re.search(r"script-src 'nonce-([^']+)'", answer.headers["content-security-policy"])
        assert found
        nonces.append(found[1])
        tags = re.findall(r"<(?:script|style|link rel=\"stylesheet\")[^>]*>", answer.text)
        assert len(tags) >= 2
        assert all(f'nonce="{found[1]}"' in tag for tag in tags)
        assert not re.search(r"\son\w+=|\sstyle=", answer.text)
    assert nonces[0] != nonces[1]


async def test_the_cookie_is_kept_from_scripts_and_from_http_where_there_is_https(
    store: Store, clock: Clock
) -> None:
    plain = await somebody(console(store, clock)).get("/sign-in")
    secure = await somebody(console(store, clock, secure=True)).get("/sign-in")

    assert "httponly; samesite=lax" in plain.headers["set-cookie"]
    assert secure.headers["set-cookie"].startswith("__Secure-staff=")
    assert "secure" in secure.headers["set-cookie"].partition(";")[2]
    assert "max-age" in secure.headers["strict-transport-security"]


async def test_too_much_text_is_turned_away(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)

    answer = await browser.post("/case/1001/note", follow=False, body="x" * 300_000)

    assert answer.status_code == 413


async def test_without_a_store_the_console_says_so(clock: Clock) -> None:
    browser = somebody(console(None, clock))

    answer = await browser.get("/")

    assert answer.status_code == 503
    assert "goes on answering" in answer.text


# ---- the queue ---------------------------------------------------------------------------


async def test_the_queue_has_the_most_urgent_first(store: Store, clock: Clock) -> None:
    await a_case(store, chat="tg:1", level=Level.URGENT, kind="drowsy", update_id="1")
    await a_case(store, chat="tg:2", level=Level.SUICIDE_CRISIS, kind="", update_id="2")
    await a_case(store, chat="tg:3", update_id="3", received_at=NOW - MINUTE)
    await a_case(store, chat="tg:4", update_id="4", received_at=NOW - 2 * MINUTE)
    browser = await signed_in(console(store, clock), store)

    page = await browser.get("/")

    assert re.findall(r'data-number="(\d+)"', page.text) == ["1004", "1003", "1002", "1001"]
    assert TEXT not in page.text


async def test_a_query_narrows_the_list_and_hidden_emergencies_are_counted(
    store: Store, clock: Clock
) -> None:
    await a_case(store, chat="tg:1", level=Level.URGENT, kind="drowsy", update_id="1")
    await a_case(store, chat="tg:2", update_id="2")
    browser = await signed_in(console(store, clock), store)

    page = await browser.get("/", params={"q": "level:urgent"})

    assert re.findall(r'data-number="(\d+)"', page.text) == ["1001"]
    assert "1 unacknowledged emergency is not shown" in page.text


async def test_a_query_that_cannot_be_read_says_what_is_wrong(store: Store, clock: Clock) -> None:
    browser = await signed_in(console(store, clock), store)

    page = await browser.get("/", params={"q": "level:<b>"})

    assert page.status_code == 400
    assert "&lt;b&gt;" in page.text
    assert "<b>'" not in page.text


async def test_the_filter_form_becomes_query_text(store: Store, clock: Clock) -> None:
    browser = await signed_in(console(store, clock), store)

    answer = await browser.get("/filter?level=emergency&status=new&country=gb&is_repeated=1&tag=")

    assert answer.headers["location"].startswith("/staff/?q=")
    query = str(answer.next_request.url.params["q"]) if answer.next_request else ""
    assert query == "status:new level:emergency country:gb is:repeated"


async def test_many_are_acknowledged_and_tagged_at_once(store: Store, clock: Clock) -> None:
    await a_case(store, chat="tg:1", update_id="1")
    await a_case(store, chat="tg:2", update_id="2")
    await store.act(1002, Acknowledge("leo"))
    browser = await signed_in(console(store, clock), store)

    taken = await browser.post("/bulk", do="acknowledge", case=["1001", "1002"], q="")
    await browser.post("/bulk", do="tag", tag="Shift A", case=["1001", "1002"], q="")

    assert "1 case acknowledged." in taken.text
    assert "E-1002 is leo" in taken.text
    assert [(await case_of(store, each)).tags for each in (1001, 1002)] == [("shift-a",)] * 2


async def test_next_leads_to_what_needs_me(store: Store, clock: Clock) -> None:
    await a_case(store, chat="tg:1", update_id="1")
    await a_case(store, chat="tg:2", update_id="2", level=Level.URGENT)
    browser = await signed_in(console(store, clock), store)

    first = await browser.get("/next")
    second = await browser.get("/next?after=1001")

    assert first.headers["location"] == "/staff/case/1001"
    assert second.headers["location"] == "/staff/case/1002"


# ---- a case ------------------------------------------------------------------------------


async def test_text_is_covered_until_opened_and_that_is_logged(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)

    covered = await browser.get("/case/1001")
    opened = await browser.post("/case/1001/open")
    again = await browser.get("/case/1001")

    assert "wake her" not in covered.text
    assert "Call 999 now." not in covered.text
    assert '<mark class="trigger" title="cannot_be_woken">' in opened.text
    assert "Call 999 now." in opened.text
    assert "<mark" in again.text
    file = await store.show(1001)
    assert types(file).count("viewed") == 1


async def test_opened_text_is_covered_again_after_a_while(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/open")

    clock.move(16 * MINUTE)

    assert "<mark" not in (await browser.get("/case/1001")).text


HOSTILE = "<script>alert(1)</script> \u202eevil\u202c \x1b[31m & 'quote' \"double\""


async def test_hostile_text_stays_text(store: Store, clock: Clock) -> None:
    evidence = Evidence("<b>rule</b>", "trigger", 0, 8, "<script>", "<i>note</i>")
    await a_case(store, text=HOSTILE, reply=("<u>reply</u>",), evidence=(evidence,))
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/note", body=HOSTILE)
    await browser.post("/case/1001/acknowledge")
    await browser.post("/case/1001/tag", tags="<b>tag</b>")

    page = (await browser.post("/case/1001/open")).text

    assert "alert(1)" in page
    for tag in ("<script>alert", "<b>rule", "<i>note", "<u>reply", "<b>tag"):
        assert tag not in page
    assert "\u202e" not in page
    assert "\x1b" not in page


@pytest.mark.parametrize(
    ("evidence", "marked"),
    [
        ([(0, 2, "trigger")], [("ab", "trigger"), ("cdef", "")]),
        (
            [(0, 4, "context"), (2, 6, "trigger")],
            [("ab", "context"), ("cd", "trigger"), ("ef", "trigger")],
        ),
        ([(4, 99, "trigger"), (-1, 2, "trigger"), (3, 3, "trigger")], [("abcdef", "")]),
    ],
    ids=["one", "overlapping", "out of range"],
)
def test_marks_are_where_the_reasons_are(
    evidence: list[tuple[int, int, str]], marked: list[tuple[str, str]]
) -> None:
    reasons = [Evidence("r", kind, start, end, "") for start, end, kind in evidence]  # type: ignore[arg-type]

    assert [(each.text, each.kind) for each in segments("abcdef", reasons)] == marked


async def test_the_first_to_acknowledge_wins_and_the_second_is_told(
    store: Store, clock: Clock
) -> None:
    await a_case(store)
    app = console(store, clock)
    ana, leo = await signed_in(app, store), await signed_in(app, store, "leo")

    first = await ana.post("/case/1001/acknowledge")
    second = await leo.post("/case/1001/acknowledge")

    assert "acknowledged, it is yours" in first.text
    assert "E-1001 is ana&#39;s already." in second.text
    assert (await case_of(store)).assignee == "ana"


async def test_a_script_gets_what_to_say_as_data(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    browser.client.headers["x-requested-with"] = "fetch"

    answer = await browser.post("/case/1001/acknowledge", follow=False)

    told = answer.json()["told"]
    assert told == [{"text": "E-1001: acknowledged, it is yours.", "refused": False, "undo": 1001}]


async def test_the_whole_life_of_a_case(store: Store, clock: Clock) -> None:
    await a_case(store, level=Level.URGENT, kind="mixed")
    app = console(store, clock)
    ana, leo = await signed_in(app, store), await signed_in(app, store, "leo")

    async def version() -> int:
        return (await case_of(store)).row_version

    await ana.post("/case/1001/mine")
    await ana.post("/case/1001/note", body="I will call the clinic.")
    await ana.post("/case/1001/assign", to="leo", row_version=await version())
    assert (await case_of(store)).assignee == "leo"
    await ana.post("/case/1001/mine")
    assert (await case_of(store)).assignee == "ana"
    await ana.post("/case/1001/snooze", minutes="60", row_version=await version())
    assert (await case_of(store)).snoozed_until == NOW + HOUR
    await leo.post("/case/1001/wake")
    await ana.post("/case/1001/review", level="info", reply_was_right="partly", reason="later")
    assert (await case_of(store)).verdict == "too_high"
    await ana.post(
        "/case/1001/resolve", resolution="followed_up", row_version=await version(), next="1"
    )

    case = await case_of(store)
    assert (case.status, case.resolution) == ("resolved", "followed_up")
    file = await store.show(1001)
    assert file is not None
    assert [each.body for each in file.notes] == ["I will call the clinic."]
    assert {each.channel for each in file.events if each.actor in ("ana", "leo")} == {"console"}


async def test_a_case_that_changed_is_looked_at_again_first(store: Store, clock: Clock) -> None:
    browser = await owner(store, clock, level=Level.URGENT)
    await browser.post("/case/1001/review", level="urgent", reply_was_right="yes")
    old = (await case_of(store)).row_version
    await a_case(store, level=Level.URGENT, update_id="second")

    answer = await browser.post("/case/1001/resolve", resolution="test", row_version=old)

    assert "changed in the meantime" in answer.text
    assert (await case_of(store)).status == "acknowledged"


async def test_resolving_without_a_review_has_to_be_said(store: Store, clock: Clock) -> None:
    browser = await owner(store, clock)
    version = (await case_of(store)).row_version

    refused = await browser.post("/case/1001/resolve", resolution="test", row_version=version)
    assert "Review E-1001 first" in refused.text
    await browser.post("/case/1001/resolve", resolution="test", row_version=version, unreviewed="1")

    assert (await case_of(store)).resolved_unreviewed


async def test_an_emergency_does_not_rest_unreviewed(store: Store, clock: Clock) -> None:
    browser = await owner(store, clock)
    version = (await case_of(store)).row_version

    answer = await browser.post("/case/1001/snooze", minutes="60", row_version=version)

    assert "review it before it rests" in answer.text


async def test_the_second_reader_does_not_see_what_the_first_said(
    store: Store, clock: Clock
) -> None:
    await a_case(store)
    app = console(store, clock)
    ana, leo = await signed_in(app, store), await signed_in(app, store, "leo")
    await ana.post(
        "/case/1001/review", level="info", reply_was_right="yes", reason="only a question"
    )

    before = await leo.post("/case/1001/open")
    after = await leo.post("/case/1001/review", level="emergency", reply_was_right="yes")

    assert "only a question" not in before.text
    assert "too high" not in before.text
    assert "only a question" in after.text
    assert "The readers differ" in after.text


async def test_only_a_lead_settles_a_disagreement(store: Store, clock: Clock) -> None:
    await a_case(store)
    app = console(store, clock)
    ana = await signed_in(app, store)
    lead = await signed_in(app, store, "leo", "lead")
    await ana.post("/case/1001/review", level="info", reply_was_right="yes")
    await lead.post("/case/1001/review", level="emergency", reply_was_right="yes")
    assert (await case_of(store)).review_status == "awaiting_resolution"

    refused = await ana.post(
        "/case/1001/review", level="info", reply_was_right="yes", is_authoritative="1"
    )
    await lead.post(
        "/case/1001/review", level="urgent", reply_was_right="yes", is_authoritative="1"
    )

    assert refused.status_code == 403
    case = await case_of(store)
    assert (case.review_status, case.reviewed_level) == ("reviewed", Level.URGENT)


async def test_what_was_just_done_is_taken_back(store: Store, clock: Clock) -> None:
    browser = await owner(store, clock)

    answer = await browser.post("/case/1001/undo")

    assert "taken back" in answer.text
    assert (await case_of(store)).status == "new"


async def test_undo_is_over_after_ten_seconds(store: Store, clock: Clock) -> None:
    browser = await owner(store, clock)
    clock.move(timedelta(seconds=11))

    answer = await browser.post("/case/1001/undo")

    assert "last ten seconds" in answer.text
    assert (await case_of(store)).status == "acknowledged"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("snooze", {"minutes": "99999999", "row_version": "1"}),
        ("snooze", {"minutes": "60"}),
        ("assign", {"to": "stranger", "row_version": "1"}),
        ("review", {"level": "info", "reply_was_right": ""}),
        ("resolve", {"resolution": "nonsense", "row_version": "1"}),
        ("review", {"level": "nonsense", "reply_was_right": "yes"}),
        ("review", {"level": "info"}),
        ("review", {"level": "info", "reply_was_right": "nonsense"}),
        ("note", {"body": "   "}),
    ],
    ids=lambda each: str(each),
)
async def test_a_form_filled_in_wrongly_changes_nothing(
    store: Store, clock: Clock, action: str, fields: dict[str, str]
) -> None:
    browser = await owner(store, clock)
    before = await case_of(store)

    answer = await browser.post(f"/case/1001/{action}", **fields)

    assert "toast refused" in answer.text
    assert await case_of(store) == before


@pytest.mark.parametrize("path", ["/case/9999", "/case/999999999999", "/case/x", "/jump?number=7"])
async def test_a_case_that_there_is_not_is_said_to_be_none(
    store: Store, clock: Clock, path: str
) -> None:
    browser = await signed_in(console(store, clock), store)

    answer = await browser.get(path, follow_redirects=True)

    assert answer.status_code in (200, 404)
    assert "There is no such" in answer.text or "There is no case" in answer.text


# ---- what moves while a page is open -------------------------------------------------------


async def test_the_stream_tells_of_a_new_case_and_of_who_looks(store: Store) -> None:
    live = Live(lambda: store)

    async def signed_in_still() -> bool:
        return True

    stream = live.stream("ana", [1001], signed_in_still)
    first = await anext(stream)
    assert live.presence.others(1001, "leo") == ("ana",)
    await anext(stream)
    await a_case(store)
    second = await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]

    assert (first["event"], second["event"]) == ("ready", "change")
    assert live.presence.others(1001, "leo") == ()


async def test_the_stream_ends_with_the_session(store: Store) -> None:
    live = Live(lambda: store)

    async def signed_out() -> bool:
        return False

    events = [each["event"] async for each in live.stream("ana", [], signed_out)]

    assert events == ["ready", "ended"]


# ---- accounts and people -----------------------------------------------------------------


async def test_one_changes_the_own_password_and_stays_signed_in_here_alone(
    store: Store, clock: Clock
) -> None:
    app = console(store, clock)
    here, elsewhere = await signed_in(app, store), await signed_in(app, store)
    new = {"new": "a fresh long password", "again": "a fresh long password"}

    wrong = await here.post("/account/password", old="wrong", **new)
    right = await here.post("/account/password", old=PASSWORD, **new)

    assert "is not right" in wrong.text
    assert "password is changed" in right.text
    assert (await here.get("/")).status_code == 200
    assert (await elsewhere.get("/")).status_code == 303
    again = await somebody(app).sign_in("ana", "a fresh long password")
    assert again.status_code == 200


async def test_a_second_factor_is_set_up_with_a_code_and_dropped_with_the_password(
    store: Store, clock: Clock
) -> None:
    browser = await signed_in(console(store, clock), store)

    begun = await browser.post("/account/totp")
    found = re.search(r"secret=([A-Z2-7]+)", begun.text)
    assert found
    assert re.search(r'<svg viewBox="0 0 \d+ \d+" class="qr"><path', begun.text)
    assert "style=" not in begun.text
    wrong = await browser.post("/account/totp/confirm", code="000000")
    assert "not right" in wrong.text
    code = pyotp.TOTP(found[1]).at(NOW)
    right = await browser.post("/account/totp/confirm", code=code)
    browser.token = token_in(right.text)

    assert "A code is asked for" in right.text
    assert found[1] not in right.text
    await browser.post("/account/totp/drop", old="wrong")
    assert (await member(store)).has_totp
    await browser.post("/account/totp/drop", old=PASSWORD)
    assert not (await member(store)).has_totp


async def member(store: Store, name: str = "ana") -> StaffMember:
    found = await store.staff.find(name)
    assert found is not None
    return found


async def test_an_admin_adds_somebody_whose_password_is_shown_once(
    store: Store, clock: Clock
) -> None:
    app = console(store, clock)
    admin = await signed_in(app, store, "ana", "admin")

    added = await admin.post("/people", id="ben", name="<i>Ben</i>", role="reviewer")
    found = re.search(r"Their password: ([^<\s]+)", added.text)
    assert found
    later = await admin.get("/people")

    assert found[1] not in later.text
    assert "&lt;i&gt;Ben" in later.text
    assert (await somebody(app).sign_in("ben", found[1])).status_code == 200


async def test_an_admin_changes_role_duty_and_contact(store: Store, clock: Clock) -> None:
    app = console(store, clock)
    admin = await signed_in(app, store, "ana", "admin")
    await signed_in(app, store, "leo")

    await admin.post(
        "/people/leo", role="lead", duty_order="2", telegram_id="4711", oidc_subject="sub-1"
    )
    leo = await member(store, "leo")
    refused = await admin.post("/people/leo", role="lead", telegram_id="@leo")

    assert (leo.role, leo.duty_order, leo.telegram_id, leo.oidc_subject) == (
        "lead",
        2,
        "4711",
        "sub-1",
    )
    assert "is a number" in refused.text


async def test_a_closed_account_is_out_at_once(store: Store, clock: Clock) -> None:
    app = console(store, clock)
    admin, leo = await signed_in(app, store, "ana", "admin"), await signed_in(app, store, "leo")

    await admin.post("/people/leo/active", active="no")

    assert (await leo.get("/")).status_code == 303
    assert (await somebody(app).sign_in("leo")).status_code == 401


async def test_the_last_admin_stays(store: Store, clock: Clock) -> None:
    admin = await signed_in(console(store, clock), store, "ana", "admin")

    closed = await admin.post("/people/ana/active", active="no")
    lowered = await admin.post("/people/ana", role="editor")
    nonsense = await admin.post("/people/ana", role="emperor")

    assert "last admin" in closed.text
    assert "last admin" in lowered.text
    assert "There is no role" in nonsense.text
    assert (await member(store)).role == "admin"


# ---- history, exports, figures, possible misses --------------------------------------------


async def test_the_history_is_read_and_checked(store: Store, clock: Clock) -> None:
    await a_case(store)
    lead = await signed_in(console(store, clock), store, "ana", "lead")
    await lead.post("/case/1001/open")

    page = await lead.get("/audit?actor=ana&type=viewed")
    checked = await lead.post("/audit/verify")

    assert page.text.count("<td>viewed</td>") == 1
    assert '<a href="/staff/case/1001">E-1001</a>' in page.text
    assert "It holds" in checked.text
    assert "wake her" not in page.text + checked.text


async def test_an_export_has_no_text_unless_a_lead_asks_and_is_logged(
    store: Store, clock: Clock
) -> None:
    await a_case(store, text="=1+1 and hurry")
    lead = await signed_in(console(store, clock), store, "ana", "lead")

    plain = await lead.post("/export", q="level:emergency", format="csv")
    lines = await lead.post("/export", q="level:emergency", format="jsonl")
    text = await lead.post("/export", q="", format="csv", text="1")
    none = await lead.post("/export", q="level:urgent", format="csv")

    assert "attachment" in plain.headers["content-disposition"]
    assert plain.text.splitlines()[1].startswith("E-1001,emergency")
    assert json.loads(lines.text)["number"] == "E-1001"
    assert "hurry" not in plain.text + lines.text
    (row,) = csv.DictReader(io.StringIO(text.text))
    assert row["text"] == "'=1+1 and hurry"
    assert len(none.text.splitlines()) == 1
    history = await store.history.page(type_="exported")
    assert [line.record.event.after["rows"] for line in history] == [0, 1, 1, 1]


async def test_a_reviewer_exports_nothing(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)

    assert (await browser.post("/export", q="", format="csv")).status_code == 403
    assert "Export this list" not in (await browser.get("/")).text


async def test_the_figures_show_what_was_judged(store: Store, clock: Clock) -> None:
    await a_case(store, level=Level.URGENT, kind="mixed")
    browser = await signed_in(console(store, clock), store)
    empty = await browser.get("/figures?days=90")
    await browser.post("/case/1001/acknowledge")
    await browser.post("/case/1001/review", level="info", reply_was_right="yes")

    page = await browser.get("/figures")

    assert empty.text.count('<svg class="plot"') == 3
    assert page.text.count('<svg class="plot"') == 4
    assert "too few read for an estimate" in page.text
    assert "1 too high of 1 judged" in page.text
    assert "no estimate: 0 of 100" in page.text


async def test_false_alarms_are_told_by_rule_the_most_frequent_first(
    store: Store, clock: Clock
) -> None:
    rules = ("wants_to_die", "ran_out", "ran_out", "took_extra")
    for number, rule in enumerate(rules):
        found = (Evidence(rule, "trigger", 0, 2, "my"),)
        case = await a_case(store, chat=f"tg:{number}", update_id=f"{number}", evidence=found)
        seen = Level.EMERGENCY if rule == "took_extra" else Level.INFO
        for reader in ("ana", "leo"):
            await store.add_review(case.id, reader, seen, reply_was_right="yes")
    browser = await signed_in(console(store, clock), store)

    page = await browser.get("/view/f", follow_redirects=True)

    assert re.findall(r"<code>(\w+)</code> (\d)</a>", page.text) == [
        ("ran_out", "2"),
        ("wants_to_die", "1"),
    ]
    assert "rule%3Aran_out%20verdict%3Atoo_high" in page.text


async def test_a_case_is_handed_to_nobody_who_sees_no_cases(store: Store, clock: Clock) -> None:
    await a_case(store)
    await store.staff.add("edi", "Edi", "editor", by="system")
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")
    version = (await case_of(store)).row_version

    refused = await browser.post("/case/1001/assign", to="edi", row_version=version)

    assert "Choose somebody of the staff." in refused.text
    assert (await case_of(store)).assignee == "ana"


async def test_misses_are_estimated_for_the_time_that_is_asked_for(
    store: Store, clock: Clock
) -> None:
    await a_case(store)
    for number in range(120):
        late = replace(a_sample(), update_id=str(number), at=NOW - 40 * 24 * HOUR)
        await store.samples.add(late)
    for place, sample in enumerate(await store.samples.list(limit=120)):
        seen = Level.URGENT if place < 12 else Level.INFO
        await store.samples.judge(sample.id, "leo", seen)
    browser = await signed_in(console(store, clock), store)

    month = await browser.get("/figures?days=30")
    year = await browser.get("/figures?days=90")

    assert "no estimate: 0 of 100" in month.text
    assert "95 % interval 58.1 to 166.7, 120 random messages" in year.text
    assert year.text.count(">100.0</text>") == 2


async def test_possible_misses_are_covered_and_judged_once(store: Store, clock: Clock) -> None:
    await store.samples.add(a_sample())
    browser = await signed_in(console(store, clock), store)

    covered = await browser.get("/misses")
    opened = await browser.post("/misses/open")
    sample = re.search(r'name="sample" value="([^"]+)"', opened.text)
    assert sample
    judged = {"topic": "overdose_signs", "reply_was_right": "no"}
    kept = await browser.post("/misses", sample=sample[1], level="emergency", **judged)
    again = await browser.post("/misses", sample=sample[1], level="info")

    assert "not feeling great" not in covered.text
    assert "not feeling great" in opened.text
    assert "should have been escalated" in kept.text
    assert "Somebody was faster" in again.text
    assert await store.samples.missed() == (1, 1)
    assert await reviews_of_samples(store) == [("overdose_signs", "no")]


async def test_a_reply_that_nobody_judged_counts_as_not_judged(store: Store, clock: Clock) -> None:
    await store.samples.add(a_sample())
    browser = await signed_in(console(store, clock), store)
    opened = await browser.post("/misses/open")
    sample = re.search(r'name="sample" value="([^"]+)"', opened.text)
    assert sample

    await browser.post("/misses", sample=sample[1], level="info")

    assert await reviews_of_samples(store) == [("", "")]


async def reviews_of_samples(store: Store) -> list[tuple[str, str]]:
    """The topic and the judgement of the reply in each review of a sample."""
    query = select(review.c.reviewed_topic, review.c.reply_was_right)
    async with store._database.reading() as connection:
        return [tuple(row) for row in await connection.execute(query)]


def a_sample() -> Sample:
    return Sample(
        chat="tg:9",
        update_id="9",
        at=NOW,
        text="not feeling great after 3 of them",
        level=Level.INFO,
        topic="typical_dose",
        language="en",
        stratum="random",
        sampling_weight=10.0,
        versions=Versions("1", "2", "3"),
    )


async def test_todays_rules_are_asked_only_about_opened_text(store: Store, clock: Clock) -> None:
    asked: list[str] = []

    def rerun(text: str) -> Decision:
        asked.append(text)
        found = Evidence("new_rule", "trigger", 0, 2, "my")
        return Decision(
            Level.URGENT, Level.URGENT, "drowsy", "", Reply(), Person(), evidence=(found,)
        )

    await a_case(store)
    browser = await signed_in(console(store, clock, rerun=rerun), store)

    await browser.get("/case/1001")
    assert asked == []
    page = await browser.post("/case/1001/open")

    assert asked == [TEXT]
    assert "now also <code>new_rule</code>" in page.text
    assert "no longer <code>cannot_be_woken</code>" in page.text


# ---- writing to a person -------------------------------------------------------------------


class Chat:
    """Where a person would read what staff write."""

    def __init__(self, status: DeliveryStatus = "sent") -> None:
        self.status = status
        self.got: list[str] = []

    async def __call__(self, chat: str, text: str) -> DeliveryStatus:
        assert chat == "tg:4711"
        self.got.append(text)
        return self.status


def takeover(store: Store, clock: Clock, chat: Chat, *, free: bool = True) -> Takeover:
    return Takeover(lambda: store, knowledge(), {"tg": chat}, free=free, now=clock)


async def confirm(browser: Somebody, preview: httpx.Response) -> httpx.Response:
    found = dict(
        re.findall(r'name="(template|text|leaving|once|row_version)" value="([^"]*)"', preview.text)
    )
    return await browser.post("/case/1001/reply/send", **found)


async def test_nobody_writes_to_a_person_unless_that_is_switched_on(
    store: Store, clock: Clock
) -> None:
    browser = await owner(store, clock)

    assert "Write to the person" not in (await browser.get("/case/1001")).text
    for path in ("reply", "reply/send", "reply/leave"):
        assert (await browser.post(f"/case/1001/{path}", text="hello")).status_code == 404


async def test_a_reply_is_previewed_confirmed_sent_once_and_says_who_writes(
    store: Store, clock: Clock
) -> None:
    chat = Chat()
    await a_case(store)
    browser = await signed_in(console(store, clock, takeover=takeover(store, clock, chat)), store)
    await browser.post("/case/1001/acknowledge")

    preview = await browser.post("/case/1001/reply", template="safe_now", leaving="1")
    assert chat.got == []
    sent = await confirm(browser, preview)
    again = await confirm(browser, preview)

    assert "delivered to the person" in sent.text
    assert "used already" in again.text
    assert len(chat.got) == 1
    assert chat.got[0].startswith("A person from the support team writes to you.")
    assert "Are you safe right now?" in chat.got[0]
    assert "has left this chat" in chat.got[0]
    case = await case_of(store)
    assert case.first_response_at == NOW


async def test_a_double_click_on_send_now_sends_once(store: Store, clock: Clock) -> None:
    chat = Chat()
    await a_case(store)
    browser = await signed_in(console(store, clock, takeover=takeover(store, clock, chat)), store)
    await browser.post("/case/1001/acknowledge")
    preview = await browser.post("/case/1001/reply", text="are you safe?")

    answers = await asyncio.gather(confirm(browser, preview), confirm(browser, preview))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(chat.got) == 1


async def test_where_only_approved_texts_are_allowed_own_words_are_not_sent(
    store: Store, clock: Clock
) -> None:
    chat = Chat()
    await a_case(store)
    only_approved = takeover(store, clock, chat, free=False)
    browser = await signed_in(console(store, clock, takeover=only_approved), store)
    await browser.post("/case/1001/acknowledge")

    page = await browser.get("/case/1001")
    refused = await browser.post("/case/1001/reply", text="take two more")
    preview = await browser.post("/case/1001/reply", template="have_you_called", text="take two")
    await browser.post(
        "/case/1001/reply/send",
        template="have_you_called",
        text="take two",
        once=re.search(r'name="once" value="([^"]*)"', preview.text)[1],  # type: ignore[index]
        row_version=re.search(r'name="row_version" value="([^"]*)"', preview.text)[1],  # type: ignore[index]
    )

    assert 'name="text"' not in page.text
    assert "Choose or write a text" in refused.text
    assert len(chat.got) == 1
    assert "call 999" in chat.got[0]
    assert "take two" not in chat.got[0]


async def test_what_was_written_stands_in_the_case_and_is_covered_with_it(
    store: Store, clock: Clock
) -> None:
    chat = Chat()
    await a_case(store)
    browser = await signed_in(console(store, clock, takeover=takeover(store, clock, chat)), store)
    await browser.post("/case/1001/acknowledge")
    await confirm(browser, await browser.post("/case/1001/reply", text="I am with you"))
    await store.talk.hear("tg:4711", "please help <b>me</b>", identity="9")

    covered = (await browser.get("/case/1001")).text
    await browser.post("/case/1001/open")
    opened = (await browser.get("/case/1001")).text

    assert "You are in this conversation" in covered
    assert "I am with you" not in covered
    assert "I am with you" in opened
    assert "please help &lt;b&gt;me&lt;/b&gt;" in opened
    assert "delivered" in opened


async def test_the_conversation_around_the_alarm_is_one_line_of_time_and_covered_with_it(
    store: Store, clock: Clock
) -> None:
    hello = an_exchange(said="is <b>this</b> much?", update_id="1", received_at=NOW - MINUTE)
    await a_case(store, before=(hello,))
    await store.exchanges.keep(an_exchange(said="he moves", received_at=NOW + MINUTE))
    browser = await signed_in(console(store, clock), store)

    covered = (await browser.get("/case/1001")).text
    await browser.post("/case/1001/open")
    opened = (await browser.get("/case/1001")).text

    assert covered.count("2 messages, covered.") == 2
    assert "he moves" not in covered
    parts = (
        *("Before the alarm", "is &lt;b&gt;this&lt;/b&gt; much?", "Lay them on their side."),
        *("<mark", "After the alarm", "he moves"),
    )
    places = [opened.index(part) for part in parts]
    assert places == sorted(places)
    file = await store.show(1001)
    assert file is not None
    assert [each.event.type for each in file.events].count("viewed") == 1


async def test_a_case_without_a_conversation_says_nothing_of_one(
    store: Store, clock: Clock
) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)

    page = (await browser.get("/case/1001")).text

    assert "Before the alarm" not in page
    assert "After the alarm" not in page


async def test_a_forgotten_conversation_is_told_as_one(store: Store, clock: Clock) -> None:
    await a_case(store, before=(an_exchange(said="hello", received_at=NOW - MINUTE),))
    await store.forget("tg:4711")
    browser = await signed_in(console(store, clock), store)

    page = (await browser.get("/case/1001")).text

    assert page.count("What was said here was deleted.") == 1
    assert "hello" not in page


@pytest.mark.parametrize("text", ["", "on"], ids=["default", "with text"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_the_conversation_is_exported_with_the_text_only(
    store: Store, clock: Clock, form: str, text: str
) -> None:
    await a_case(store, before=(an_exchange(said="zebra", received_at=NOW - MINUTE),))
    browser = await signed_in(console(store, clock), store, "lea", "lead")

    exported = (await browser.post("/export", q="", format=form, text=text)).text

    assert ("zebra" in exported) is bool(text)
    assert ("person, alarm" in exported) is bool(text)


async def test_leaving_tells_the_person(store: Store, clock: Clock) -> None:
    chat = Chat()
    await a_case(store)
    browser = await signed_in(console(store, clock, takeover=takeover(store, clock, chat)), store)
    await browser.post("/case/1001/acknowledge")
    await confirm(browser, await browser.post("/case/1001/reply", text="I am with you"))

    left = await browser.post("/case/1001/reply/leave")
    again = await browser.post("/case/1001/reply/leave")

    assert "delivered to the person" in left.text
    assert "Nobody has taken over" in again.text
    assert len(chat.got) == 2
    assert chat.got[1].startswith("The person from the support team has left this chat.")


async def test_a_reply_that_did_not_arrive_is_told(store: Store, clock: Clock) -> None:
    await a_case(store)
    chat = Chat("blocked")
    browser = await signed_in(console(store, clock, takeover=takeover(store, clock, chat)), store)
    await browser.post("/case/1001/acknowledge")

    answer = await confirm(browser, await browser.post("/case/1001/reply", text="hello"))

    assert "NOT delivered (blocked)" in answer.text
    assert (await case_of(store)).first_response_at is None


async def test_the_clock_for_a_first_message_runs_until_staff_wrote(
    database_url: str, keys: Keys, clock: Clock
) -> None:
    chat = Chat()
    rules = replace(RULES, first_response=HOUR)
    store = await Store.open(database_url, keys, rules=rules, now=clock)
    await a_case(store)
    browser = await signed_in(console(store, clock, takeover=takeover(store, clock, chat)), store)
    await browser.post("/case/1001/acknowledge")

    before = await browser.get("/case/1001")
    await confirm(browser, await browser.post("/case/1001/reply", text="I am with you"))
    after = await browser.get("/case/1001")

    assert 'title="First message by">1 h left' in before.text
    assert "First message by" not in after.text
    assert "Staff wrote" in after.text
    await store.close()


async def test_a_second_writer_is_stopped(store: Store, clock: Clock) -> None:
    chat = Chat()
    await a_case(store)
    app = console(store, clock, takeover=takeover(store, clock, chat))
    ana, leo = await signed_in(app, store), await signed_in(app, store, "leo")
    await ana.post("/case/1001/acknowledge")
    preview = await ana.post("/case/1001/reply", text="hello")

    not_the_owner = await leo.post("/case/1001/reply", text="hi")
    await leo.post("/case/1001/mine")
    too_early = await leo.post("/case/1001/reply", text="hi")
    not_any_more = await confirm(ana, preview)

    assert "Only the owner" in not_the_owner.text
    assert "ana is writing" in too_early.text
    assert "Only the owner" in not_any_more.text
    assert chat.got == []


async def test_a_reply_waits_when_the_person_wrote_again(store: Store, clock: Clock) -> None:
    chat = Chat()
    await a_case(store)
    browser = await signed_in(console(store, clock, takeover=takeover(store, clock, chat)), store)
    await browser.post("/case/1001/acknowledge")
    preview = await browser.post("/case/1001/reply", text="hello")
    await a_case(store, update_id="second", text="she stopped breathing")

    answer = await confirm(browser, preview)

    assert "changed since the preview" in answer.text
    assert chat.got == []


async def test_a_case_says_once_what_each_rule_means(store: Store, clock: Clock) -> None:
    twice = (
        Evidence("cannot_be_woken", "trigger", 0, 5, "can't", "not waking"),
        Evidence("cannot_be_woken", "trigger", 6, 10, "wake", "not waking"),
    )
    await a_case(store, evidence=twice)
    meant = {"cannot_be_woken": "Somebody cannot be woken."}
    browser = await signed_in(console(store, clock, reasons=meant), store)

    page = (await browser.get("/case/1001")).text

    assert page.count("Somebody cannot be woken.") == 1


async def test_nothing_is_preset_in_a_judgement(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)

    page = (await browser.get("/case/1001")).text

    form = page.partition('id="review"')[2].partition("</form>")[0]
    assert "checked" not in form
    assert "selected" not in form
    assert re.findall(r"<select[^>]* required><option value=\"(.*?)\"", form) == [""]
