"""Rows in a terminal: in columns where they fit, else one below the other; no word is cut."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = 2  # spaces between columns

Row = Sequence[Text | str]


def draw_rows(
    console: Console, names: Sequence[str], rows: Sequence[Row], *, flowing: Sequence[str] = ()
) -> None:
    """The rows under their names. The columns named in `flowing` may break between words."""
    columns = [[_plain(row[place]) for row in rows] for place in range(len(names))]
    whole = [max(map(cell_len, (name, *cells))) for name, cells in zip(names, columns, strict=True)]
    least = [
        max(_longest_word(text) for text in (name, *cells)) if name in flowing else width
        for name, cells, width in zip(names, columns, whole, strict=True)
    ]
    spare = console.width - sum(least) - GAP * (len(names) - 1)
    if spare < 0:
        _draw_blocks(console, names, rows)
        return
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for name, width, most in zip(names, least, whole, strict=True):
        wider = min(spare, most - width)
        spare -= wider
        table.add_column(name, width=width + wider, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _draw_blocks(console: Console, names: Sequence[str], rows: Sequence[Row]) -> None:
    for row in rows:
        first, *others = zip(names, row, strict=True)
        console.print(Text(f"{first[0]} ", style="bold"), first[1], sep="")
        for name, cell in others:
            if _plain(cell):
                console.print(Text.assemble((f"  {name} ", "dim"), cell))


def _plain(cell: Text | str) -> str:
    return cell.plain if isinstance(cell, Text) else cell


def _longest_word(text: str) -> int:
    return max((cell_len(word) for word in text.split()), default=0)
