"""The staff console without a browser: who gets in, who may do what, and every action."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pyotp
import pytest

from bot.console import ensure_first_admin
from bot.console.app import PAGES
from bot.console.case_view import segments
from bot.console.guard import HEADERS
from bot.console.live import Live
from bot.console.signing import own_path
from bot.console.visit import Page
from bot.core.actions import Acknowledge
from bot.core.escalation import Case
from bot.core.model import Evidence, Level
from bot.core.roles import ROLES, Role, may
from bot.store import Store
from bot.store.staff import StaffMember
from tests.console_visits import PASSWORD, Somebody, console, signed_in, somebody, token_in
from tests.escalation_values import HOUR, MINUTE, NOW, TEXT, Clock, an_entry

pytest_plugins = ("tests.databases",)
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
    await a_case(store, level=Level.URGENT)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")
    await browser.post("/case/1001/review", level="urgent")
    old = (await case_of(store)).row_version
    await a_case(store, level=Level.URGENT, update_id="second")

    answer = await browser.post("/case/1001/resolve", resolution="test", row_version=old)

    assert "changed in the meantime" in answer.text
    assert (await case_of(store)).status == "acknowledged"


async def test_resolving_without_a_review_has_to_be_said(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")
    version = (await case_of(store)).row_version

    refused = await browser.post("/case/1001/resolve", resolution="test", row_version=version)
    assert "Review E-1001 first" in refused.text
    await browser.post("/case/1001/resolve", resolution="test", row_version=version, unreviewed="1")

    assert (await case_of(store)).resolved_unreviewed


async def test_an_emergency_does_not_rest_unreviewed(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")
    version = (await case_of(store)).row_version

    answer = await browser.post("/case/1001/snooze", minutes="60", row_version=version)

    assert "review it before it rests" in answer.text


async def test_the_second_reader_does_not_see_what_the_first_said(
    store: Store, clock: Clock
) -> None:
    await a_case(store)
    app = console(store, clock)
    ana, leo = await signed_in(app, store), await signed_in(app, store, "leo")
    await ana.post("/case/1001/review", level="info", reason="only a question")

    before = await leo.post("/case/1001/open")
    after = await leo.post("/case/1001/review", level="emergency")

    assert "only a question" not in before.text
    assert "too high" not in before.text
    assert "only a question" in after.text
    assert "The readers differ" in after.text


async def test_only_a_lead_settles_a_disagreement(store: Store, clock: Clock) -> None:
    await a_case(store)
    app = console(store, clock)
    ana = await signed_in(app, store)
    lead = await signed_in(app, store, "leo", "lead")
    await ana.post("/case/1001/review", level="info")
    await lead.post("/case/1001/review", level="emergency")
    assert (await case_of(store)).review_status == "awaiting_resolution"

    refused = await ana.post("/case/1001/review", level="info", is_authoritative="1")
    await lead.post("/case/1001/review", level="urgent", is_authoritative="1")

    assert refused.status_code == 403
    case = await case_of(store)
    assert (case.review_status, case.reviewed_level) == ("reviewed", Level.URGENT)


async def test_what_was_just_done_is_taken_back(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")

    answer = await browser.post("/case/1001/undo")

    assert "taken back" in answer.text
    assert (await case_of(store)).status == "new"


async def test_undo_is_over_after_ten_seconds(store: Store, clock: Clock) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")
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
        ("resolve", {"resolution": "nonsense", "row_version": "1"}),
        ("review", {"level": "nonsense"}),
        ("review", {"level": "info", "reply_was_right": "nonsense"}),
        ("note", {"body": "   "}),
    ],
    ids=lambda each: str(each),
)
async def test_a_form_filled_in_wrongly_changes_nothing(
    store: Store, clock: Clock, action: str, fields: dict[str, str]
) -> None:
    await a_case(store)
    browser = await signed_in(console(store, clock), store)
    await browser.post("/case/1001/acknowledge")
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
