"""`new`: starts the three files of a topic, for an editor to fill in."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bot.content.minimums import EXAMPLES, NEAR_MISSES, PROVING, VOICES
from bot.content.unfilled import MARK

INTENT = f"""\
# What people say about this. One message a line; see docs/editors.md.
question: {{question}}
examples:
  formal_letter: |
    {MARK}: at least {EXAMPLES} messages, in at least {VOICES} voices.
near_misses:
  urgent/other: |
    {MARK}: at least {NEAR_MISSES} messages that look like this topic but belong elsewhere.
"""
ANSWER = f"""\
answer: |
  {MARK}: plain words, one action first, at most 900 characters.
more: |
  {MARK}: what else there is to know, at most 1200 characters.
see_also:
  - what_is_baclofen
sources:
  - "{MARK}: where each fact is from."
danger_signs: {{danger}}
reviewed:
  status: pending
  by: ""
  on: ""
  due: "{{due}}"
"""
CASES = f"""\
# Messages that must reach this topic. None of them may stand in intents/.
reaches:
  proof: |
    {MARK}: at least {PROVING} messages in other words than the examples.
"""


def new_topic(root: Path, group: str, topic: str, question: str, *, due: str) -> list[Path]:
    """Writes the three files of a topic. Raises ValueError if the id is taken or no id."""
    for part in (group, topic):
        if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", part):
            raise ValueError(f"'{part}' is no id; use small letters, digits and _ only")
    if not question.strip():
        raise ValueError("the question is empty; write what people ask")
    taken = list((root / "intents" / "en").glob(f"*/{topic}.yml"))
    if taken:
        raise ValueError(f"'{topic}' exists already: {taken[0]}")
    danger = {"mixing": "overdose", "overdose": "overdose", "withdrawal": "withdrawal"}
    files = {
        root / "intents" / "en" / group / f"{topic}.yml": INTENT.format(question=_scalar(question)),
        root / "responses" / "en" / group / f"{topic}.yml": ANSWER.format(
            danger=danger.get(group, "none"), due=due
        ),
        root / "tests" / "cases" / "en" / group / f"{topic}.yml": CASES,
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def _scalar(text: str) -> str:
    """The text as YAML: in quotes where it would else be read as something more."""
    said = " ".join(text.split())
    is_plain = re.fullmatch(r"[A-Za-z0-9][^:#\"'{}\[\]]*", said)
    return said if is_plain else json.dumps(said, ensure_ascii=False)
