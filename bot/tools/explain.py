"""`explain`: what the bot makes of one message, for a person to read."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.decide import Content
from bot.core.explanation import Explanation, explained
from bot.core.model import Decision
from bot.core.understand import Detail

SHOWN = 6
LONGEST = 2_000  # characters of the message that are shown


def explain(console: Console, text: str, content: Content, *, country: str = "") -> None:
    """Prints normalised text, evidence, scope, the readers side by side, and the reply."""
    found = explained(text, content, country=country)
    decision, detail = found.decision, found.detail
    console.print(Text("Read as     "), Text(detail.normalised, style="dim"))
    console.print(Text("Marked      "), marked(found))
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


def marked(found: Explanation) -> Text:
    """The message with the words that counted in colour."""
    shown = Text()
    for each in found.segments:
        style = "bold red" if each.kind == "trigger" else "yellow" if each.kind else ""
        shown.append(each.text, style)
    return shown[:LONGEST]


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
