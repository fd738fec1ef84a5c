"""`evaluate --publish`: docs/safety.md, what is caught and what is missed, from one run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.core.decide import Content
from bot.tools.evaluate import Judged, judge, report
from bot.tools.leave_out import classifier
from bot.tools.measure import proving_rows

HEAD = """\
# How well it notices danger

This page is written by `.venv/bin/baclofen-bot evaluate --publish docs/safety.md`. Every figure
is over messages that teach nothing (`tests/cases/`): written by other authors than the examples,
kept apart by the content check. Labels were set by one author each, without a second reader.
The bars for a verdict were chosen while looking at these very figures, and misses were read to find
classes to teach: take them as optimistic for the next stranger. `.venv/bin/baclofen-bot weigh`
prints the same for teaching voices that were left out, which is the sterner estimate.
Content version {content}, {examples} teaching examples.

*Caught* means: an emergency or suicide crisis got one of these two levels. *Asked* means: the bot
answered and asked "Is this happening now?" or "Are you thinking about dying?"; it is not counted
as caught.
"""
TAIL = """\
## What it is known to miss

- **Calm dose arithmetic.** "One then, one at two, one at three": a sum told without worry may be
  read as one extra dose (urgent), not as an overdose.
- **Oblique despair.** Putting affairs in order, saving up tablets, a quiet farewell: the wording
  is close to everyday life, and it is confused both ways.
- **Clinical shorthand.** Readings and scales without a plain word ("GCS three").
- **Two to four words.** Fragments give little to read.
- **Two needs in one message** where a harmless question outweighs the danger; the bot then asks.
- **A side question beside a plain danger** ("I have just had a seizure. Can it cause one?") may be
  read as the question; the bot then answers and asks "Is this happening now?".
- **Everyday requests** to an assistant and vivid complaints about health are at times taken for
  despair or danger.
- **Other languages** than English: fewer examples and few rules, and where the second embedding
  model cannot be installed, many more false alarms. Emergency words and cards in Spanish,
  French, German, Portuguese, Italian, Dutch, Polish, Russian, Ukrainian, Turkish, Arabic and
  Hindi are machine-drafted, **awaiting a native clinician's check**. False alarms are more
  frequent there, in Hindi and Arabic above all, and everyday questions are answered in English.
- **Heavy typos** and joined words cost a few points more than the rest of the mutations.

## What it cannot notice

Voice notes, pictures, tone of voice, silence, and danger that a person does not write about.
It cannot call anybody, and nobody watches the chat unless the operator says so.

No clinician has signed off the texts yet.
"""


def safety_page(root: Path, content: Content, *, examples: int) -> Iterator[str]:
    """The lines of docs/safety.md."""
    rows = proving_rows(root, dict(content.knowledge.topics))
    judged = judge(rows, classifier(content))
    yield HEAD.format(content=content.knowledge.versions.content, examples=examples)
    groups = {
        "English, ordinary voices": _where(judged, style="ordinary", english=True),
        "English, hard voices": _where(judged, style="hard", english=True),
        "English, one file a topic": _where(judged, style="", english=True),
        "Other languages": tuple(p for p in judged if not _is_english(p)),
    }
    for title, pairs in groups.items():
        if pairs:
            yield f"## {title}\n\n```"
            shown = (
                ("level", "kind", "voice") if title != "English, one file a topic" else ("level",)
            )
            yield from report(title, pairs, groups=shown)
            yield "```\n"
    yield TAIL


def _where(judged: tuple[Judged, ...], *, style: str, english: bool) -> tuple[Judged, ...]:
    return tuple(p for p in judged if p[0].style == style and _is_english(p) == english)


def _is_english(pair: Judged) -> bool:
    """Voices of other languages are named with their code: `es_proof`."""
    return not pair[0].voice.endswith("_proof")
