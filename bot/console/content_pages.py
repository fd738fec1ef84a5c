"""The content pages: what the bot answers and what teaches it, to be read and tried out.

Nothing is changed here: answers are edited in files, docs/editors.md says how. These pages show
no case and nothing that a person wrote.
"""

from __future__ import annotations

from difflib import get_close_matches

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bot.console import content_view as view
from bot.console.shelf import Shelf
from bot.console.visit import Visit
from bot.content.catalogue import Catalogue
from bot.content.reasons import because
from bot.core.explanation import Explanation

LONGEST = 260_000  # characters of a tried message; the guard takes 262,144 bytes of a form
NEAREST = 3


async def show(visit: Visit) -> Response:
    """All topics by group, and the cards."""
    shelf = _shelf(visit)
    catalogue = await shelf.catalogue()
    knowledge = shelf.content.knowledge
    wanted = view.Wanted(
        visit.asked("q"), visit.asked("group"), review=visit.asked("review") == "needed"
    )
    return await visit.draw(
        "content.html",
        wanted=wanted,
        groups=(*knowledge.groups, view.CARDS),
        found=view.topic_groups(knowledge, catalogue, visit.now.date(), wanted),
        cards=view.card_rows(knowledge, wanted),
        total=len(knowledge.topics),
        catalogue=catalogue,
        is_changed=_is_changed(shelf, catalogue),
    )


async def topic(visit: Visit) -> Response:
    """One topic: the answer as a person sees it, what teaches it and what proves it."""
    shelf, name = _shelf(visit), str(visit.request.path_params["topic"])
    content = shelf.content
    if name not in content.knowledge.topics:
        return await _unknown(visit, shelf, name)
    catalogue = await shelf.catalogue()
    said = catalogue.of(name)
    country = _country(visit.asked("country"), shelf)
    row = view.topic_row(name, content.knowledge, catalogue, visit.now.date())
    first = view.as_seen(name, "topic", content, country, visit.now)
    more = view.as_seen(name, "more", content, country, visit.now) if row.answer.more else None
    verdicts = await shelf.verdicts(name, catalogue)
    return await visit.draw(
        "content_topic.html",
        row=row,
        answer=row.answer,
        country=country,
        countries=view.countries(content.knowledge),
        first=first,
        choices=view.choices(first.buttons),
        more=more,
        see_also=[(each, content.knowledge.questions[each]) for each in row.answer.see_also],
        speakers=view.speakers(said.examples, catalogue.voices),
        near_misses=view.near_misses(said.near_misses),
        topics=content.knowledge.topics,
        verdicts=verdicts,
        failing=sum(each.fails for each in verdicts),
        has_proofs=catalogue.has_proofs,
        is_changed=_is_changed(shelf, catalogue),
    )


async def ask(visit: Visit) -> Response:
    """A box for a message."""
    return await _try(visit, None)


async def try_(visit: Visit) -> Response:
    """What the bot makes of the message in the box. It is kept nowhere."""
    shelf = _shelf(visit)
    text = visit.field("text", longest=LONGEST).replace("\r\n", "\n")
    if not text:
        return await _try(visit, None, problem="Write a message first.", status=400)
    country = _country(visit.field("country", longest=2), shelf)
    return await _try(visit, await shelf.explained(text, country, visit.now), country=country)


async def _try(
    visit: Visit,
    found: Explanation | None,
    *,
    country: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    shelf = _shelf(visit)
    detail = found and found.detail
    return await visit.draw(
        "content_try.html",
        status=status,
        found=found,
        country=country,
        countries=view.countries(shelf.content.knowledge),
        problem=problem,
        topics=shelf.content.knowledge.topics,
        reasons=because(found.decision.evidence, visit.desk.reasons) if found else (),
        meanings=visit.desk.reasons,
        labels=[each.split(" ", 1) for each in detail.labels] if detail else (),
        nearest=[each.split(": ", 1) for each in detail.nearest] if detail else (),
        choices=view.choices(found.decision.reply.buttons) if found else (),
    )


async def _unknown(visit: Visit, shelf: Shelf, name: str) -> Response:
    """There is no such topic; the likeliest that was meant."""
    known = shelf.content.knowledge
    near = get_close_matches(name[:80], known.topics, n=NEAREST)
    return await visit.draw(
        "content_unknown.html",
        status=404,
        typed=name[:80],
        near=[(each, known.questions[each]) for each in near],
    )


def _shelf(visit: Visit) -> Shelf:
    if visit.desk.shelf is None:
        raise HTTPException(404, "This console was started without content.")
    return visit.desk.shelf


def _country(asked: str, shelf: Shelf) -> str:
    """A country that we know, by its code, or ""."""
    iso = asked.upper()
    return iso if iso in shelf.content.knowledge.helplines.countries else ""


def _is_changed(shelf: Shelf, catalogue: Catalogue) -> bool:
    """Whether the files differ from what is served since the bot was started."""
    return catalogue.version not in ("", shelf.content.knowledge.versions.content)
