"""What the rules mean, in the words of their own files, for staff who look at a case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.content.problems import Problems
from bot.content.yaml_text import read
from bot.core.model import Evidence


def rule_reasons(root: Path) -> Mapping[str, str]:
    """The reason of each rule, by its id; what cannot be read is left out."""
    found: dict[str, str] = {}
    unread = Problems()
    for path in sorted((root / "intents").glob("*/triage/*.yml")):
        rules = read(path, root, unread).sub("rules")
        for rule in rules.table.items:
            found.setdefault(rule, rules.sub(rule).text("reason"))
    return found


def meaning(evidence: Evidence, reasons: Mapping[str, str]) -> str:
    """What a piece of evidence says: the rule's reason, or what stands beside it."""
    if evidence.kind == "example":
        return f"Like messages about {evidence.rule.partition(':')[2].replace('_', ' ')}."
    return reasons.get(evidence.rule, "") or evidence.note
