"""The content pages without a browser: who may read them, what they show, and a tried message."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from bot.console import Shelf
from bot.console.content_view import Wanted, card_rows, topic_groups, topic_row
from bot.content.catalogue import Catalogue, catalogue_of
from bot.content.reasons import reasons_in
from bot.core.decide import Content, decide
from bot.core.model import Level, Message, Person
from bot.core.roles import ROLES, Role
from bot.store import Store
from tests.console_visits import Somebody, console, signed_in, somebody
from tests.escalation_values import Clock, an_entry
from tests.reading import knowledge

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[1]
TODAY = date(2026, 11, 23)
PAGES = ("/content", "/content/mixing_alcohol", "/content/try")
INTENTS = """question: Is it safe to drink alcohol on baclofen?
examples:
  teen_slang: |
    can i get drunk on bac lol
    is beer ok w my muscle pills
near_misses:
  urgent/mixed: |
    i had 4 beers with my baclofen
"""
VOICE = """who: Daughter, 50s, tired
style: hard
messages:
  mixing_alcohol: |
    is a sherry ok with her tablets
  emergency/unresponsive: |
    she is finally sleeping it off and will not wake
"""
PROOFS = """reaches:
  grandfather: |
    he is not breathing
    what is baclofen
    can i drink alcohol on baclofen
    my dog ate his dinner
"""


@pytest.fixture
def engine_name() -> str:
    """SQLite alone: the console sees no database; the store's own tests see both."""
    return "sqlite"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with the files of one topic."""
    files = {
        "intents/en/mixing/mixing_alcohol.yml": INTENTS,
        "intents/en/voices/tired_daughter.yml": VOICE,
        "tests/cases/en/mixing/mixing_alcohol.yml": PROOFS,
    }
    for path, text in files.items():
        place = tmp_path / "content" / path
        place.parent.mkdir(parents=True)
        place.write_text(text, encoding="utf-8")
    return tmp_path / "content"


@pytest.fixture
async def editor(store: Store, clock: Clock, content: Content) -> Somebody:
    """An editor's browser, at the shipped content."""
    return await at_content(store, clock, content)


async def at_content(
    store: Store, clock: Clock, content: Content, *, root: Path = ROOT, role: Role = "editor"
) -> Somebody:
    shelf = Shelf(lambda: content, root)
    app = console(store, clock, shelf=shelf, reasons=reasons_in(content))
    return await signed_in(app, store, "edi", role)


def shelf() -> Catalogue:
    """A catalogue without any message: what is filtered does not hang on them."""
    return Catalogue({}, {}, "", "", ())


def plain(html: str) -> str:
    """The text of a page, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# ---- who may ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ROLES)
async def test_every_role_may_read_the_content(
    store: Store, clock: Clock, content: Content, role: Role, path: str
) -> None:
    browser = await at_content(store, clock, content, role=role)

    answer = await browser.get(path)

    assert answer.status_code == 200
    current = "page" if path == "/content" else "true"
    assert f'<a href="/staff/content" aria-current="{current}">Content</a>' in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_sent_to_sign_in(
    store: Store, clock: Clock, content: Content, path: str
) -> None:
    app = console(store, clock, shelf=Shelf(lambda: content, ROOT))

    answer = await somebody(app).get(path)

    assert answer.status_code == 303
    assert "/sign-in?next=" in answer.headers["location"]


@pytest.mark.parametrize("wanted", ["", "/"], ids=["nothing wanted", "the start wanted"])
async def test_an_editor_lands_on_the_content(
    store: Store, clock: Clock, content: Content, wanted: str
) -> None:
    browser = await at_content(store, clock, content)

    answer = await browser.get(f"/sign-in?next={wanted}", follow_redirects=True)

    assert answer.url.path == "/staff/content"
    nav = re.search(r'<nav aria-label="Pages">(.*?)</nav>', answer.text, re.DOTALL)
    assert nav
    assert plain(nav[1]) == "Content"


async def test_an_editor_sees_no_case_and_is_shown_a_way_on(
    store: Store, clock: Clock, content: Content
) -> None:
    await store.record(an_entry())
    browser = await at_content(store, clock, content)

    answer = await browser.get("/case/1001")
    link = re.search(r'<a href="/staff(/[^"]*)"', answer.text)
    assert link
    after = await browser.get(link[1], follow_redirects=True)

    assert answer.status_code == 403
    assert after.url.path == "/staff/content"


async def test_no_page_of_the_content_shows_a_case(
    store: Store, clock: Clock, content: Content
) -> None:
    await store.record(an_entry(text="a planted marker of a person"))
    browser = await at_content(store, clock, content)

    pages = [(await browser.get(path)).text for path in PAGES]

    assert not [page for page in pages if "marker" in page or "E-1001" in page]


async def test_a_console_without_content_says_so(store: Store, clock: Clock) -> None:
    browser = await signed_in(console(store, clock), store, "ana", "lead")

    answer = await browser.get("/content")

    assert answer.status_code == 404
    assert "without content" in answer.text


# ---- all topics ------------------------------------------------------------------------


async def test_a_topic_stands_in_the_table_with_all_that_it_has(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    browser = await at_content(store, clock, content, root=small)

    answer = await browser.get("/content?q=mixing_alcohol&group=mixing")

    assert plain(answer.text.split("<tbody")[1].split("</tbody>")[0]).endswith(
        "Is it safe to drink alcohol on baclofen? mixing_alcohol Examples 3 Near misses 1 "
        "Proving 4 Answer in en pending due 2027-05-22 "
        "intents/en/mixing/mixing_alcohol.yml responses/en/mixing/mixing_alcohol.yml "
        "tests/cases/en/mixing/mixing_alcohol.yml"
    )


@pytest.mark.parametrize(
    ("wanted", "there", "not_there"),
    [
        (Wanted(), "mixing_alcohol", "no_such"),
        (Wanted("DRINK alcohol on"), "mixing_alcohol", "typical_dose"),
        (Wanted("mixing_alcohol"), "mixing_alcohol", "naloxone"),
        (Wanted(group="overdose"), "naloxone", "mixing_alcohol"),
        (Wanted(review=True), "mixing_alcohol", "thanks"),
        (Wanted("alcohol", "overdose"), "", "mixing_alcohol"),
        (Wanted(group="cards"), "", "mixing_alcohol"),
        (Wanted("<script>"), "", "mixing_alcohol"),
    ],
    ids=["all", "words", "id", "group", "review", "both", "cards only", "markup"],
)
def test_the_filter_shows_what_is_asked_for(wanted: Wanted, there: str, not_there: str) -> None:
    books = knowledge().books
    english = books["en"]
    signed = replace(english.answers["thanks"], review_status="signed", review_due="")
    known = replace(
        knowledge(),
        books={**books, "en": replace(english, answers={**english.answers, "thanks": signed})},
    )

    groups = topic_groups(known, shelf(), TODAY, wanted)

    found = {row.topic for rows in groups.values() for row in rows}
    assert not there or there in found
    assert not_there not in found
    assert all(groups.values())


@pytest.mark.parametrize(
    ("status", "due", "overdue", "needs"),
    [
        ("pending", "2027-05-22", False, True),
        ("signed", "2027-05-22", False, False),
        ("signed", "2026-11-23", False, False),
        ("signed", "2026-11-22", True, True),
        ("signed", "", False, False),
        ("pending", "2026-11-22", True, True),
    ],
)
def test_an_answer_needs_a_review_while_nobody_signed_it_and_when_it_is_overdue(
    status: str, due: str, overdue: bool, needs: bool
) -> None:
    books = knowledge().books
    answer = replace(books["en"].answers["mixing_alcohol"], review_status=status, review_due=due)
    known = replace(
        knowledge(), books={"en": replace(books["en"], answers={"mixing_alcohol": answer})}
    )

    row = topic_row("mixing_alcohol", known, shelf(), TODAY)

    assert (row.overdue, row.needs_review) == (overdue, needs)


async def test_an_overdue_answer_is_marked(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    clock.move(date(2027, 5, 23) - TODAY)
    browser = await at_content(store, clock, content, root=small)

    pages = [await browser.get(path) for path in ("/content?q=alcohol", "/content/mixing_alcohol")]

    assert all("overdue since 2027-05-22" in page.text for page in pages)


def test_the_cards_are_told_with_their_languages() -> None:
    rows = card_rows(knowledge(), Wanted(group="cards"))

    assert len(rows) == 17
    assert rows[0].card.level is Level.EMERGENCY
    assert {row.card.level for row in rows} == {
        Level.EMERGENCY,
        Level.SUICIDE_CRISIS,
        Level.URGENT,
    }
    assert all(len(row.languages) == 13 for row in rows)
    assert all((ROOT / row.path).is_file() for row in rows)
    assert card_rows(knowledge(), Wanted(group="mixing")) == ()


# ---- one topic -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "told", "not_told"),
    [
        ("", "your local emergency number", "NHS 111"),
        ("GB", "breathing slowly: call 999", "your local emergency number"),
        ("gb", "breathing slowly: call 999", "your local emergency number"),
        ("ZZ", "your local emergency number", "NHS 111"),
        ("<b>", "your local emergency number", "NHS 111"),
    ],
)
async def test_an_answer_is_shown_as_somebody_of_a_country_sees_it(
    editor: Somebody, country: str, told: str, not_told: str
) -> None:
    answer = await editor.get("/content/mixing_alcohol", params={"country": country})

    seen = answer.text.split("What a person sees")[1].split("Messages that prove")[0]
    assert answer.status_code == 200
    assert told in seen
    assert not_told not in seen
    assert "Sources: FDA label" in seen
    for label in ("Tell me more", "This is an emergency"):
        assert label in seen
    assert 'href="/staff/content/alcohol_use_disorder"' in seen


async def test_a_topic_tells_its_files_its_sources_and_how_to_check_it(editor: Somebody) -> None:
    answer = await editor.get("/content/mixing_alcohol")

    for told in (
        "intents/en/mixing/mixing_alcohol.yml",
        "responses/en/mixing/mixing_alcohol.yml",
        "tests/cases/en/mixing/mixing_alcohol.yml",
        "baclofen-bot check",
        "NHS, About baclofen",
        "What are the signs of a baclofen overdose?",
    ):
        assert told in answer.text


async def test_messages_are_told_by_who_says_them(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    browser = await at_content(store, clock, content, root=small)

    answer = plain((await browser.get("/content/mixing_alcohol")).text)

    assert "Messages that teach it 3 in 2 voices" in answer
    assert "teen slang 2 can i get drunk on bac lol is beer ok w my muscle pills" in answer
    assert "tired daughter 1 Daughter, 50s, tired is a sherry ok with her tablets" in answer
    assert "finally sleeping it off" not in answer
    assert "urgent/mixed i had 4 beers with my baclofen" in answer


async def test_each_proving_message_has_its_verdict_of_today_failures_first(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    browser = await at_content(store, clock, content, root=small)

    page = (await browser.get("/content/mixing_alcohol")).text

    rows = [
        plain(row).replace(" grandfather", ":")
        for row in page.split('class="topics verdicts"')[1].split("</table>")[0].split("<tr")[2:]
    ]
    assert "3 of 4 fail" in plain(page)
    assert [row.partition(">")[2].strip() or row for row in rows] == [
        "he is not breathing: fails Emergency",
        "what is baclofen: fails answers what is baclofen",
        "my dog ate his dinner: fails no answer",
        "can i drink alcohol on baclofen: reaches it",
    ]


async def test_a_proof_that_is_only_offered_or_asked_about_says_so(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    """Which messages are unclear hangs on what was learned; the first that is serves."""
    unclear = (
        "hangover and baclofen",
        "party tablets",
        "whisky?",
        "booze",
        "he drinks on baclofen",
        "he drinks with it",
        "wine night",
        "dad drinks on them",
        "sherry with them",
        "cider with it",
        "pints at the weekend on it",
    )
    made = {text: decide(Message("proof", text), Person(), content) for text in unclear}
    offered = next(
        text
        for text, decision in made.items()
        if decision.topic != "mixing_alcohol"
        and "mixing_alcohol" in [each.topic for each in decision.offers]
    )
    asked = next(text for text, decision in made.items() if decision.asks)
    proofs = small / "tests/cases/en/mixing/mixing_alcohol.yml"
    lines = "".join(f"    {text}\n" for text in dict.fromkeys((offered, asked)))
    proofs.write_text(f"reaches:\n  grandfather: |\n{lines}", encoding="utf-8")
    browser = await at_content(store, clock, content, root=small)

    page = (await browser.get("/content/mixing_alcohol")).text

    rows = page.split('class="topics verdicts"')[1].split("</table>")[0].split("<tr")[2:]
    told = {text: plain(row) for text in (offered, asked) for row in rows if text in plain(row)}
    assert "offered" in told[offered]
    assert "asks if it happens now" in told[asked]


async def test_verdicts_follow_the_files_without_a_restart(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    browser = await at_content(store, clock, content, root=small)
    proofs = small / "tests/cases/en/mixing/mixing_alcohol.yml"
    before = plain((await browser.get("/content/mixing_alcohol")).text)

    proofs.write_text("reaches:\n  grandfather: |\n    alcohol\n", encoding="utf-8")
    after = plain((await browser.get("/content/mixing_alcohol")).text)
    proofs.unlink()
    without = plain((await browser.get("/content/mixing_alcohol")).text)

    assert "3 of 4 fail" in before
    assert "All pass" in after
    assert "tests/cases/ is not there" in without.replace(" .", ".")


@pytest.mark.parametrize("root", ["shipped", "small"])
async def test_one_is_told_when_the_files_are_not_what_is_served(
    store: Store, clock: Clock, content: Content, small: Path, root: str
) -> None:
    place = small if root == "small" else ROOT
    browser = await at_content(store, clock, content, root=place)

    pages = [await browser.get(path) for path in PAGES[:2]]

    for page in pages:
        assert ("The files have changed" in page.text) is (root == "small")


async def test_a_broken_file_is_named_and_breaks_no_page(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    (small / "intents/en/mixing/mixing_alcohol.yml").write_text("question: [", encoding="utf-8")
    browser = await at_content(store, clock, content, root=small)

    table, topic = [await browser.get(path) for path in PAGES[:2]]

    assert (table.status_code, topic.status_code) == (200, 200)
    assert "These files cannot be read" in table.text
    assert "Is it safe to drink alcohol on baclofen?" in topic.text


async def test_a_file_that_cannot_be_opened_is_named_and_breaks_no_page(
    store: Store, clock: Clock, content: Content, small: Path
) -> None:
    (small / "intents/en/mixing/folder.yml").mkdir()
    browser = await at_content(store, clock, content, root=small)

    table, topic = [await browser.get(path) for path in PAGES[:2]]

    assert (table.status_code, topic.status_code) == (200, 200)
    assert "<code>intents/en/mixing/folder.yml</code>" in table.text
    assert "Is it safe to drink alcohol on baclofen?" in topic.text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("mixing_alcohl", "/staff/content/mixing_alcohol"),
        ("%3Cscript%3Ealert(1)%3C%2Fscript%3E", ""),
        ("nothing_like_it%00", ""),
        ("x" * 5_000, ""),
        ("", ""),
    ],
    ids=["mistyped", "markup", "NUL", "long", "none"],
)
async def test_an_unknown_topic_has_a_next_step(editor: Somebody, name: str, near: str) -> None:
    answer = await editor.get(f"/content/{name}")

    assert answer.status_code == 404
    assert "Look through all answers" in answer.text
    assert near in answer.text
    assert ("Did you mean" in answer.text) is bool(near)
    assert "<script>" not in answer.text
    assert "x" * 100 not in answer.text


def test_the_catalogue_is_read_again_only_when_something_changed(small: Path) -> None:
    first = catalogue_of(small)
    again = catalogue_of(small, first)
    voice = small / "intents/en/voices/tired_daughter.yml"
    voice.write_text(VOICE.replace("sherry", "port"), encoding="utf-8")
    changed = catalogue_of(small, first)

    assert again is first
    assert changed.version != first.version
    assert [each.example.text for each in changed.of("mixing_alcohol").examples] == [
        "can i get drunk on bac lol",
        "is beer ok w my muscle pills",
        "is a port ok with her tablets",
    ]


# ---- a tried message ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "country", "told"),
    [
        (
            "he took ten baclofen and i cant wake him",
            "GB",
            ("Emergency", "waking_danger", "cant wake</mark>", "Call 999 now", "No, or gasping"),
        ),
        (
            "he took ten baclofen and i cant wake him",
            "",
            ("Emergency", "your local emergency number"),
        ),
        (
            "can i drink alcohol on baclofen",
            "",
            ("Question", 'href="/staff/content/mixing_alcohol">mixing alcohol', "Tell me more"),
        ),
        ("my dog ate his dinner", "", ("Out of scope", "none was held back")),
        (
            "he took ten of his baclofen and i cant wake him. he was fine, not drinking",
            "",
            ("Held back (negated)", "<code>negated</code>"),
        ),
    ],
    ids=["emergency", "country unknown", "topic", "outside", "held back"],
)
async def test_a_tried_message_is_laid_open(
    editor: Somebody, text: str, country: str, told: tuple[str, ...]
) -> None:
    answer = await editor.post("/content/try", text=text, country=country)

    assert answer.status_code == 200
    for each in told:
        assert each in answer.text
    for heading in ("Words that counted", "Read as", "Probability", "What a person gets"):
        assert heading in answer.text
    assert "not stored and not logged" in answer.text


async def test_a_tried_message_shows_the_topics_that_it_is_offered(
    editor: Somebody, content: Content
) -> None:
    unclear = ("booze", "whisky?", "hangover pills", "tablets and my nerves", "baclofen bad?")
    offers = {text: decide(Message("try", text), Person(), content).offers for text in unclear}
    text = next(text for text in unclear if offers[text])

    answer = await editor.post("/content/try", text=text, country="")

    assert "Offers" in answer.text
    for each in offers[text]:
        assert f'href="/staff/content/{each.topic}"' in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> <img src=x onerror=alert(1)>",
        "</textarea><b>{{ 7 * 7 }}</b>",
        "can i\x00drink\x1b[31m on \u202ebaclofen",
        "baclofen " * 11_112,
        "\ud83d\ude00" * 40,
        "?" * 3,
    ],
    ids=["markup", "leaves the box", "NUL", "100,000 characters", "halves of pairs", "signs"],
)
async def test_a_hostile_message_is_read_and_shown_as_text(editor: Somebody, text: str) -> None:
    sent = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")

    answer = await editor.post("/content/try", text=sent)

    assert answer.status_code == 200
    assert "What a person gets" in answer.text
    own = answer.text.partition("<main")[2]
    assert not re.search(r"<script|<img|<b>|[\x00\x1b\u202e]", own)
    assert "49" not in own.partition("<textarea")[2].partition("</textarea>")[0]


async def test_a_message_longer_than_a_form_may_be_is_turned_away(editor: Somebody) -> None:
    answer = await editor.post("/content/try", text="x" * 300_000)

    assert answer.status_code == 413
    assert "too much text" in answer.text


@pytest.mark.parametrize("text", ["", "   \r\n "])
async def test_an_empty_box_asks_for_a_message(editor: Somebody, text: str) -> None:
    answer = await editor.post("/content/try", text=text)

    assert answer.status_code == 400
    assert "Write a message first." in answer.text
    assert "What a person gets" not in answer.text


async def test_a_tried_message_is_in_no_log_no_store_and_no_cookie(
    store: Store, editor: Somebody, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    before = await store.verify_audit()

    answer = await editor.post("/content/try", text="planted marker: he is not breathing")
    again = await editor.get("/content/try")

    assert "planted marker" in answer.text
    assert "planted" not in again.text
    assert "planted" not in str([record.__dict__ for record in caplog.records])
    assert "planted" not in str(answer.headers.raw) + str(answer.url)
    assert await store.verify_audit() == before
    async with store._database.reading() as connection:
        tables = await connection.execute(sql("SELECT name FROM sqlite_master WHERE type='table'"))
        names = [row[0] for row in tables]
        cases = (await connection.execute(sql("SELECT count(*) FROM escalation"))).scalar()
    assert len(names) > 8
    assert cases == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "bot.db" for path in files)
    assert not [path for path in files if b"planted" in path.read_bytes()]


async def test_two_tries_at_once_do_not_mix(editor: Somebody) -> None:
    first, second = await asyncio.gather(
        editor.post("/content/try", text="can i drink alcohol on baclofen"),
        editor.post("/content/try", text="he is not breathing", country="GB"),
    )

    assert "Call 999" in second.text
    assert "drink alcohol on baclofen</textarea>" not in second.text
    assert "Call 999" not in first.text
