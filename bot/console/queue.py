"""The queue: what waits, in its order; filters, saved views, and what is done to many at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import Response

from bot.console.drawing import VIEW_KEYS
from bot.console.visit import CHANNEL, Visit
from bot.core.actions import Acknowledge, Refusal, Tag
from bot.core.casefilter import ALL, QUEUE, VIEWS, WORDS, CaseFilter, parse_query
from bot.core.escalation import Case, clean_tag

PAGE = 50
MANY = 1_000  # cases past which a list is not counted
BULK_MAX = 200
FALSE_ALARMS = VIEWS["False alarms by rule"]
FLAGS = ("open", "unreviewed", "breached", "undelivered", "unalerted", "repeated")


@dataclass(frozen=True, slots=True)
class Listed:
    """What a query text asks for. `problem` says which words could not be read."""

    query: str
    wanted: CaseFilter
    problem: str = ""


def read_query(visit: Visit, query: str) -> Listed:
    """The cases that `query` names; the open ones when it names nothing."""
    if not query:
        return Listed("", QUEUE)
    try:
        return Listed(query, parse_query(query, me=visit.member.id, base=ALL))
    except ValueError as error:
        return Listed(query, QUEUE, str(error))


async def begin(visit: Visit) -> Response:
    """Where the console opens: the queue, or the content for whoever sees no case."""
    if visit.may("read"):
        return await show(visit)
    return visit.to("/content" if visit.desk.shelf else "/account")


async def show(visit: Visit) -> Response:
    """The list."""
    listed = read_query(visit, visit.asked("q"))
    after = await _case(visit, visit.asked("after"))
    cases = await visit.store.list(listed.wanted, limit=PAGE + 1, after=after)
    shown = cases[:PAGE]
    total = len(cases)
    if after is not None or total > PAGE:
        total = await visit.store.count(listed.wanted, at_most=MANY)
    return await visit.draw(
        "queue.html",
        status=400 if listed.problem else 200,
        listed=listed,
        cases=shown,
        more=shown[-1].number if len(cases) > PAGE else None,
        is_later=after is not None,
        total=total if total < MANY else f"{MANY} or more",
        hidden=await visit.store.hidden_emergencies(listed.wanted),
        present={case.number: _present(visit, case.number) for case in shown},
        staff=[each for each in await visit.store.staff.all() if each.active],
        chosen=_chosen(listed.query),
        by_rule=await visit.store.false_alarms() if listed.query == FALSE_ALARMS else (),
        is_filtered=bool(listed.query) and listed.query not in VIEWS.values(),
    )


async def filter_(visit: Visit) -> Response:
    """The filter form, turned into query text."""
    words = [f"{name}:{value}" for name in (*WORDS, "assignee") if (value := _value(visit, name))]
    flags = [f"is:{name}" for name in FLAGS if visit.asked(f"is_{name}")]
    return visit.to(f"/?q={quote(' '.join((*words, *flags)), safe='')}")


async def view(visit: Visit) -> Response:
    """The saved view of a letter."""
    letter = visit.request.path_params["letter"]
    name = next((name for name, key in VIEW_KEYS.items() if key == letter), "")
    return visit.to(f"/?q={quote(VIEWS[name], safe='')}" if name else "/")


async def next_(visit: Visit) -> Response:
    """The next case that needs this person: to be acknowledged, theirs, or to be reviewed."""
    current = visit.asked("after")
    mine = parse_query("assignee:me status:acknowledged is:unreviewed", me=visit.member.id)
    queries = [parse_query("status:new"), mine, parse_query("is:unreviewed")]
    if visit.may("settle"):
        queries.append(parse_query("is:disputed"))
    for wanted in queries:
        for case in await visit.store.list(wanted, limit=PAGE):
            if str(case.number) != current and await _needs(visit, case):
                return visit.to(f"/case/{case.number}")
    visit.tell("Nothing else needs you now.")
    return visit.to("/")


async def bulk(visit: Visit) -> Response:
    """Acknowledge or tag the chosen cases. A verdict is always one case at a time."""
    given = [str(each) for each in visit.form.getlist("case")]
    chosen = [int(each) for each in given if each.isdigit() and len(each) < 13][:BULK_MAX]
    back = f"/?q={quote(visit.field('q', longest=500), safe='')}"
    if not chosen:
        visit.tell("Choose one or more cases first.", refused=True)
        return visit.to(back)
    tag = clean_tag(visit.field("tag"))
    if visit.field("do") == "tag" and not tag:
        visit.tell("Write the tag to add.", refused=True)
        return visit.to(back)
    outcomes = [await _one(visit, number, tag) for number in chosen]
    refused = [each for each in outcomes if each]
    done = len(outcomes) - len(refused)
    what = f"tagged “{tag}”" if visit.field("do") == "tag" else "acknowledged"
    visit.tell(f"{done} {'case' if done == 1 else 'cases'} {what}.")
    for reason in refused[:3]:
        visit.tell(reason, refused=True)
    visit.desk.live.stir()
    return visit.to(back)


async def _one(visit: Visit, number: int, tag: str) -> str:
    """Do to one case what was chosen; why it was refused, or ""."""
    case = await visit.store.find(number)
    if case is None:
        return f"There is no case E-{number}."
    who = visit.member.id
    action = Tag(who, (*case.tags, tag)) if visit.field("do") == "tag" else Acknowledge(who)
    outcome = await visit.store.act(number, action, channel=CHANNEL)
    return outcome.reason if isinstance(outcome, Refusal) else ""


async def _needs(visit: Visit, case: Case) -> bool:
    """Whether this person can do something for the case: not review it a second time."""
    if case.review_status != "needs_second":
        return True
    file = await visit.store.show(case.id)
    return file is None or visit.member.id not in {each.reviewer for each in file.reviews}


async def _case(visit: Visit, number: str) -> Case | None:
    return await visit.store.find(int(number)) if number.isdigit() else None


def _present(visit: Visit, number: int) -> tuple[str, ...]:
    return visit.desk.live.presence.others(number, visit.member.id)


def _value(visit: Visit, name: str) -> str:
    """A field of the filter form, fit for query text; several are joined by commas."""
    given: Iterable[str] = visit.request.query_params.getlist(name)
    return ",".join(filter(None, ("".join(each.split()) for each in given)))[:200]


def _chosen(query: str) -> dict[str, tuple[str, ...]]:
    """What the filter form shows for `query`: the values of each name."""
    pairs = [word.partition(":")[::2] for word in query.split()]
    known: dict[str, tuple[str, ...]] = dict.fromkeys((*WORDS, "assignee", "is"), ())
    for name, value in pairs:
        if name in known:
            known[name] = (*known[name], *value.split(","))
    return known
