"""Cases drawn for a terminal. What people wrote is data: nothing in it moves the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.content.reasons import because
from bot.core.escalation import BOT, SYSTEM, Case, SlaStatus
from bot.core.export import printable
from bot.core.model import Level
from bot.store.records import CaseFile, EventRecord, NoteRecord, SignalRecord
from bot.store.timeline import Line, Stretch, timeline
from bot.tools.rows import draw_rows

COLOURS = {
    Level.EMERGENCY: "bold red",
    Level.SUICIDE_CRISIS: "bold magenta",
    Level.URGENT: "yellow",
}
COVERED = "(covered; --text shows it, and the history will say so)"
GONE = "(redacted)"
CLOCKS: Mapping[SlaStatus, str] = {
    "active": "running",
    "met": "acknowledged in time",
    "missed": "acknowledged too late, or not at all",
    "not_staffed": "none runs: outside the staffed hours",
}


def list_view(
    console: Console, cases: Sequence[Case], *, total: int, hidden: int, now: datetime
) -> None:
    """The queue as a table; below it what it leaves out."""
    if cases:
        names = ("number", "level", "waits", "left", "status", "in", "why", "and")
        rows = [_cells(case, now) for case in cases]
        draw_rows(console, names, rows, flowing=("level", "status", "why", "and"))
    shown = f"{len(cases)} of {total} cases." if cases else "No cases."
    console.print(shown, style="dim")
    if hidden:
        console.print(f"{hidden} unacknowledged emergencies are not shown here.", style="bold red")


def case_view(
    console: Console, file: CaseFile, *, covered: bool, reasons: Mapping[str, str]
) -> None:
    """One case from top to bottom. `reasons` tells what rules mean."""
    console.print(Panel(_summary(file.case), title=_level(file.case), title_align="left"))
    for part in timeline(file):
        if isinstance(part, Stretch):
            console.print(_stretch(part, covered=covered))
        else:
            console.print(_message(part, covered=covered, reasons=reasons))
    for heading, lines in (
        ("Earlier cases", _earlier(file.earlier)),
        ("Reviews", _reviews(file)),
        ("Notes", _notes(file.notes, covered=covered)),
        ("History", _history(file.events)),
    ):
        if lines:
            console.print(Text(f"\n{heading}", style="bold"))
            console.print(Group(*map(Text, lines)))


def span(length: timedelta) -> str:
    """A length of time as people say it: 4 min, 3 h, 2 d; below zero with a minus."""
    minutes = int(abs(length.total_seconds()) // 60)
    sign = "-" if length < timedelta() else ""
    if minutes < 120:
        return f"{sign}{minutes} min"
    return f"{sign}{minutes // 60} h" if minutes < 48 * 60 else f"{sign}{minutes // 1440} d"


def _cells(case: Case, now: datetime) -> tuple[Text | str, ...]:
    left = case.acknowledge_due_at if case.status == "new" else case.review_due_at
    return (
        case.label,
        Text(_words(case.level.label), style=COLOURS.get(case.level, "")),
        span(now - case.waiting_since) if case.waiting_since else "",
        span(left - now) if left and case.status != "resolved" else "",
        printable(f"{case.status} {case.assignee}".strip()),
        case.country or "?",
        ": ".join(filter(None, (_words(case.kind), case.top_rule))),
        ", ".join(_also(case)),
    )


def _also(case: Case) -> Iterable[str]:
    if case.signals > 1:
        yield f"{case.signals} messages"
    if case.delivery_failed:
        yield "reply not delivered"
    if case.alert_status == "failed":
        yield "alert failed"
    yield _words(case.verdict or case.review_status)
    yield from case.tags


def _level(case: Case) -> Text:
    return Text(f" {case.label} {_words(case.level.label)} ", style=COLOURS.get(case.level, ""))


def _summary(case: Case) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = {
        "status": ", ".join(filter(None, (case.status, _words(case.resolution)))),
        "owner": case.assignee or "nobody",
        "kind": ", ".join(map(_words, filter(None, (case.kind, *case.also)))),
        "country": f"{case.country or 'not known'} ({case.country_source}), {case.language}",
        "waiting since": _time(case.waiting_since) if case.waiting_since else "",
        "clock": _clock(case),
        "review": _review(case),
        "alert": case.alert_status,
        "labels": ", ".join(case.tags),
        "versions": f"engine {case.versions.engine}, content {case.versions.content}, "
        f"helplines {case.versions.helplines}",
    }
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, style="dim"), Text(printable(value)))
    return table


def _clock(case: Case) -> str:
    """How the time to acknowledge stands, and until when it runs."""
    if case.status == "new" and case.acknowledge_due_at:
        late = "missed; it was" if case.sla_status == "missed" else "acknowledge by"
        return f"{late} {_time(case.acknowledge_due_at)}"
    return CLOCKS[case.sla_status]


def _review(case: Case) -> str:
    said = ", ".join(filter(None, (_words(case.review_status), _words(case.verdict))))
    if case.review_due_at and case.status != "resolved" and case.review_status != "reviewed":
        return f"{said}; by {_time(case.review_due_at)}"
    return said


def _message(signal: SignalRecord, *, covered: bool, reasons: Mapping[str, str]) -> Group:
    edited = ", edited" if signal.edited else ""
    level, kind = _words(signal.level.label), _words(signal.kind)
    heading = f"\n{_time(signal.received_at)} {level}{f', {kind}' if kind else ''}{edited}"
    parts = [Text(heading, style="bold"), _marked(signal, covered=covered)]
    parts += [Text(f"  {line}", style="dim") for line in _reasons(signal, covered, reasons)]
    delivery = signal.delivery_status or "not known yet"
    numbers = ", ".join(signal.numbers_shown) or "none"
    parts.append(Text(f"  reply {signal.reply_id}: {delivery}; numbers shown: {numbers}"))
    if not covered:
        parts += [
            Text(f"  > {printable(line)}") for text in signal.reply for line in text.split("\n")
        ]
    return Group(*parts)


def _marked(signal: SignalRecord, *, covered: bool) -> Text:
    """The message with the words that gave it away underlined."""
    if signal.text is None:
        return Text(f"  {GONE}")
    if covered:
        return Text(f"  {COVERED}")
    marked = {place for each in signal.evidence for place in range(each.start, each.end)}
    shown = Text("  ")
    for place, character in enumerate(signal.text):
        style = "underline bold" if place in marked else ""
        shown.append(printable(character), style=style)
    return shown


def _reasons(signal: SignalRecord, covered: bool, reasons: Mapping[str, str]) -> Iterable[str]:
    """Each rule once: what it means, its name, and the words, where they are uncovered."""
    for each in because(signal.evidence, reasons):
        said = ", ".join(f'"{text}"' for text in each.words)
        words = "" if covered or not said else f": {said}"
        sort = "because" if each.kind in ("trigger", "example") else each.kind
        yield printable(f"{sort} {each.meaning.rstrip('.')} ({each.rule}){words}")
    for held in signal.near_misses:
        meant = reasons.get(held.rule, "")
        yield printable(f"not because {meant} ({held.rule}): held back, {_words(held.held_by)}")


def _stretch(stretch: Stretch, *, covered: bool) -> Group:
    """What was said around the messages. Covered, only how much it is."""
    parts = [Text(f"\n{stretch.heading}", style="bold")]
    if stretch.is_gone:
        parts.append(Text(f"  {GONE}"))
    elif covered:
        parts.append(Text(f"  {len(stretch.lines)} messages {COVERED}"))
    for line in () if covered or stretch.is_gone else stretch.lines:
        edited = ", edited" if line.edited else ""
        parts.append(Text(f"  {_time(line.at)} {printable(_who(line))}{edited}", style="dim"))
        said = GONE if line.text is None else line.text
        parts += [Text(f"    {printable(each)}") for each in said.split("\n")]
    return Group(*parts)


def _who(line: Line) -> str:
    if not line.author:
        return "the person"
    arrived = "waits" if line.waits else line.delivery_status or "delivery not known yet"
    return f"{'the bot' if line.author in (BOT, SYSTEM) else line.author} ({arrived})"


def _earlier(cases: Iterable[Case]) -> list[str]:
    return [
        f"{case.label} {_words(case.level.label)} {case.status} {_time(case.created_at)}"
        for case in cases
    ]


def _reviews(file: CaseFile) -> list[str]:
    return [
        printable(
            f"{_time(each.created_at)} {each.reviewer}: {_words(each.reviewed_level.label)}"
            f" ({_words(each.verdict)}), reply right: {each.reply_was_right or 'not judged'}"
            f"{', decides' if each.is_authoritative else ''} {each.reason}".rstrip()
        )
        for each in file.reviews
    ]


def _notes(notes: Iterable[NoteRecord], *, covered: bool) -> list[str]:
    return [
        printable(
            f"{_time(each.created_at)} {each.author}: "
            f"{GONE if each.body is None else COVERED if covered else each.body}"
        )
        for each in notes
    ]


def _history(events: Iterable[EventRecord]) -> list[str]:
    return [
        printable(
            f"{_time(each.at)} {_words(each.event.type)} by {each.actor} {each.channel}".rstrip()
        )
        for each in events
    ]


def _words(name: str) -> str:
    """A name of ours as people read it: `suicide_crisis` is "suicide crisis"."""
    return name.replace("_", " ")


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
