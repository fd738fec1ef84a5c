"""What the rules mean, in the words of their own files, for staff who look at a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.content.problems import Problems
from bot.content.yaml_text import read
from bot.core.decide import Content
from bot.core.model import Evidence
from bot.core.readers import Readers


@dataclass(frozen=True, slots=True)
class Because:
    """A rule that counted, what it means, and the words that it found."""

    rule: str
    kind: str
    meaning: str
    words: tuple[str, ...]


def rule_reasons(root: Path) -> Mapping[str, str]:
    """The reason of each rule, by its id; what cannot be read is left out."""
    found: dict[str, str] = {}
    unread = Problems()
    for path in sorted((root / "intents").glob("*/triage/*.yml")):
        rules = read(path, root, unread).sub("rules")
        for rule in rules.table.items:
            found.setdefault(rule, rules.sub(rule).text("reason"))
    return found


def reasons_in(content: Content) -> Mapping[str, str]:
    """The reason of each rule that is in force, by its id."""
    reader = content.reader
    rules = reader.signals.rules if isinstance(reader, Readers) else ()
    return {rule.id: rule.reason for rule in rules}


def because(evidence: Iterable[Evidence], reasons: Mapping[str, str]) -> tuple[Because, ...]:
    """Each rule that counted once, in order. `reasons` tells what rules mean."""
    found: dict[tuple[str, str], list[Evidence]] = {}
    for each in evidence:
        found.setdefault((each.rule, each.kind), []).append(each)
    return tuple(
        Because(
            rule,
            kind,
            "; ".join(dict.fromkeys(_meaning(each, reasons) for each in pieces)),
            tuple(dict.fromkeys(each.text for each in pieces if each.text)),
        )
        for (rule, kind), pieces in found.items()
    )


def _meaning(evidence: Evidence, reasons: Mapping[str, str]) -> str:
    """What a piece of evidence says: the rule's reason, or what stands beside it."""
    if evidence.kind == "example":
        label = evidence.rule.partition(":")[2].replace("_", " ")
        return f"{evidence.note[:1].upper()}{evidence.note[1:]} (of {label})"
    return reasons.get(evidence.rule, "") or evidence.note
