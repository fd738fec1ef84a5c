"""`explain`: what the bot makes of one message, for a person to read."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.decide import Content, decide
from bot.core.model import Decision, Message, Person
from bot.core.understand import Detail

SHOWN = 6


def explain(console: Console, text: str, content: Content, *, country: str = "") -> None:
    """Prints normalised text, evidence, scope, the readers side by side, and the reply."""
    person = Person(country=country.upper(), country_source="told") if country else Person()
    decision = decide(Message(chat="explain", text=text), person, content)
    detail = content.reader.detail(text)
    console.print(Text("Read as     "), Text(detail.normalised, style="dim"))
    console.print(Text("Marked      "), marked(text, decision))
    console.print(
        f"Verdict     [bold]{decision.message_level.label}[/bold] {decision.kind}"
        f"  topic {decision.topic or '-'}  confidence {decision.confidence:.2f}"
        f"{'  asks: is this happening now?' if decision.asks else ''}"
    )
    console.print(f"Path        {' > '.join(decision.path)}")
    console.print(_evidence(decision))
    console.print(_readers(detail))
    console.rule("reply")
    for part in decision.reply.texts:
        console.print(Text(part))
        console.print()
    labels = [button.label for button in decision.reply.buttons]
    console.print(Text("  ".join(f"[{label}]" for label in labels), style="cyan"))


def marked(text: str, decision: Decision) -> Text:
    """The message with the words that counted underlined."""
    shown = Text(text[:2000])
    for evidence in decision.evidence:
        if evidence.end > evidence.start:
            style = "bold red" if evidence.kind == "trigger" else "yellow"
            shown.stylize(style, evidence.start, evidence.end)
    return shown


def _evidence(decision: Decision) -> Table:
    table = Table("rule", "kind", "words", "why", title="Evidence", title_justify="left")
    for evidence in decision.evidence[:SHOWN]:
        table.add_row(
            evidence.rule, evidence.kind, Text(evidence.text[:80]), Text(evidence.note[:80])
        )
    for miss in decision.near_misses[:SHOWN]:
        table.add_row(miss.rule, "held back", Text(miss.text[:80]), Text(f"by {miss.held_by}"))
    return table


def _readers(detail: Detail) -> Table:
    table = Table("signals", "learned", "nearest example", title="Readers", title_justify="left")
    rows = max(len(detail.signals), len(detail.labels), len(detail.nearest))
    for index in range(min(rows, SHOWN)):
        table.add_row(
            *(
                Text(column[index][:70] if index < len(column) else "")
                for column in (detail.signals, detail.labels, detail.nearest)
            )
        )
    table.add_row(Text("scopes: " + (", ".join(detail.scopes) or "none"), style="dim"), "", "")
    return table
